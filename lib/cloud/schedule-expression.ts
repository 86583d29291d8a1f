/**
 * `schedule:` → expressions of EventBridge Scheduler. A schedule of digdag is a cron line and a delay from the session's time to its
 * run; Scheduler is told the times of the runs. Its cron has minutes, cannot ask for a day of the month and a weekday at once, and
 * takes `L` only alone, so one schedule may need several expressions. A run that two of them name starts once: an execution's name is
 * made from its session.
 */

import type { ScheduleSpec } from '../expression/schedule.ts';
import { toInstant } from '../expression/zone.ts';
import { type CronPattern, parseCron } from '../language/cron.ts';

export interface ScheduleExpression {
  /** `cron(…)`, at least one. */
  readonly expressions: readonly string[];
  /** Zone in which they are read. */
  readonly timezone: string;
  /** ISO 8601 in UTC. Absent where it is past: Scheduler refuses a start that is over. */
  readonly startDate?: string;
  readonly endDate?: string;
  /** Its end is past: nothing is to be scheduled. */
  readonly ended: boolean;
  /** Seconds of wall time from the session's time to its run. */
  readonly delay: number;
}

/** Why Scheduler cannot do it, and the way out. */
export interface ScheduleFault {
  readonly fault: string;
  readonly note: string;
}

type Fields = CronPattern['alternatives'][number];

/** Minutes of a day at which it runs, so many days after the day that the other fields name. */
interface Times {
  readonly days: number;
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
}

const LAST_DAY = 32;
const DAY = 86_400_000;
const DAY_MINUTES = 1440;
/** The shortest month: what is moved beyond its last day would need to know the month. */
const SAFE_DAYS = 28;
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** @param now milliseconds, when the schedule is deployed */
export function scheduleExpression(
  spec: ScheduleSpec,
  timezone: string,
  now: number,
): ScheduleExpression | ScheduleFault {
  const normal = normalise(spec, timezone);
  if ('fault' in normal) return normal;
  if (normal.delay % 60 !== 0) {
    return {
      fault: 'EventBridge Scheduler starts at full minutes',
      note: `Leave out the ${normal.delay % 60} seconds.`,
    };
  }
  const pattern = parseCron(normal.line);
  if (typeof pattern === 'string') return { fault: pattern, note: 'Correct the schedule.' };
  const expressions: string[] = [];
  for (const fields of pattern.alternatives) {
    for (const times of shiftedTimes(fields, normal.delay / 60)) {
      const written = write(fields, times);
      if ('fault' in written) return written;
      expressions.push(...written.expressions);
    }
  }
  return {
    expressions: [...new Set(expressions)],
    timezone: normal.timezone,
    delay: normal.delay,
    ...(spec.kind === 'seconds_interval' ? { ended: false } : dates(spec, timezone, now)),
  };
}

interface Normal {
  readonly line: string;
  readonly timezone: string;
  /** Seconds. */
  readonly delay: number;
}

/** Every kind as a cron line and a delay, as digdag has it. */
function normalise(spec: ScheduleSpec, timezone: string): Normal | ScheduleFault {
  const { kind, at } = spec;
  const comma = at.indexOf(',');
  const day = at.slice(0, comma).trim();
  const seconds = (text: string) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  switch (kind) {
    case 'hourly':
      return { line: '0 * * * *', timezone, delay: seconds(at) };
    case 'daily':
      return { line: '0 0 * * *', timezone, delay: seconds(at) };
    case 'weekly':
      return { line: `0 0 * * ${day}`, timezone, delay: seconds(at.slice(comma + 1).trim()) };
    case 'monthly':
      return { line: `0 0 ${day} * *`, timezone, delay: seconds(at.slice(comma + 1).trim()) };
    case 'minutes_interval':
      return { line: `*/${at} * * * *`, timezone, delay: spec.delay };
    case 'seconds_interval':
      return everySeconds(Number(at), spec.delay);
    case 'cron':
      return { line: at, timezone, delay: spec.delay };
  }
}

/** Counted from 1970 in UTC, so cron can say it only where the interval divides an hour or a day. */
function everySeconds(interval: number, delay: number): Normal | ScheduleFault {
  const minutes = interval / 60;
  const timezone = 'UTC';
  if (minutes < 60 && 60 % minutes === 0 && Number.isInteger(minutes))
    return { line: `*/${minutes} * * * *`, timezone, delay };
  if (minutes <= DAY_MINUTES && minutes % 60 === 0 && DAY_MINUTES % minutes === 0)
    return { line: `0 */${minutes / 60} * * *`, timezone, delay };
  return {
    fault: `EventBridge Scheduler cannot start every ${interval} seconds: it knows minutes, and an interval that divides an hour or a day`,
    note: 'Take 60, 120, 300, 600, 900, 1800, 3600, or use minutes_interval> or cron>.',
  };
}

/** The times of day after the delay, by the day they have moved to; hours with the same minutes stand together. */
function shiftedTimes({ hours, minutes, days, months, weekdays }: Fields, delay: number): Times[] {
  const everyDay = days.size >= 31 && months.size === 12 && weekdays.size === 7;
  const found = new Map<string, { days: number; hour: number; minutes: Set<number> }>();
  for (const hour of hours) {
    for (const minute of minutes) {
      const total = hour * 60 + minute + delay;
      const later = everyDay ? 0 : Math.floor(total / DAY_MINUTES);
      const at = Math.floor((total % DAY_MINUTES) / 60);
      const slot = found.get(`${later} ${at}`) ?? { days: later, hour: at, minutes: new Set() };
      slot.minutes.add(total % 60);
      found.set(`${later} ${at}`, slot);
    }
  }
  const grouped = new Map<string, Times & { hours: number[] }>();
  for (const slot of found.values()) {
    const sorted = [...slot.minutes].sort((a, b) => a - b);
    const key = `${slot.days} ${sorted}`;
    const times = grouped.get(key) ?? { days: slot.days, hours: [], minutes: sorted };
    times.hours.push(slot.hour);
    grouped.set(key, times);
  }
  return [...grouped.values()];
}

function write(fields: Fields, times: Times): { readonly expressions: readonly string[] } | ScheduleFault {
  const { days, months, weekdays } = fields;
  const eachDay = [...days].filter((day) => day !== LAST_DAY).length === 31;
  const eachWeekday = weekdays.size === 7;
  const later = times.days;
  const time = `${list(times.minutes, 0, 59)} ${list(times.hours, 0, 23)}`;
  if (!eachDay && !eachWeekday) {
    return {
      fault: 'EventBridge Scheduler takes a day of the month or a day of the week, not both',
      note: 'Schedule by one of them, and ask for the other in the workflow with if>.',
    };
  }
  if (later > 0 && months.size < 12 && eachDay) return beyond(later);
  if (eachDay) {
    const names = [...weekdays].map((day) => (day + later) % 7).sort((a, b) => a - b);
    const week = eachWeekday ? '?' : names.map((day) => WEEKDAYS[day]).join(',');
    return { expressions: [`cron(${time} ${eachWeekday ? '*' : '?'} ${list([...months], 1, 12)} ${week} *)`] };
  }
  const plain = [...days].filter((day) => day !== LAST_DAY).map((day) => day + later);
  const last = days.has(LAST_DAY);
  if (later > 0 && (plain.some((day) => day > SAFE_DAYS) || later > SAFE_DAYS)) return beyond(later);
  const expressions: string[] = [];
  if (plain.length > 0) expressions.push(`cron(${time} ${list(plain, 1, 31)} ${list([...months], 1, 12)} ? *)`);
  // So many days after a month's last day are so many into the next.
  const next = [...months].map((month) => (month % 12) + 1);
  if (last && later === 0) expressions.push(`cron(${time} L ${list([...months], 1, 12)} ? *)`);
  if (last && later > 0) expressions.push(`cron(${time} ${later} ${list(next, 1, 12)} ? *)`);
  return { expressions };
}

function beyond(later: number): ScheduleFault {
  return {
    fault: `The delay moves the run ${later === 1 ? 'a day' : `${later} days`} on, beyond the end of a month, which EventBridge Scheduler cannot express`,
    note: 'Take a delay that stays within the day, or another day.',
  };
}

/** `*`, or numbers with ranges: `0-5,30`. */
function list(numbers: readonly number[], min: number, max: number): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  if (sorted.length === max - min + 1) return '*';
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end += 1;
    parts.push(end - i >= 2 ? `${sorted[i]}-${sorted[end]}` : sorted.slice(i, end + 1).join(','));
    i = end + 1;
  }
  return parts.join(',');
}

function dates(
  { start, end }: ScheduleSpec,
  timezone: string,
  now: number,
): Pick<ScheduleExpression, 'startDate' | 'endDate' | 'ended'> {
  const midnight = (text: string, plus: number) => toInstant(timezone, Date.parse(`${text}T00:00:00Z`) + plus);
  const from = start === undefined ? undefined : midnight(start, 0);
  const until = end === undefined ? undefined : midnight(end, DAY) - 1000;
  const ended = until !== undefined && until <= now;
  return {
    ...(from !== undefined && from > now && { startDate: new Date(from).toISOString() }),
    ...(until !== undefined && !ended && { endDate: new Date(until).toISOString() }),
    ended,
  };
}
