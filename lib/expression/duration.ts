import type { Value } from '../language/workflow.ts';
import { expected, good, type Result } from './coerce.ts';

const DURATION = /^\s*(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?\s*(?:(\d+)\s*s)?\s*$/i;

/** Seconds of `1d 2h 3m 4s` (any of them, in this order), or undefined. */
export function parseDuration(text: string): number | undefined {
  const fields = DURATION.exec(text)?.slice(1);
  if (fields === undefined || fields.every((field) => field === undefined)) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = fields.map((field) => Number(field ?? 0));
  const total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  return Number.isSafeInteger(total) ? total : undefined;
}

/** Seconds of a duration's text; where `plain` also of a number of seconds or its text. */
export function toSeconds(value: Value | undefined, key: string, plain: boolean): Result<number> {
  if (plain && typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return good(value);
  if (typeof value === 'string') {
    const seconds = plain && /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : parseDuration(value);
    if (seconds !== undefined) return good(seconds);
  }
  return expected('a duration such as "1h 30m"', value, key);
}
