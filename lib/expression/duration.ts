import { asSeconds, parseDuration } from '../language/duration.ts';
import type { Value } from '../language/workflow.ts';
import { expected, good, type Result } from './coerce.ts';

/** Seconds of a duration's text; where `plain` also of a number of seconds or its text. */
export function toSeconds(value: Value | undefined, key: string, plain: boolean): Result<number> {
  const seconds = plain ? asSeconds(value) : typeof value === 'string' ? parseDuration(value) : undefined;
  return seconds === undefined ? expected('a duration such as "1h 30m"', value, key) : good(seconds);
}
