/**
 * `schedule:` → expressions of EventBridge Scheduler. A schedule of digdag is a cron line and a delay from the session's time to its
 * run; Scheduler gets the times of the runs. Its cron has minutes, cannot ask for a day of the month and a weekday at once, and
 * takes `L` only by itself, so one schedule may need several expressions. A run that two of them name starts once: an execution's name is
 * made from its session.
 */
import { present } from '../asl/present.ts';
import { type ScheduleSpec, scheduleWindow } from '../expression/schedule.ts';
import { isZone } from '../expression/zone.ts';
import { type CronFields as Fields, LAST_DAY, parseCron } from '../language/cron.ts';
import { zoneOffset } from '../language/zone-offset.ts';
import { type Gap, gaps } from './clock-gaps.ts';

export interface ScheduleExpression {
  /** `cron(…)`, at least one. */
  readonly expressions: readonly string[];
  /**
   * Runs at a time that a day of daylight saving leaves out, which Scheduler would skip: as much later as the clock is put forward. They
   * are due on more days than those; there they name a session that has begun already.
   */
  readonly catchUp: readonly { readonly expression: string; readonly delay: number }[];
  /** Zone in which they are read. */
  readonly timezone: string;
  /** ISO 8601 in UTC. Absent where it is past: Scheduler refuses a start that is over. */
  readonly startDate?: string;
  readonly endDate?: string;
  /** Its end is past: there is nothing to schedule. */
  readonly ended: boolean;
  /** Seconds of wall time from the session's time to its run. */
  readonly delay: number;
}

/** Why Scheduler cannot do it, and the way out. */
export interface ScheduleFault {
  readonly fault: string;
  readonly note: string;
}

/** Minutes of a day at which it runs, and how many days after the day that the other fields name. */
interface Times {
  readonly days: number;
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
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
  const offset = zoneOffset(timezone);
  if (offset === undefined) return inZone(spec, timezone, now, { zone: timezone, shift: 0 });
  const inUtc = inZone(spec, timezone, now, { zone: 'UTC', shift: -offset.milliseconds / MINUTE });
  if (!('fault' in inUtc)) return inUtc;
  // What moves beyond the end of a month can only be said in the zone itself, and full hours have names.
  const hours = offset.milliseconds / HOUR;
  const named = `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
  if (Number.isInteger(hours) && hours !== 0 && isZone(named)) {
    return inZone(spec, timezone, now, { zone: named, shift: 0 });
  }
  return inUtc;
}

/** Where Scheduler, which knows no offsets, reads the expressions, and minutes from the workflow's wall time to that there. */
interface Place {
  readonly zone: string;
  readonly shift: number;
}

function inZone(spec: ScheduleSpec, timezone: string, now: number, place: Place): ScheduleExpression | ScheduleFault {
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
  // Every minute is every minute in any zone, also in an hour that a day has twice.
  const isElsewhere = normal.timezone === timezone && !pattern.alternatives.some(isEveryMinute);
  const { zone, shift } = isElsewhere ? place : { zone: 'UTC', shift: 0 };
  if (!Number.isInteger(shift)) {
    return {
      fault: `EventBridge Scheduler does not know the zone ${timezone}`,
      note: 'Name a place, such as Asia/Kolkata.',
    };
  }
  const expressions: string[] = [];
  const catchUp = new Map<string, number>();
  for (const fields of pattern.alternatives) {
    const delay = normal.delay / 60;
    for (const times of shiftedTimes(fields, delay + shift)) {
      const written = write(fields, times);
      if ('fault' in written) return written;
      expressions.push(...written.expressions);
    }
    for (const { minutes, expression } of caughtUp(fields, delay, gaps(zone, now))) {
      catchUp.set(expression, normal.delay + minutes * 60);
    }
  }
  return {
    expressions: [...new Set(expressions)],
    catchUp: [...catchUp].map(([expression, delay]) => ({ expression, delay })),
    timezone: zone,
    delay: normal.delay,
    ...dates(spec, timezone, normal.delay, now),
  };
}

function isEveryMinute({ minutes, hours, days, months, weekdays }: Fields): boolean {
  return minutes.size === 60 && hours.size === 24 && days.size >= 31 && months.size === 12 && weekdays.size === 7;
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

/** The times of day after the delay, by the day they have moved to; hours with the same minutes are grouped. */
function shiftedTimes(fields: Fields, delay: number): Times[] {
  return grouped(fields, runMinutes(fields, delay));
}

/** Minutes from the beginning of the day that the fields name to the runs. */
function runMinutes({ hours, minutes }: Fields, delay: number): number[] {
  return [...hours].flatMap((hour) => [...minutes].map((minute) => hour * 60 + minute + delay));
}

function isEveryDay({ days, months, weekdays }: Fields): boolean {
  return days.size >= 31 && months.size === 12 && weekdays.size === 7;
}

function grouped(fields: Fields, totals: readonly number[]): Times[] {
  const found = new Map<string, { days: number; hour: number; minutes: Set<number> }>();
  for (const total of totals) {
    const later = isEveryDay(fields) ? 0 : Math.floor(total / DAY_MINUTES);
    const at = Math.floor(modulo(total, DAY_MINUTES) / 60);
    const slot = found.get(`${later} ${at}`) ?? { days: later, hour: at, minutes: new Set() };
    slot.minutes.add(modulo(total, 60));
    found.set(`${later} ${at}`, slot);
  }
  const byMinutes = new Map<string, Times & { hours: number[] }>();
  for (const slot of found.values()) {
    const sorted = [...slot.minutes].sort((a, b) => a - b);
    const key = `${slot.days} ${sorted}`;
    const times = byMinutes.get(key) ?? { days: slot.days, hours: [], minutes: sorted };
    times.hours.push(slot.hour);
    byMinutes.set(key, times);
  }
  return [...byMinutes.values()];
}

/** Runs whose time of day does not exist on some day to come, put off by the `minutes` that the clock is put forward. */
function caughtUp(
  fields: Fields,
  delay: number,
  ahead: readonly Gap[],
): { readonly minutes: number; readonly expression: string }[] {
  const totals = new Set(runMinutes(fields, delay));
  const lost = new Map<number, { totals: Set<number>; months: Set<number>; weekdays: Set<number> }>();
  for (const { from, minutes } of ahead) {
    const start = Math.floor(from / MINUTE) % DAY_MINUTES;
    const isIn = (minute: number) => (minute - start + DAY_MINUTES) % DAY_MINUTES < minutes;
    for (const total of totals) {
      const day = new Date(from - Math.floor(total / DAY_MINUTES) * DAY);
      if (!isIn(total % DAY_MINUTES) || !isDay(fields, day)) continue;
      // A session that begins in the gap is the one that begins so much later, if the schedule has that too.
      if (delay < minutes && isIn((total - delay) % DAY_MINUTES) && totals.has(total + minutes)) continue;
      const at = lost.get(minutes) ?? { totals: new Set(), months: new Set(), weekdays: new Set() };
      at.totals.add(total);
      const named = isEveryDay(fields) ? new Date(from) : day;
      at.months.add(named.getUTCMonth() + 1);
      at.weekdays.add(named.getUTCDay());
      lost.set(minutes, at);
    }
  }
  return [...lost].flatMap(([minutes, { totals: late, months, weekdays }]) =>
    grouped(
      fields,
      [...late].map((total) => total + minutes),
    ).flatMap((times) => {
      // A month can be named where no day moves into the next; a weekday where no day of the month is asked for.
      const narrow = times.days === 0 && fields.days.size >= 31;
      const written = write({ ...fields, ...(times.days === 0 && { months }), ...(narrow && { weekdays }) }, times);
      return 'fault' in written ? [] : written.expressions.map((expression) => ({ minutes, expression }));
    }),
  );
}

function isDay({ days, months, weekdays }: Fields, day: Date): boolean {
  const last = new Date(day.getTime() + DAY).getUTCDate() === 1;
  return (
    months.has(day.getUTCMonth() + 1) &&
    weekdays.has(day.getUTCDay()) &&
    (days.has(day.getUTCDate()) || (last && days.has(LAST_DAY)))
  );
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
  if (later !== 0 && months.size < 12 && eachDay) return beyond(later);
  if (eachDay) {
    const names = [...weekdays].map((day) => modulo(day + later, 7)).sort((a, b) => a - b);
    const week = eachWeekday ? '?' : names.map((day) => WEEKDAYS[day]).join(',');
    return { expressions: [`cron(${time} ${eachWeekday ? '*' : '?'} ${list([...months], 1, 12)} ${week} *)`] };
  }
  if (later < 0) return earlier(fields, time, later);
  const plain = [...days].filter((day) => day !== LAST_DAY).map((day) => day + later);
  const last = days.has(LAST_DAY);
  if (later > 0 && (plain.some((day) => day > SAFE_DAYS) || later > SAFE_DAYS)) return beyond(later);
  const expressions: string[] = [];
  if (plain.length > 0) expressions.push(`cron(${time} ${list(plain, 1, 31)} ${list([...months], 1, 12)} ? *)`);
  // N days after the last day of a month is day N of the next.
  const next = [...months].map((month) => (month % 12) + 1);
  if (last && later === 0) expressions.push(`cron(${time} L ${list([...months], 1, 12)} ? *)`);
  if (last && later > 0) expressions.push(`cron(${time} ${later} ${list(next, 1, 12)} ? *)`);
  return { expressions };
}

/** Days of the month that a zone east of UTC moves back. A day that not every month has is asked for only where it is. */
function earlier(
  { days, months }: Fields,
  time: string,
  back: number,
): { readonly expressions: readonly string[] } | ScheduleFault {
  const byMonths = new Map<string, number[]>();
  const expressions: string[] = [];
  for (const day of [...days].sort((a, b) => a - b)) {
    const moved = day + back;
    if (day === LAST_DAY || moved < 0) return beyond(back);
    if (moved === 0) {
      const before = [...months].map((month) => ((month + 10) % 12) + 1);
      expressions.push(`cron(${time} L ${list(before, 1, 12)} ? *)`);
      continue;
    }
    const having = [...months].filter((month) => day <= (MONTH_DAYS[month - 1] ?? 0));
    // The 28th of leap years only cannot be said.
    if (day === 29 && months.has(2)) return beyond(back);
    if (having.length === 0) continue;
    const key = list(having, 1, 12);
    byMonths.set(key, [...(byMonths.get(key) ?? []), moved]);
  }
  for (const [each, moved] of byMonths) expressions.push(`cron(${time} ${list(moved, 1, 31)} ${each} ? *)`);
  return { expressions };
}

/** Of February those of a common year. */
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function beyond(later: number): ScheduleFault {
  if (later < 0) {
    return {
      fault:
        'In UTC the run is a day earlier, beyond the beginning of a month, which EventBridge Scheduler cannot express',
      note: 'Name a place as the time zone, such as Asia/Kolkata, instead of an offset.',
    };
  }
  return {
    fault: `The delay moves the run ${later === 1 ? 'a day' : `${later} days`} on, beyond the end of a month, which EventBridge Scheduler cannot express`,
    note: 'Take a delay that stays within the day, or another day; with an offset as the time zone, name a place instead.',
  };
}

function modulo(number: number, by: number): number {
  return ((number % by) + by) % by;
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
  spec: ScheduleSpec,
  timezone: string,
  delay: number,
  now: number,
): Pick<ScheduleExpression, 'startDate' | 'endDate' | 'ended'> {
  const { from, until } = scheduleWindow(spec, timezone, delay);
  const last = until === undefined ? undefined : until - 1000;
  const ended = last !== undefined && last <= now;
  return {
    // Whether a run at the very start counts is not documented; `session` skips what is too early.
    ...present({
      startDate: from !== undefined && from - MINUTE > now ? new Date(from - MINUTE).toISOString() : undefined,
      endDate: last !== undefined && !ended ? new Date(last).toISOString() : undefined,
    }),
    ended,
  };
}
