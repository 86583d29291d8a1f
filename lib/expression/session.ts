/** The variables of a session (digdag-core RuntimeParams, AttemptBuilder) and the values of `--session`. */
import { present } from '../asl/present.ts';
import type { Mapping } from '../language/workflow.ts';
import { makeScheduler, type ScheduleSpec } from './schedule.ts';
import { formatOffset, offsetAt, toInstant, toWall } from './zone.ts';

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

export interface SessionRequest {
  readonly timezone: string;
  /** Milliseconds since the epoch. */
  readonly sessionTime: number;
  readonly schedule?: ScheduleSpec;
  /** Session parameters: without a schedule, digdag takes last_session_time, next_session_time and last_executed_session_time from them. */
  readonly params?: Mapping;
  readonly ids: {
    readonly session_uuid: string;
    readonly session_id: number;
    readonly project_id: number;
    readonly attempt_id: number;
    readonly retry_attempt_name?: string;
  };
}

/** The type of each built-in variable at compile time, without those that only sometimes exist (last_session_*). */
export const BUILTIN_TYPES: { readonly [name: string]: 'string' | 'integer' } = {
  timezone: 'string',
  session_uuid: 'string',
  session_time: 'string',
  session_id: 'integer',
  session_date: 'string',
  session_date_compact: 'string',
  session_local_time: 'string',
  session_tz_offset: 'string',
  session_unixtime: 'integer',
  project_id: 'integer',
  attempt_id: 'integer',
  task_name: 'string',
};

/** Names that a built-in may define, the ones above included: no warning for an undefined variable. */
export function builtinNames(hasSchedule: boolean): string[] {
  const suffixes = ['time', 'date', 'date_compact', 'local_time', 'tz_offset', 'unixtime'];
  const prefixes = ['last_executed_session', ...(hasSchedule ? ['last_session', 'next_session'] : [])];
  return [
    ...Object.keys(BUILTIN_TYPES),
    ...prefixes.flatMap((prefix) => suffixes.map((suffix) => `${prefix}_${suffix}`)),
  ];
}

/** All built-in variables but task_name, in digdag's order. Throws an Error for a schedule that lib/language would refuse. */
export function sessionVariables({ timezone, sessionTime, schedule, params = {}, ids }: SessionRequest): Mapping {
  const given = (name: string) => parseFormatted(params[name]);
  let last = given('last_session_time');
  let next = given('next_session_time');
  if (schedule !== undefined) {
    const scheduler = makeScheduler(schedule, timezone);
    if (typeof scheduler === 'string') throw new Error(scheduler);
    last = scheduler.last(sessionTime).time;
    next = scheduler.next(sessionTime).time;
  }
  const { session_time, ...session } = timeVariables('session_', sessionTime, timezone);
  return {
    timezone,
    session_uuid: ids.session_uuid,
    session_time: session_time ?? '',
    session_id: ids.session_id,
    ...session,
    ...(last && timeVariables('last_session_', last, timezone)),
    ...timeVariables('last_executed_session_', given('last_executed_session_time'), timezone),
    ...(next && timeVariables('next_session_', next, timezone)),
    project_id: ids.project_id,
    ...present({ retry_attempt_name: ids.retry_attempt_name }),
    attempt_id: ids.attempt_id,
  };
}

/** `2016-01-30T00:00:00-08:00`, digdag's form of a session time. */
export function formatSessionTime(instant: number, timezone: string): string {
  const wall = new Date(toWall(timezone, instant)).toISOString().slice(0, 19);
  return `${wall}${formatOffset(offsetAt(timezone, instant), ':')}`;
}

/** Without an instant all are empty texts, except the zone's offset, which is that of 1970 (as in digdag). */
function timeVariables(prefix: string, instant: number | undefined, timezone: string): Mapping {
  const wall = instant === undefined ? '' : new Date(toWall(timezone, instant)).toISOString();
  const date = wall.slice(0, 10);
  return {
    [`${prefix}time`]: instant === undefined ? '' : formatSessionTime(instant, timezone),
    [`${prefix}date`]: date,
    [`${prefix}date_compact`]: date.replaceAll('-', ''),
    [`${prefix}local_time`]: instant === undefined ? '' : `${date} ${wall.slice(11, 19)}`,
    [`${prefix}tz_offset`]: formatOffset(offsetAt(timezone, instant ?? 0), ''),
    [`${prefix}unixtime`]: instant === undefined ? '' : Math.floor(instant / SECOND),
  };
}

export interface SessionTimeContext {
  readonly timezone: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly schedule?: ScheduleSpec;
  /** The workflow's latest session here, for `last`. */
  readonly lastSession?: number;
}

export type SessionTime =
  | { readonly ok: true; readonly time: number }
  | { readonly ok: false; readonly message: string };

/**
 * The instant that a `--session` value means: `hourly`, `daily` (the present hour or day in the workflow's zone), `schedule` (the
 * schedule's last session time), `last` (the latest session, else as `schedule`, else as `daily`), `now`, or a time as
 * parseTime takes it.
 */
export function sessionTimeFor(
  value: string,
  { timezone, now, schedule, lastSession }: SessionTimeContext,
): SessionTime {
  const truncated = (unit: number): SessionTime => {
    const wall = toWall(timezone, now);
    const start = Math.floor(wall / unit) * unit;
    // Java's truncatedTo keeps the present offset where a wall time occurs twice.
    const kept = start - offsetAt(timezone, now);
    return { ok: true, time: toWall(timezone, kept) === start ? kept : toInstant(timezone, start) };
  };
  const scheduled = (spec: ScheduleSpec): SessionTime => {
    const scheduler = makeScheduler(spec, timezone);
    return typeof scheduler === 'string'
      ? { ok: false, message: scheduler }
      : { ok: true, time: scheduler.last(now).time };
  };
  switch (value) {
    case 'hourly':
      return truncated(HOUR);
    case 'daily':
      return truncated(DAY);
    case 'now':
      return { ok: true, time: Math.floor(now / SECOND) * SECOND };
    case 'last':
      if (lastSession !== undefined) return { ok: true, time: lastSession };
      return schedule === undefined ? truncated(DAY) : scheduled(schedule);
    case 'schedule':
      if (schedule === undefined)
        return { ok: false, message: '--session schedule is set but schedule is not set to this workflow' };
      return scheduled(schedule);
    default: {
      const time = parseTime(value, timezone);
      if (time !== undefined) return { ok: true, time };
      return {
        ok: false,
        message: `a session must be hourly, daily, schedule, last, now, "yyyy-MM-dd" or "yyyy-MM-dd HH:mm:ss" (also with an offset, 2030-01-31T00:00:00+09:00), but got: ${value}`,
      };
    }
  }
}

const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?: ?(Z|[+-]\d{2}:?\d{2}))?)?$/;

/** `yyyy-MM-dd`, `yyyy-MM-dd HH:mm:ss` in the zone, or either `T` or a space and an offset. Undefined if the text is no time. */
export function parseTime(text: string, timezone: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((field) => Number(field ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const wall = new Date(0);
  wall.setUTCFullYear(year, month - 1, day);
  wall.setUTCHours(hour, minute, second);
  if (wall.getUTCMonth() !== month - 1 || wall.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const offset = match[7];
  return offset === undefined ? toInstant(timezone, wall.getTime()) : toInstant(offset, wall.getTime());
}

/** digdag ignores a given value in any other form. */
function parseFormatted(value: unknown): number | undefined {
  return typeof value === 'string' && /T.*[+-]\d{2}:\d{2}$/.test(value) ? parseTime(value, 'UTC') : undefined;
}
