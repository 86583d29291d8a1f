import type { RunEvent } from './run-event.ts';

/** Characters of task output that may wait for a slow reader (a terminal, a pipe) before the tasks have to wait too. */
const HIGH_WATER = 4_000_000;

/** RunEvents on their way to their one reader. */
export class EventQueue implements AsyncIterable<RunEvent> {
  #events: RunEvent[] = [];
  #size = 0;
  #closed = false;
  #read = false;
  #wake: (() => void) | undefined;
  #drained: (() => void)[] = [];

  push(event: RunEvent): void {
    this.#events.push(event);
    this.#size += sizeOf(event);
    this.#wake?.();
  }

  /** Undefined if there is room; else resolves when there is. */
  room(): Promise<void> | undefined {
    // Who only waits for the result must not wait for ever.
    if (!this.#read || this.#size <= HIGH_WATER || this.#closed) return undefined;
    return new Promise((resolve) => {
      this.#drained.push(resolve);
    });
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
    this.#release();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    this.#read = true;
    try {
      for (;;) {
        const events = this.#events;
        this.#events = [];
        for (const event of events) {
          yield event;
          this.#size -= sizeOf(event);
          if (this.#size <= HIGH_WATER / 2) this.#release();
        }
        if (this.#events.length > 0) continue;
        if (this.#closed) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      // A reader that stops early must not stop the run.
      this.close();
    }
  }

  #release(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }
}

function sizeOf(event: RunEvent): number {
  return event.type === 'task-output' ? event.text.length + 100 : 200;
}
