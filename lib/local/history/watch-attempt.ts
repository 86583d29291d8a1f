import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../../events/run-event.ts';
import { readAttempt } from './attempts.ts';
import { readEvents } from './events.ts';

/**
 * The events of an attempt until it ends, whichever process makes it.
 * @param interval milliseconds between two looks
 */
export async function* watchAttempt(directory: string, interval = 300): AsyncGenerator<RunEvent> {
  let seen = 0;
  for (;;) {
    // Asked before reading: what an attempt that has ended wrote last is still to come.
    const running = readAttempt(directory)?.status === 'running';
    let at = 0;
    for await (const event of readEvents(directory)) {
      if (at++ < seen) continue;
      seen = at;
      yield event;
    }
    if (!running) return;
    await sleep(interval);
  }
}
