/** digdag's Durations.PATTERN: days, hours, minutes, seconds in this order, each at most once. */
const DURATION = /^\s*(?:(\d{1,9})\s*d)?\s*(?:(\d{1,9})\s*h)?\s*(?:(\d{1,9})\s*m)?\s*(?:(\d{1,9})\s*s)?\s*$/i;

/** Seconds of `1d 2h 3m 4s`, or undefined. */
export function parseDuration(text: string): number | undefined {
  const match = text.length <= 64 ? DURATION.exec(text) : null;
  const [days, hours, minutes, seconds] = match?.slice(1) ?? [];
  if (!(days ?? hours ?? minutes ?? seconds)) return undefined;
  return Number(days ?? 0) * 86_400 + Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}

/** Seconds of a plain whole number (`30`, `"30"`) or of a duration: the States Language knows no parts of a second. */
export function asSeconds(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  return /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : parseDuration(value);
}
