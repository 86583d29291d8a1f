import { realClock } from '../../../lib/engine/clock.ts';
import type { Clock } from '../../../lib/engine/types.ts';

/** Real time, so many times as fast: what lasts five minutes in a definition lasts ten seconds at 30. Processes go on at their own pace. */
export function fastClock(speed: number): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * speed,
    sleep: (ms, signal) => realClock.sleep(ms / speed, signal),
  };
}
