/** Inputs of the simulation: what AWS asks for, and how long things take. Change them here. */

/** US dollars in us-east-1, Linux on x86, on demand, without free tiers; looked up on 2026-11-21. */
export const PRICES = {
  vcpuHour: 0.04048,
  gigabyteHour: 0.004445,
  /** A public IPv4 address, of a container without a NAT gateway. */
  addressHour: 0.005,
  /** Standard workflows. */
  transition: 0.025 / 1000,
  functionCall: 0.2 / 1_000_000,
  functionGigabyteSecond: 0.0000166667,
  s3Write: 0.005 / 1000,
  s3Read: 0.0004 / 1000,
  /** Amazon MWAA's smallest environment (mw1.small), which cannot be stopped: hours of a month at rest. */
  mwaaHour: 0.49,
  /** A server that is always on, with 2 processors and 4 GB (t3.medium). */
  serverHour: 0.0416,
} as const;

/** Seconds, but for the last four. The cold start is what others have measured (45 to 50 s); the rest is assumed, not measured on AWS. */
export const TIMES = {
  /** From RunTask to the container's first line of code. */
  coldStart: 45,
  /** Of it, what is charged: from the pull of the image. */
  charged: 25,
  /** The runner's start in the container: to fetch and unpack the bundle, to import. */
  runner: 2,
  /** A function, and the state around it. */
  call: 0.3,
  state: 0.05,
  /** RunTask calls a second, and at once. */
  runTasks: 20,
  /** Memory of `launch` and of the function that hears of stopped containers, GB. */
  launchGigabytes: 1,
  stoppedGigabytes: 0.5,
  vcpus: 0.5,
  gigabytes: 1,
} as const;

/** A container is charged for this at least: seconds. */
export const LEAST_CHARGED = 60;
