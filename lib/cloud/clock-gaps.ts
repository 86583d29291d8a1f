/** Times that do not exist because the clock is put forward, in the coming years. */
import { offsetAt } from '../expression/zone.ts';

export interface Gap {
  /** First wall time that does not exist, as `Date.UTC` of its fields. */
  readonly from: number;
  /** How far the clock is put forward. */
  readonly minutes: number;
}

const MINUTE = 60_000;
const WEEK = 7 * 86_400_000;
/** Longer than anybody leaves a project without a deploy. */
const WEEKS = 520;

/** @param now milliseconds */
export function gaps(zone: string, now: number): Gap[] {
  const found: Gap[] = [];
  const first = Math.floor(now / MINUTE) * MINUTE - WEEK;
  for (let week = 0; week < WEEKS; week += 1) {
    const from = first + week * WEEK;
    const before = offsetAt(zone, from);
    if (offsetAt(zone, from + WEEK) <= before) continue;
    let [low, high] = [from, from + WEEK];
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (offsetAt(zone, middle) === before) low = middle;
      else high = middle;
    }
    found.push({ from: high + before, minutes: (offsetAt(zone, high) - before) / MINUTE });
  }
  return found;
}
