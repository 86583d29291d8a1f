/**
 * When a `schedule:` has its sessions: digdag's arithmetic (digdag-standards/…/scheduler). For hourly, daily, weekly and
 * monthly the session time is the truncated hour or day, and the text of the schedule is the delay until it runs.
 */
import { present } from '../asl/present.ts';
import { type CronPattern, parseCron } from '../language/cron.ts';
import type { Schedule } from '../language/workflow.ts';
import { nextMatch } from './cron.ts';
import { toInstant } from './zone.ts';

export type ScheduleSpec = Omit<Schedule, 'span'>;

/** Milliseconds since the epoch. */
export interface ScheduleTime {
  /** The session's time. */
  readonly time: number;
  /** When the session starts. */
  readonly run: number;
}

export interface Scheduler {
  /** The first session that starts at `now` or later. */
  first(now: number): ScheduleTime;
  /** The first session time after a time; 9999-01-01 when the schedule has ended. */
  next(after: number): ScheduleTime;
  /** The last session time before a time. `start` and `end` do not count here. */
  last(before: number): ScheduleTime;
}

/** What digdag gives when there is no further session: 9999-01-01T00:00:00Z. */
export const SCHEDULE_END = 253_370_764_800_000;

const SECOND = 1000;
const DAY = 86_400_000;

/** Returns a message if the schedule's text is wrong (lib/language has reported it with its place before). */
export function makeScheduler(spec: ScheduleSpec, timezone: string): Scheduler | string {
  const delay = spec.delay * SECOND;
  switch (spec.kind) {
    case 'hourly': {
      const at = parseTimes(spec.at, 2);
      return at === undefined
        ? `hourly>: scheduler requires mm:ss format: ${spec.at}`
        : cron('0 * * * *', at, spec, timezone);
    }
    case 'daily': {
      const at = parseTimes(spec.at, 3);
      return at === undefined
        ? `daily>: scheduler requires hh:mm:ss format: ${spec.at}`
        : cron('0 0 * * *', at, spec, timezone);
    }
    case 'weekly':
    case 'monthly': {
      const comma = spec.at.indexOf(',');
      const at = comma === -1 ? undefined : parseTimes(spec.at.slice(comma + 1).trim(), 3);
      const day = spec.at.slice(0, comma).trim();
      const line = spec.kind === 'weekly' ? `0 0 * * ${day}` : `0 0 ${day} * *`;
      const wrong = spec.kind === 'monthly' ? !/^\d+$/.test(day) : typeof parseCron(line) === 'string';
      if (at === undefined || wrong) return `${spec.kind}>: scheduler requires day,hh:mm:ss format: ${spec.at}`;
      return cron(line, at, spec, timezone);
    }
    case 'minutes_interval':
      return cron(`*/${spec.at} * * * *`, delay, spec, timezone);
    case 'seconds_interval': {
      const seconds = Number(spec.at);
      if (!Number.isSafeInteger(seconds) || seconds < 1)
        return `seconds_interval>: requires a number of seconds: ${spec.at}`;
      return everySeconds(seconds * SECOND, delay);
    }
    case 'cron':
      return cron(spec.at, delay, spec, timezone);
  }
}

/** `mm:ss` or `hh:mm:ss` in milliseconds. */
function parseTimes(text: string, count: number): number | undefined {
  const fragments = text.split(':');
  if (fragments.length !== count || !fragments.every((fragment) => /^\d{1,6}$/.test(fragment))) return undefined;
  return fragments.reduce((sum, fragment) => sum * 60 + Number(fragment), 0) * SECOND;
}

/**
 * The instants between which a schedule runs: the first session is not before `start`, the last run not after `end`.
 * @param delay seconds from the session's time to its run
 */
export function scheduleWindow(
  spec: ScheduleSpec,
  timezone: string,
  delay: number,
): { readonly from?: number; readonly until?: number } {
  // As in digdag, which ignores `start` and `end` for an interval of seconds.
  if (spec.kind === 'seconds_interval') return {};
  const from = dayStart(spec.start, 0, timezone, delay * SECOND) ?? undefined;
  const until = dayStart(spec.end, 1, timezone) ?? undefined;
  return present({ from, until });
}

function cron(line: string, delay: number, spec: ScheduleSpec, timezone: string): Scheduler | string {
  const pattern = parseCron(line);
  if (typeof pattern === 'string') return pattern;
  const start = dayStart(spec.start, 0, timezone);
  const end = dayStart(spec.end, 1, timezone);
  if (start === null) return `Invalid start: ${spec.start}`;
  if (end === null) return `Invalid end: ${spec.end}`;
  if (start !== undefined && end !== undefined && start >= end) return 'The schedule of end is earlier than start';
  const match = (after: number) => nextMatch(pattern, timezone, after) ?? SCHEDULE_END;

  const next = (after: number): ScheduleTime => {
    let time = match(after);
    if (start !== undefined && start > time + delay) time = match(start - SECOND);
    // digdag looks at the end first, and runs once after it if no session is between the two.
    if (end !== undefined && end <= time + delay) time = SCHEDULE_END;
    return time >= SCHEDULE_END ? { time, run: time } : { time, run: time + delay };
  };
  const first = (now: number) => {
    const truncated = Math.floor(now / SECOND) * SECOND;
    return next((truncated === now ? truncated - SECOND : truncated) - delay);
  };
  const last = (before: number): ScheduleTime => {
    const time = lastMatch(pattern, timezone, before);
    return { time, run: time + delay };
  };
  return { first, next, last };
}

/**
 * digdag estimates the interval from the next two matches and steps forward from two intervals back; if that is too short (a schedule of
 * three days in a row each month), digdag returns a time that is not in the schedule. Here the step back grows until it is long enough.
 */
function lastMatch(pattern: CronPattern, timezone: string, before: number): number {
  const following = nextMatch(pattern, timezone, before);
  const second = following === undefined ? undefined : nextMatch(pattern, timezone, following);
  let step = following === undefined || second === undefined ? DAY : second - following;
  let earlier = before - 2 * step;
  let match = nextMatch(pattern, timezone, earlier);
  while (match === undefined || match >= before) {
    step *= 2;
    earlier -= step;
    if (Math.abs(earlier) > SCHEDULE_END) return before;
    match = nextMatch(pattern, timezone, earlier);
  }
  for (;;) {
    const after = nextMatch(pattern, timezone, match);
    if (after === undefined || after >= before) return match;
    match = after;
  }
}

function everySeconds(interval: number, delay: number): Scheduler {
  const at = (time: number): ScheduleTime => ({ time, run: time + delay });
  const next = (after: number) => at((Math.floor(after / interval) + 1) * interval);
  return { next, first: (now) => next(now - 1), last: (before) => at(Math.floor((before - 1) / interval) * interval) };
}

/** Midnight of a `YYYY-MM-DD` plus days; undefined without a text, null if the text is no date. */
function dayStart(
  text: string | undefined,
  plus: number,
  timezone: string,
  milliseconds = 0,
): number | undefined | null {
  if (text === undefined) return undefined;
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return null;
  const wall = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  if (new Date(wall).toISOString().slice(0, 10) !== text) return null;
  return toInstant(timezone, wall + plus * DAY + milliseconds);
}
