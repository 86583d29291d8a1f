/**
 * The memory that one expression may take. The service's limit is some 10 MiB and is not documented. Measured: a sequence of 873,782
 * numbers passes and one more fails; a text of 4 Mi characters passes and one of 8 Mi fails.
 */
export const MOST_NUMBERS = 873_782;

const BYTES = 10 * 1024 * 1024;
const BYTES_PER_ITEM = 12;
const BYTES_PER_CHARACTER = 2;
/** Values smaller than this are not counted: most expressions make many small values. */
const WORTH_COUNTING = 64 * 1024;

/** An error in the form of those that jsonata throws, without a code. */
export function memoryExceeded(): Error {
  return new Error('Expression evaluation memory limit exceeded: Check for excessive memory usage');
}

/** Large values of an evaluation, so that one is counted once. */
const sizes = new WeakMap<object, number>();

/** @throws the service's error if the value of a part of an expression takes too much memory */
export function checkMemory(value: unknown): void {
  if (estimate(value) > BYTES) throw memoryExceeded();
}

/** Counts large texts and lists, also large items of a small list. Values in an object were counted when they were made. */
function estimate(value: unknown): number {
  if (typeof value === 'string') return value.length * BYTES_PER_CHARACTER;
  if (!Array.isArray(value)) return 0;
  if (value.length > MOST_NUMBERS) return Number.POSITIVE_INFINITY;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  let bytes = value.length * BYTES_PER_ITEM;
  if (value.length <= 1000) {
    for (const item of value) {
      if (typeof item === 'string') bytes += item.length * BYTES_PER_CHARACTER;
      else if (typeof item === 'object' && item !== null) bytes += sizes.get(item) ?? 0;
    }
  }
  if (bytes >= WORTH_COUNTING) sizes.set(value, bytes);
  return bytes;
}
