import { setImmediate as nextTurn } from 'node:timers/promises';
import { Stopped } from './errors.ts';
import type { Clock } from './types.ts';

/** setTimeout takes at most 2^31 - 1 ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const realClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    const until = Date.now() + ms;
    for (let left = ms; left > 0; left = until - Date.now()) {
      await timer(Math.min(left, LONGEST_TIMER), signal);
    }
  },
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new Stopped());
      return;
    }
    const stop = () => {
      clearTimeout(id);
      reject(new Stopped());
    };
    const id = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/**
 * A clock for tests: time stands still while anything runs, and jumps to the next sleeper's time once nobody has asked for the time during
 * some turns of the event loop. To the clock, work that waits for something real (a child process, a socket, a thread) looks idle, unless
 * it runs within `during`.
 */
export class VirtualClock implements Clock {
  #now: number;
  #sleepers: { due: number; wake: () => void }[] = [];
  #watching = false;
  /** How often the time was asked for; each state asks when it is entered. */
  #asked = 0;
  readonly #held = new Set<Promise<unknown>>();

  /** @param start milliseconds since the epoch */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    this.#asked += 1;
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.#asked += 1;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(new Stopped());
        return;
      }
      const stop = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(new Stopped());
      };
      const sleeper = {
        due: this.#now + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        },
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.#sleepers.push(sleeper);
      void this.#watch();
    });
  }

  /** Keeps time still until the work has ended. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#held.add(work);
    try {
      return await work;
    } finally {
      this.#held.delete(work);
      this.#asked += 1;
    }
  }

  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    while (this.#sleepers.length > 0) {
      for (let before = -1; before !== this.#asked || this.#held.size > 0; ) {
        await Promise.allSettled(this.#held);
        before = this.#asked;
        for (let turn = 0; turn < 3; turn += 1) {
          await nextTurn();
        }
      }
      const due = Math.min(...this.#sleepers.map((sleeper) => sleeper.due));
      if (due === Number.POSITIVE_INFINITY) break;
      this.#now = Math.max(this.#now, due);
      const woken = this.#sleepers.filter((sleeper) => sleeper.due <= this.#now);
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.due > this.#now);
      for (const sleeper of woken) {
        sleeper.wake();
      }
    }
    this.#watching = false;
  }
}
