/**
 * The memory that one expression may take. The service counts some 10 MiB, which it does not document; measured: a sequence of 873,782
 * numbers passes and one more does not, a text of 4 Mi characters passes and one of twice that does not.
 */
export const MOST_NUMBERS = 873_782;

const BYTES = 10 * 1024 * 1024;
const BYTES_PER_ITEM = 12;
const BYTES_PER_CHARACTER = 2;
/** Below, what a value holds is not counted: most expressions make small values, and many of them. */
const WORTH_COUNTING = 64 * 1024;

/** In the form of the errors that jsonata throws, without a code. */
export function memoryExceeded(): Error {
  return new Error('Expression evaluation memory limit exceeded: Check for excessive memory usage');
}

/** Large values of an evaluation, so that one is counted once. */
const sizes = new WeakMap<object, number>();

/** @throws an error of the service's if what a part of an expression gave takes too much memory */
export function checkMemory(value: unknown): void {
  if (estimate(value) > BYTES) throw memoryExceeded();
}

/** Large texts and lists, and the large ones among the items of a list that is not large itself; an object's are counted when they are made. */
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
