import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { SessionPayload } from '../../contract/payload.ts';
import { parseTime } from '../../expression/session.ts';
import { toInstant, toWall } from '../../expression/zone.ts';

const DAY = 86_400_000;

/**
 * When an attempt that began at `start` is late, ISO 8601 in UTC. `duration` counts from its start; `time` is the next time of day in the
 * workflow's zone (26:00 is two o'clock of the day after).
 */
export function deadline(sla: NonNullable<SessionPayload['sla']>, zone: string, start: string): string {
  const began = parseTime(start, 'UTC');
  if (began === undefined) throw new TrowelError(ERRORS.badInput, `Expected a time for the start, got ${start}`);
  const { time, duration } = sla;
  if (time === undefined) return new Date(began + milliseconds(duration ?? '')).toISOString();
  const midnight = Math.floor(toWall(zone, began) / DAY) * DAY;
  const wall = midnight + milliseconds(time);
  const today = toInstant(zone, wall);
  return new Date(today > began ? today : toInstant(zone, wall + DAY)).toISOString();
}

/** HH:MM or HH:MM:SS. */
function milliseconds(clock: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = clock.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}
