/** Expressions of EventBridge Scheduler, by its documentation: `cron(…)` with six fields, `rate(…)`, `at(…)`. What is not known here is an error. */
import { isZone, toInstant, toWall } from '../../../lib/expression/zone.ts';
import { zoneOffset } from '../../../lib/language/zone-offset.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Days that are searched: Feb 29 may be eight years away. */
const HORIZON = 366 * 9;

export interface Times {
  /** The first time after an instant; undefined if there is none. */
  next(after: number): number | undefined;
}

/** @param start milliseconds, from which rates are counted @throws Error for an expression that the service would refuse */
export function timesOf(expression: string, zone: string, start: number): Times {
  if (!isZone(zone) || (zone !== 'UTC' && zoneOffset(zone) !== undefined))
    throw new Error(`Invalid ScheduleExpressionTimezone ${zone}`);
  const [, kind, inner = ''] = /^(cron|rate|at)\((.*)\)$/s.exec(expression) ?? [];
  if (kind === 'cron') return cron(inner, zone);
  if (kind === 'rate') return rate(inner, start);
  const wall = Date.parse(`${inner}Z`);
  if (kind !== 'at' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(inner))
    throw new Error(`Invalid schedule expression ${expression}`);
  const instant = toInstant(zone, wall);
  return { next: (after) => (instant > after ? instant : undefined) };
}

function rate(inner: string, start: number): Times {
  const [, count, unit] = /^([1-9]\d*) (minute|hour|day)s?$/.exec(inner) ?? [];
  if (count === undefined) throw new Error(`Invalid rate(${inner})`);
  const every = Number(count) * ({ minute: MINUTE, hour: 60 * MINUTE, day: DAY }[unit ?? ''] ?? 0);
  return { next: (after) => start + Math.max(0, Math.floor((after - start) / every) + 1) * every };
}

type OfDay = (day: Date) => boolean;

function cron(inner: string, zone: string): Times {
  const fields = inner.split(' ');
  if (fields.length !== 6) throw new Error(`cron(${inner}) has ${fields.length} fields, not 6`);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) throw new Error(`cron(${inner}): one of the days must be ?`);
  const minutes = numbers(minute, 0, 59);
  const hours = numbers(hour, 0, 23);
  const months = new Set(numbers(month, 1, 12, MONTHS));
  const years = new Set(numbers(year, 1970, 2199));
  const fits = dayOfMonth === '?' ? weekday(dayOfWeek) : monthday(dayOfMonth);
  const ofDay = (day: Date) => years.has(day.getUTCFullYear()) && months.has(day.getUTCMonth() + 1) && fits(day);
  return {
    next: (after) => {
      const first = Math.floor(toWall(zone, after) / DAY) - 1;
      for (let day = first; day < first + HORIZON; day++) {
        if (!ofDay(new Date(day * DAY))) continue;
        const times = hours.flatMap((h) => minutes.map((m) => day * DAY + (h * 60 + m) * MINUTE));
        const found = times
          .map((wall) => [wall, toInstant(zone, wall)] as const)
          // A time that the clocks skip is left out; one that they show twice counts once, the first time.
          .filter(([wall, instant]) => toWall(zone, instant) === wall && instant > after)
          .map(([, instant]) => instant);
        if (found.length > 0) return Math.min(...found);
      }
      return undefined;
    },
  };
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** `*`, lists, ranges, steps. @param names of the numbers from 1 */
function numbers(field: string, min: number, max: number, names: readonly string[] = []): number[] {
  const read = (text: string): number => {
    const named = names.indexOf(text.toUpperCase());
    const value = named >= 0 ? named + 1 : /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new Error(`Invalid field ${field} of cron: ${text}`);
    return value;
  };
  const found = field.split(',').flatMap((part) => {
    const [range = '', step = '1'] = part.split('/');
    const [from, to] =
      range === '*' ? [min, max] : bounds(range.split('-').map(read), part.includes('/') ? max : undefined);
    const every = Number(step);
    if (!(every >= 1) || from > to) throw new Error(`Invalid field ${field} of cron`);
    return Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, i) => from + i * every);
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

function bounds([from = Number.NaN, to]: number[], open: number | undefined): [number, number] {
  return [from, to ?? open ?? from];
}

function monthday(field: string): OfDay {
  if (field === 'L') return (day) => new Date(day.getTime() + DAY).getUTCDate() === 1;
  const days = new Set(numbers(field, 1, 31));
  return (day) => days.has(day.getUTCDate());
}

function weekday(field: string): OfDay {
  const [, name = '', nth] = /^(\w+)#([1-5])$/.exec(field) ?? [];
  if (nth !== undefined) {
    const [wanted] = numbers(name, 1, 7, WEEKDAYS);
    return (day) => day.getUTCDay() + 1 === wanted && Math.ceil(day.getUTCDate() / 7) === Number(nth);
  }
  const days = new Set(numbers(field, 1, 7, WEEKDAYS));
  return (day) => days.has(day.getUTCDay() + 1);
}
