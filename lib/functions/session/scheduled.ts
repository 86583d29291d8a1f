/**
 * A run that EventBridge Scheduler has asked for: finds the session it belongs to and starts its execution, unless the schedule says to
 * skip it. The execution's name is made from the session, so a trigger that is delivered twice starts it once.
 */

import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { ScheduledPayload } from '../../contract/payload.ts';
import { checkVersion } from '../../contract/protocol.ts';
import { scheduleWindow } from '../../expression/schedule.ts';
import { formatSessionTime, parseTime } from '../../expression/session.ts';
import { toInstant, toWall } from '../../expression/zone.ts';

export interface ScheduledServices {
  /** Whether an execution of the machine is running. */
  readonly running: (machine: string) => Promise<boolean>;
  /** Starts an execution; false if one of that name is there already. */
  readonly start: (machine: string, name: string, input: { readonly session_time: string }) => Promise<boolean>;
  /** Milliseconds. */
  readonly now: () => number;
}

export type Scheduled =
  | { readonly started: string; readonly session_time: string }
  | { readonly skipped: string; readonly session_time: string };

/** Throws Trowel.BadInput for a payload that is none. */
export async function scheduled(payload: ScheduledPayload, services: ScheduledServices): Promise<Scheduled> {
  checkVersion(payload);
  const { timezone, schedule, zone, delay, machine, prefix } = payload;
  const run = parseTime(payload.scheduled, 'UTC');
  if (run === undefined) throw new TrowelError(ERRORS.badInput, `Expected a time, got ${payload.scheduled}`);
  const time = sessionOf(run, zone, delay);
  const session_time = formatSessionTime(time, timezone);
  // Scheduler's own dates are exact to the minute, and a start that was past when deployed is not among them.
  const { from = run, until } = scheduleWindow(schedule, timezone, delay);
  if (run < from || (until !== undefined && run >= until)) {
    return {
      skipped: `the schedule runs ${run < from ? `from ${schedule.start}` : `until ${schedule.end}`}`,
      session_time,
    };
  }
  const late = services.now() - run;
  if (schedule.skipDelayedBy !== undefined && late > schedule.skipDelayedBy * 1000)
    return { skipped: `it is ${Math.round(late / 1000)} s late (skip_delayed_by)`, session_time };
  if (schedule.skipOnOvertime && (await services.running(machine)))
    return { skipped: 'an earlier session still runs (skip_on_overtime)', session_time };
  const name = `${prefix}-${Math.floor(time / 1000)}`.slice(0, 80);
  const started = await services.start(machine, name, { session_time });
  return started ? { started: name, session_time } : { skipped: `execution ${name} is there already`, session_time };
}

/**
 * Scheduler runs by the clock on the wall, on the days too when it is changed: the session is so much earlier by that clock. On such a day
 * digdag, which counts the time that passes, runs an hour off. Of a session time that occurs twice the later one counts, as in digdag.
 */
function sessionOf(run: number, zone: string, delay: number): number {
  return toInstant(zone, toWall(zone, run) - delay * 1000, 'later');
}
