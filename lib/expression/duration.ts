import { parseDuration } from '../language/duration.ts';
import type { Value } from '../language/workflow.ts';
import { expected, good, type Result } from './coerce.ts';

/** Seconds of a duration's text; where `plain` also of a number of seconds or its text. */
export function toSeconds(value: Value | undefined, key: string, plain: boolean): Result<number> {
  if (plain && typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return good(value);
  if (typeof value === 'string') {
    const seconds = plain && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : parseDuration(value);
    if (seconds !== undefined) return good(seconds);
  }
  return expected('a duration such as "1h 30m"', value, key);
}
