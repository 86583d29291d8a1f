import { toInstant, toWall } from './zone.ts';

/**
 * Cron lines as cron4j reads them, which digdag uses: `minute hour day month weekday`, names of months and weekdays, `L` for the
 * last day of a month, lists, ranges that may wrap, steps, and alternatives separated by `|`. Day and weekday must both match.
 */
export interface CronPattern {
  readonly alternatives: readonly Fields[];
}

interface Fields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
}

const MINUTE = 60_000;
const DAY = 86_400_000;
/** A pattern that has not matched for so many days (Feb 29 on a weekday may take 40 years) never does. */
const SEARCH_DAYS = 366 * 60;
const LAST_DAY = 32;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface FieldRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly read: (text: string) => number | undefined;
}

const numeric = (text: string) => (/^\d+$/.test(text) ? Number(text) : undefined);
const named = (names: readonly string[], first: number) => (text: string) => {
  const index = names.indexOf(text.toLowerCase());
  return index === -1 ? numeric(text) : index + first;
};

const RANGES: readonly FieldRange[] = [
  { name: 'minutes', min: 0, max: 59, read: numeric },
  { name: 'hours', min: 0, max: 23, read: numeric },
  { name: 'days of month', min: 1, max: 31, read: (text) => (text.toUpperCase() === 'L' ? LAST_DAY : numeric(text)) },
  { name: 'months', min: 1, max: 12, read: named(MONTHS, 1) },
  { name: 'days of week', min: 0, max: 7, read: named(WEEKDAYS, 0) },
];

/** Returns a message where the line is no pattern. */
export function parseCron(text: string): CronPattern | string {
  const alternatives: Fields[] = [];
  for (const line of text.split('|').filter((part) => part !== '')) {
    const fields = line.split(/[ \t]+/).filter((part) => part !== '');
    if (fields.length !== 5) return `invalid pattern: "${line}" (5 fields are needed: minute hour day month weekday)`;
    const sets: ReadonlySet<number>[] = [];
    for (const [index, range] of RANGES.entries()) {
      const values = parseField(fields[index] ?? '', range);
      if (typeof values === 'string') return `invalid pattern "${line}". Error parsing ${range.name} field: ${values}`;
      sets.push(values);
    }
    const [minutes, hours, days, months, weekdays] = sets as [
      Set<number>,
      Set<number>,
      Set<number>,
      Set<number>,
      Set<number>,
    ];
    if (weekdays.delete(7)) weekdays.add(0);
    alternatives.push({ minutes, hours, days, months, weekdays });
  }
  return alternatives.length === 0 ? `invalid pattern: "${text}"` : { alternatives };
}

function parseField(field: string, range: FieldRange): Set<number> | string {
  const values = new Set<number>();
  for (const element of field.split(',').filter((part) => part !== '')) {
    const [span = '', step, ...more] = element.split('/');
    const stepValue = step === undefined ? 1 : (numeric(step) ?? 0);
    const list = parseSpan(span, range);
    if (more.length > 0 || stepValue < 1 || typeof list === 'string') {
      return `invalid element "${element}"${typeof list === 'string' ? `, ${list}` : ''}`;
    }
    for (let i = 0; i < list.length; i += stepValue) values.add(list[i] as number);
  }
  return values.size === 0 ? `invalid field "${field}"` : values;
}

function parseSpan(span: string, { min, max, read }: FieldRange): number[] | string {
  const sequence = (from: number, to: number) => Array.from({ length: Math.max(to - from + 1, 0) }, (_, i) => from + i);
  if (span === '*') return sequence(min, max);
  const bounds: number[] = [];
  for (const text of span.split('-')) {
    const value = read(text);
    if (value === undefined) return `invalid value "${text}"`;
    if (/\d/.test(text) && (value < min || value > max)) return `value ${value} is not between ${min} and ${max}`;
    bounds.push(value);
  }
  const [from = 0, to = from, ...more] = bounds;
  if (more.length > 0) return 'syntax error';
  return from <= to ? sequence(from, to) : [...sequence(from, max), ...sequence(min, to)];
}

/**
 * The first match after an instant (minutes, in the zone's wall time), or undefined if there is none. Where clocks change it is
 * cron4j's: a time in the gap runs when the gap ends, of a time that occurs twice the later one counts, except that a match
 * exactly one minute after `after` always counts.
 */
export function nextMatch({ alternatives }: CronPattern, zone: string, after: number): number | undefined {
  const start = Math.floor(after / MINUTE) * MINUTE + MINUTE;
  const wall = toWall(zone, start);
  if (alternatives.some((fields) => matchesMinute(fields, wall))) return start;
  const times = alternatives.map((fields) => search(fields, zone, wall)).filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

function matchesMinute(fields: Fields, wall: number): boolean {
  const time = new Date(wall);
  return fields.minutes.has(time.getUTCMinutes()) && fields.hours.has(time.getUTCHours()) && matchesDay(fields, time);
}

function matchesDay({ days, months, weekdays }: Fields, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1) || !weekdays.has(day.getUTCDay())) return false;
  return days.has(day.getUTCDate()) || (days.has(LAST_DAY) && new Date(day.getTime() + DAY).getUTCDate() === 1);
}

function search(fields: Fields, zone: string, from: number): number | undefined {
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
