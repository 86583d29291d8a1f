/**
 * Whether this is the slow run, in which files of `slow` folders repeat a test with all of its cases. The quick run has a part of them: one
 * for each thing that a user could see break.
 */
export const THOROUGH = process.env.TROWEL_THOROUGH === '1';

/** All cases in the slow run, the first ones in the quick run. */
export function first<T>(count: number, cases: readonly T[]): readonly T[] {
  return THOROUGH ? cases : cases.slice(0, count);
}
