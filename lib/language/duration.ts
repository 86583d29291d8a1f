/**
 * One rule for both languages: trowel_task/subtasks/subtasks.py follows it too, and test/conformance/durations.json has the cases. White
 * space and digits are those of ASCII, as in Java.
 */
const SPACE = String.raw`[ \t-\r]*`;
const part = (unit: string) => `(?:(\\d{1,9})${SPACE}[${unit}])?${SPACE}`;

/** digdag's Durations.PATTERN: days, hours, minutes, seconds in this order, each at most once, and at least one of them. */
export const DURATION = `^${SPACE}(?=\\d)${part('dD')}${part('hH')}${part('mM')}${part('sS')}$`;
export const WHOLE_SECONDS = `^${SPACE}\\d{1,9}${SPACE}$`;

const DURATION_PATTERN = new RegExp(DURATION);
const WHOLE_SECONDS_PATTERN = new RegExp(WHOLE_SECONDS);
/** Characters. */
const LONGEST = 64;

/** Seconds of `1d 2h 3m 4s`, or undefined. */
export function parseDuration(text: string): number | undefined {
  const match = text.length <= LONGEST ? DURATION_PATTERN.exec(text) : null;
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((count = '0') => Number(count));
  return days * 86_400 + hours * 3600 + minutes * 60 + seconds;
}

/** Seconds of a plain whole number (`30`, `"30"`) or of a duration: the States Language knows no parts of a second. */
export function asSeconds(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  return value.length <= LONGEST && WHOLE_SECONDS_PATTERN.test(value) ? Number(value) : parseDuration(value);
}
