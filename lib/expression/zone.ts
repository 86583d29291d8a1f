/** Time zones by Intl only, so that no date library is loaded. Times are milliseconds since the epoch. */

import { zoneOffset } from '../language/zone-offset.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

const formatters = new Map<string, Intl.DateTimeFormat | undefined>();
const offsets = new Map<string, number>();

/** Offsets change at full minutes (some at 00:01), except for local mean times before 1900. */
const BUCKET = MINUTE;
const CACHE_LIMIT = 10_000;

/** `UTC`, `Asia/Tokyo`, `+09:00`, `GMT+9`: what Java's ZoneId takes. Offsets are checked without Intl, since Node 20's refuses them. */
export function isZone(zone: string): boolean {
  return zoneOffset(zone) !== undefined || formatter(zone) !== undefined;
}

/** Milliseconds east of UTC at an instant. An unknown zone counts as UTC: lib/language has refused it before. */
export function offsetAt(zone: string, instant: number): number {
  const fixed = zoneOffset(zone);
  if (fixed !== undefined) return fixed.milliseconds;
  const bucket = Math.floor(instant / BUCKET);
  const key = `${zone} ${bucket}`;
  let offset = offsets.get(key);
  if (offset === undefined) {
    offset = computeOffset(zone, bucket * BUCKET);
    if (offsets.size >= CACHE_LIMIT) offsets.clear();
    offsets.set(key, offset);
  }
  return offset;
}

/**
 * The instant of a wall clock's time (given as `Date.UTC` of its fields). In a gap the offset before it counts (02:30 becomes 03:30). If a
 * time occurs twice, `twice` decides which is meant.
 */
export function toInstant(zone: string, wall: number, twice: 'earlier' | 'later' = 'earlier'): number {
  const before = offsetAt(zone, wall - DAY);
  const after = offsetAt(zone, wall + DAY);
  if (before === after) return wall - before;
  const earlier = wall - before;
  const later = wall - after;
  const earlierFits = offsetAt(zone, earlier) === before;
  const laterFits = offsetAt(zone, later) === after;
  if (earlierFits && laterFits) return twice === 'earlier' ? earlier : later;
  return laterFits ? later : earlier;
}

/** The wall clock's time, as `Date.UTC` of its fields. */
export function toWall(zone: string, instant: number): number {
  return instant + offsetAt(zone, instant);
}

/** `+09:00` or `+0900`; seconds of an old local mean time are cut. */
export function formatOffset(offset: number, separator: string): string {
  const minutes = Math.trunc(Math.abs(offset) / MINUTE);
  const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${hours}${separator}${String(minutes % 60).padStart(2, '0')}`;
}

function formatter(zone: string): Intl.DateTimeFormat | undefined {
  if (!formatters.has(zone)) formatters.set(zone, makeFormatter(zone));
  return formatters.get(zone);
}

function makeFormatter(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
}

/** Before this Intl counts years backwards (year 1 BC). */
const FIRST_YEAR = -62_135_596_800_000 + DAY;
const LAST = 8.64e15 - DAY;

function computeOffset(zone: string, instant: number): number {
  const format = formatter(zone);
  if (format === undefined || Number.isNaN(instant)) return 0;
  const time = Math.min(Math.max(instant, FIRST_YEAR), LAST);
  const fields: { [type: string]: number } = {};
  for (const { type, value } of format.formatToParts(time)) fields[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  const wall = new Date(0);
  wall.setUTCFullYear(year, month - 1, day);
  wall.setUTCHours(hour, minute, second);
  return wall.getTime() - Math.floor(time / 1000) * 1000;
}
