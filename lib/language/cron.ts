/**
 * Cron lines as cron4j reads them, which digdag uses: `minute hour day month weekday`, names of months and weekdays, `L` for the
 * last day of a month, lists, ranges that may wrap, steps, and alternatives separated by `|`. Day and weekday must both match.
 */
export interface CronPattern {
  readonly alternatives: readonly CronFields[];
}

export interface CronFields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  /** 1 to 31, and LAST_DAY. */
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 (Sunday) to 6. */
  readonly weekdays: ReadonlySet<number>;
}

/** In `days`, stands for the last day of the month. */
export const LAST_DAY = 32;

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE: Field = { name: 'minute', min: 0, max: 59 };
const HOUR: Field = { name: 'hour', min: 0, max: 23 };
const DAY: Field = { name: 'day of the month', min: 1, max: 31 };
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS };
const WEEKDAY: Field = { name: 'day of the week', min: 0, max: 7, names: WEEKDAYS };

/** Returns a message if the line is no pattern. */
export function parseCron(text: string): CronPattern | string {
  const alternatives: CronFields[] = [];
  for (const line of text.split('|')) {
    const parts = line.split(/[ \t]+/).filter((part) => part !== '');
    if (parts.length !== 5) return `it has ${parts.length} fields; five are wanted: minute hour day month weekday`;
    const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
    const minutes = parseField(minute, MINUTE);
    const hours = parseField(hour, HOUR);
    const days = parseField(day, DAY);
    const months = parseField(month, MONTH);
    const weekdays = parseField(weekday, WEEKDAY);
    for (const fault of [minutes, hours, days, months, weekdays]) if (typeof fault === 'string') return fault;
    alternatives.push({ minutes, hours, days, months, weekdays } as CronFields);
  }
  return { alternatives };
}

/** What is wrong with a cron line, or undefined. */
export function cronFault(line: string): string | undefined {
  const parsed = parseCron(line);
  return typeof parsed === 'string' ? parsed : undefined;
}

/** The day of `weekly>: Day,…`: a cron day-of-week field. */
export function weekdayFault(text: string): string | undefined {
  const parsed = parseField(text, WEEKDAY);
  return typeof parsed === 'string' ? parsed : undefined;
}

function parseField(text: string, field: Field): ReadonlySet<number> | string {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step = '1', more] = part.split('/');
    if (more !== undefined || !/^\d+$/.test(step) || Number(step) < 1)
      return `'${part}' is no step for the ${field.name}`;
    const list = parseRange(range, field);
    if (list === undefined) {
      return `'${part}' is no ${field.name} (${field.min}-${field.max}${field.names ? ` or ${field.names[0]}…` : ''})`;
    }
    for (let i = 0; i < list.length; i += Number(step)) values.add(list[i] ?? 0);
  }
  // Sunday is 0 and 7.
  if (field === WEEKDAY && values.delete(7)) values.add(0);
  return values;
}

function parseRange(text: string, field: Field): readonly number[] | undefined {
  const sequence = (from: number, to: number) => Array.from({ length: Math.max(to - from + 1, 0) }, (_, i) => from + i);
  if (text === '*') return sequence(field.min, field.max);
  const bounds = text.split('-').map((bound) => numberOf(bound, field));
  const [from, to = from, ...more] = bounds;
  if (from === undefined || to === undefined || more.length > 0 || bounds.includes(undefined)) return undefined;
  return from <= to ? sequence(from, to) : [...sequence(from, field.max), ...sequence(field.min, to)];
}

function numberOf(text: string, field: Field): number | undefined {
  if (field === DAY && text.toUpperCase() === 'L') return LAST_DAY;
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + field.min;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= field.min && number <= field.max ? number : undefined;
}
