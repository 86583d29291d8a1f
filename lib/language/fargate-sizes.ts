/**
 * Sizes that Fargate offers, and the size of a task that asks for none. The schema of trowel.yml, the checks of `resources:`, the reference
 * and the function `launch` read it. Sources: "Task CPU and memory" in the Amazon ECS Developer Guide
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size), and EphemeralStorage in the
 * reference of its API.
 */
const GB = 1024;

/** MB of memory that are allowed with each number of CPU units. */
const MEMORY: { readonly [cpu: number]: readonly number[] } = {
  256: [GB / 2, GB, 2 * GB],
  512: steps(1, 4, 1),
  1024: steps(2, 8, 1),
  2048: steps(4, 16, 1),
  4096: steps(8, 30, 1),
  8192: steps(16, 60, 4),
  16384: steps(32, 120, 8),
};

/** CPU units. */
export const VCPU = 1024;
export const CPU_SIZES: readonly number[] = Object.keys(MEMORY).map(Number);
const ALL_MEMORY = [...new Set(Object.values(MEMORY).flat())].sort((a, b) => a - b);
/** MB. */
export const LEAST_MEMORY = ALL_MEMORY[0] ?? 0;
export const MOST_MEMORY = ALL_MEMORY.at(-1) ?? 0;
/** GB. `free`: every task has it without asking. `least` and `most`: the bounds of what can be asked for. */
export const DISK = { free: 20, least: 21, most: 200 } as const;

/** Memory in MB, disk in GB, times in seconds. `heartbeat` is counted from scheduling, so it covers a cold start. */
export const TASK_DEFAULTS = { cpu: 512, memory: GB, disk: DISK.least, timeout: 86_400, heartbeat: 300 } as const;

export interface TaskSize {
  readonly cpu: number;
  /** MB */
  readonly memory: number;
}

export const SIZE = /^\s*(\d{1,6}(?:\.\d{1,3})?)\s*([MmGg])[Ii]?[Bb]?\s*$/;

/** MB of `512MB`, `1.5GB`. */
export function parseSize(text: string): number | undefined {
  const [, count, unit] = SIZE.exec(text) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  return Math.round(Number(count) * (unit.toUpperCase() === 'G' ? GB : 1));
}

export function showSize(memory: number): string {
  return memory < GB ? `${memory}MB` : `${Number((memory / GB).toFixed(3))}GB`;
}

/** CPU units of `1024`, `"1024"`; undefined if Fargate has no such size. */
export function cpuOf(value: unknown): number | undefined {
  const units = wholeOf(value);
  return units !== undefined && CPU_SIZES.includes(units) ? units : undefined;
}

/** MB of a text within Fargate's bounds; `misfit` checks whether it goes with the CPU. */
export function memoryOf(value: unknown): number | undefined {
  const memory = typeof value === 'string' ? parseSize(value) : undefined;
  return memory !== undefined && memory >= LEAST_MEMORY && memory <= MOST_MEMORY ? memory : undefined;
}

/** GB of `50`, `"50"`. */
export function diskOf(value: unknown): number | undefined {
  const disk = wholeOf(value);
  return disk !== undefined && disk >= DISK.least && disk <= DISK.most ? disk : undefined;
}

/** The values that `cpu`, `memory` and `disk` accept, in words. */
export const WANTED = {
  cpu: `one of ${CPU_SIZES.join(', ')} (${VCPU} is one vCPU)`,
  memory: `a size from ${showSize(LEAST_MEMORY)} to ${showSize(MOST_MEMORY)}, such as 512MB or 2GB`,
  disk: `a number of GB, ${DISK.least} to ${DISK.most}`,
} as const;

/** The size that the user perhaps meant, for a value that is no size. */
export function nearSize(key: keyof typeof WANTED, value: unknown): string | undefined {
  const number = wholeOf(value);
  if (number === undefined) return undefined;
  if (key === 'memory') return `With its unit: \`${number}MB\`.`;
  if (key === 'disk') return undefined;
  const next = CPU_SIZES.find((size) => size > number);
  return number > 0 && next !== undefined ? `The next size is ${next}.` : undefined;
}

/** The reason why Fargate refuses a pair of sizes, each of which is valid by itself, and what to write instead. */
export function misfit({ cpu, memory }: TaskSize): { readonly message: string; readonly hint: string } | undefined {
  const fitting = MEMORY[cpu] ?? [];
  if (fitting.includes(memory)) return undefined;
  return {
    message: `Fargate has no task of cpu ${cpu} with ${showSize(memory)} of memory`,
    hint: `With cpu ${cpu}, memory is ${memoryRange(cpu)}; ${wayOut(fitting, memory)}.`,
  };
}

function wayOut(fitting: readonly number[], memory: number): string {
  const others = CPU_SIZES.filter((cpu) => MEMORY[cpu]?.includes(memory));
  if (others.length > 0) return `${showSize(memory)} goes with cpu ${either(others)}`;
  const next = fitting.find((size) => size > memory);
  if (next !== undefined) return `the next size is ${showSize(next)}`;
  const above = ALL_MEMORY.find((size) => size > memory) ?? MOST_MEMORY;
  return `the next size is ${showSize(above)}, with cpu ${either(CPU_SIZES.filter((cpu) => MEMORY[cpu]?.includes(above)))}`;
}

/** `512MB, 1GB or 2GB`, `4GB to 16GB in steps of 1GB`. */
export function memoryRange(cpu: number): string {
  const sizes = MEMORY[cpu] ?? [];
  const [first = 0, second = 0] = sizes;
  const last = sizes.at(-1) ?? 0;
  const step = last - (sizes.at(-2) ?? 0);
  if (sizes.length < 4 || second - first !== step) return either(sizes.map(showSize));
  return `${showSize(first)} to ${showSize(last)} in steps of ${showSize(step)}`;
}

function either(words: readonly (string | number)[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function steps(least: number, most: number, step: number): number[] {
  return Array.from({ length: (most - least) / step + 1 }, (_, index) => (least + index * step) * GB);
}

function wholeOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}
