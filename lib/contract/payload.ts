/**
 * What a compiled machine sends to the functions, and their answers: the same JSON here and on AWS. Names are short because they are in
 * every state; docs/protocol.md, section "Payloads", explains them. These are types and not interfaces, because TypeScript does not accept
 * an interface as JSON.
 */
import type { Mapping, Schedule, Value } from '../language/workflow.ts';

export const PROTOCOL = 1;

/**
 * One layer of scope. Its shape shows its kind: `{…}` stored values (data); `[{…}]` an `_export` (template text); `[{…}, 0]` data that is
 * no store (a loop's item, `{error: {Error, Cause}}`).
 */
export type Layer = Mapping | [Mapping] | [Mapping, 0];

/** The variable `$b`, which stays the same for a whole execution. */
export type Builtins = {
  /** Built-in variables without task_name: session_time, timezone, attempt_id … They beat exports and stores. */
  vars: Mapping;
  attempt: Attempt;
};

export type Attempt = {
  /** Folder (here) or address (`s3://BUCKET/attempts/WORKFLOW/EXECUTION`) of this attempt's values and results. */
  root: string;
  /** Roots of the attempts this one resumes, nearest first; a result found there is not computed again. */
  resume?: string[];
  /** Roots of further attempts whose stores this one was given. */
  values?: string[];
  /** A result is taken over only if the user's code is unchanged too. */
  rerunChanged?: boolean;
  /** Full name of the workflow, e.g. `main`. */
  workflow: string;
  /** On AWS: ARN of the workflow's execution, also for the parts that are executions of their own. */
  execution?: string;
  /** On AWS: ARN of the role that the workflow's tasks have. */
  taskRole?: string;
  /**
   * Set for tasks that are in no file of the project (added by Python, or fetched by http_call>): the number of layers, from the outermost,
   * that do come from the project's files. Only these layers may ask for a secret.
   */
  authored?: number;
  /** The time from which the session is late (`sla:`), ISO 8601 in UTC. */
  sla?: string;
};

/** Common to launch, evaluate, http, notify. */
export type Payload = {
  v: number;
  /** Full task name, e.g. `+main+loop^sub+loop-0+x`. */
  t: string;
  /** Layers, near last. */
  l: Layer[];
  /** The layers with the values that templates name read from files. Exists only inside a function, never in a state. */
  seen?: readonly Layer[];
  b: Builtins;
  /** The task's own keys: template text. `_env` and `_secrets` are already merged with those of enclosing levels; `_workdir` if any. */
  k: Mapping;
  /** Operator, without `>`. */
  op: string;
  /**
   * The number of last layers that the result replaces: the answer is `{s}`. Absent: the answer is `{stored}`. 0 is like 1 with an empty
   * layer.
   */
  m?: number;
  /**
   * `[from, count]` for each frame around the task that runs next to others. When all have ended, the layers from number `from` on come
   * together in one state with those of the other frames, `count` in all.
   */
  w?: (readonly [from: number, count: number])[];
  /** Infrastructure and task retries of this state so far. */
  n?: number;
  /** Tries of enclosing retried groups, outermost first. */
  r?: number[];
  /** loop>, for_each>, for_range>: how a loop with many iterations is cut into slices. */
  i?: LoopPlan;
  /** call>: the files that can be called, and the files through which this task was reached, outermost first. */
  c?: { files: string[]; chain: string[] };
};

export type LaunchPayload = Payload & {
  token: string;
  /** On AWS: key of the task definition, if it is not `default` (an image or secrets of its own). */
  d?: string;
};

/** The answer of launch and http (through the task token or directly). Exactly one of `s` and `stored`. */
export type StoreResult = {
  /** The last `m` layers and the task's stores, merged. */
  s?: Mapping;
  stored?: Mapping;
};

/** Answers of `evaluate`, by operator; for fail> the function fails instead. `k` in the payload holds the task's keys. */
export type EvaluateResults = {
  echo: { text: string };
  if: { v: boolean };
  /**
   * loop, for_each, for_range: the iterations; for loop only their number; if there are many, a reference to the `Page` that leads to them.
   * `parallel` only if the payload's keys hold `_parallel`: 0 sequential, -1 all at once, N chunks.
   */
  loop: { items: LoopItem[] | number | { page: Mapping }; parallel?: number };
  /** What `k.page` refers to. */
  page: Page;
  /** The content of `k.stored`, which comes from many branches, in no more than `k.room` bytes. */
  gather: { s: Mapping };
  wait: { seconds: number };
  /** call>: path of the file relative to the project, as `sub/part.dig`. */
  call: { file: string };
  /** The rendered `_retry` of a task. Seconds. */
  retry: { limit: number; interval: number; exponential: boolean; maxInterval?: number };
  /** require>: the session of the other workflow. */
  require: {
    session_time: string;
    session_unixtime: number;
    params: Mapping;
    encoded?: boolean;
    rerun_on: string;
    ignore_failure: boolean;
  };
  /** s3_wait>: the request of headObject, how to reach S3 from here, and how long to go on asking (seconds). */
  s3_wait: { request: Mapping; client: Mapping; timeout?: number; continue_on_timeout: boolean };
  /** Any other operator: its rendered keys (command under `_command`). */
  keys: { k: Mapping };
};

/** `n`: the iteration's part of the task name, e.g. `+loop-0`; `x`: the variables that the body sees. */
export type LoopItem = {
  n: string;
  x: Mapping;
};

export type LoopPlan = {
  /** At most so many iterations run in the loop's own machine. */
  few: number;
  /** The most iterations of a slice. */
  size: number;
  /** The most slices, or slices of slices, that one machine starts. */
  fan: number;
  /** 0 in sequence, -1 all at once, N in chunks; a value that `_parallel: ${…}` gives replaces it. */
  width: number;
};

/**
 * Iterations, stored as a value of their own: those of one slice, or references to the pages of several slices, which run one after another
 * or at the same time.
 */
export type Page = { how: 'items'; of: LoopItem[] } | { how: 'sequence' | 'together'; of: Mapping[] };

export type SessionPayload = {
  v: number;
  workflow: string;
  timezone: string;
  schedule?: Omit<Schedule, 'span'>;
  /** `sla:` of the workflow, deployed: HH:MM[:SS]. */
  sla?: { time?: string; duration?: string };
  /** Deployed: ARN of the role that the workflow's tasks have. */
  taskRole?: string;
  /** `$states.context.Execution`: Id, Name, StartTime. */
  execution: { Id: string; Name: string; StartTime: string };
  /** `params:` of trowel.yml as values travel, deployed: under those of the input. */
  defaults?: Mapping;
  /** The execution's input: {session_time?, params?, resume_from?, …}; anything else is Trowel.BadInput. */
  input: Value;
};

/** What EventBridge Scheduler sends to `session`, once for a run or more often. */
export type ScheduledPayload = {
  v: number;
  workflow: string;
  /** The workflow's time zone. */
  timezone: string;
  schedule: Omit<Schedule, 'span'>;
  /** The run's time, ISO 8601. */
  scheduled: string;
  /** Zone in which the run's time is read: UTC for seconds_interval>, else `timezone`. */
  zone: string;
  /** Seconds of wall time in `zone` from the session's time to its run. */
  delay: number;
  /** ARN of the state machine to start. */
  machine: string;
  /**
   * The beginning of the execution's name, before the session. require> gives the same, so that a session runs only once, however it is
   * started.
   */
  prefix: string;
};

export type SessionResult = {
  params: Mapping;
  b: Builtins;
};
