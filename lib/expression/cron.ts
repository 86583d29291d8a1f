/** When a cron line matches: cron4j's rules where clocks change. */
import { type CronFields, type CronPattern, LAST_DAY } from '../language/cron.ts';
import { toInstant, toWall } from './zone.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** A pattern that does not match within so many days never matches (Feb 29 on a given weekday may take 40 years). */
const SEARCH_DAYS = 366 * 60;

/**
 * The first match after an instant (minutes, in the zone's wall time), or undefined if there is none. Where clocks change, cron4j's rules
 * apply: a time in the gap runs when the gap ends; if a time occurs twice, the later one counts, except that a match exactly one minute
 * after `after` always counts.
 */
export function nextMatch({ alternatives }: CronPattern, zone: string, after: number): number | undefined {
  const start = Math.floor(after / MINUTE) * MINUTE + MINUTE;
  const wall = toWall(zone, start);
  if (alternatives.some((fields) => matchesMinute(fields, wall))) return start;
  const times = alternatives.map((fields) => search(fields, zone, wall)).filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

function matchesMinute(fields: CronFields, wall: number): boolean {
  const time = new Date(wall);
  return fields.minutes.has(time.getUTCMinutes()) && fields.hours.has(time.getUTCHours()) && matchesDay(fields, time);
}

function matchesDay({ days, months, weekdays }: CronFields, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1) || !weekdays.has(day.getUTCDay())) return false;
  return days.has(day.getUTCDate()) || (days.has(LAST_DAY) && new Date(day.getTime() + DAY).getUTCDate() === 1);
}

function search(fields: CronFields, zone: string, from: number): number | undefined {
  const times = [...fields.hours]
    .flatMap((hour) => [...fields.minutes].map((minute) => (hour * 60 + minute) * MINUTE))
    .sort((a, b) => a - b);
  let wall = from;
  for (let days = 0; days < SEARCH_DAYS; days++) {
    const day = Math.floor(wall / DAY) * DAY;
    const time = matchesDay(fields, new Date(day)) ? times.find((offset) => day + offset >= wall) : undefined;
    wall = day + DAY;
    if (time === undefined) continue;
    const instant = toInstant(zone, day + time, 'later');
    const shown = toWall(zone, instant);
    if (Math.floor(shown / DAY) * DAY === day) return instant;
    // The gap swallowed the rest of the day: go on where it ends.
    wall = shown;
  }
  return undefined;
}
