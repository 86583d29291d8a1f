import { availableParallelism } from 'node:os';
import { present } from '../../asl/present.ts';
import { type Finished, type Start, type TaskHandlers, Worker, WorkerLost, type WorkerOptions } from './worker.ts';

/**
 * Tasks at once. Tasks mostly wait for something else, so many more than cores; but each is a process with its libraries in memory,
 * so not without end. `--max-task-threads` sets another.
 */
export const DEFAULT_MAX_TASKS = Math.max(64, 4 * availableParallelism());

export interface PoolOptions extends Omit<WorkerOptions, 'python' | 'shown'> {
  /** The interpreter of tasks that name none. */
  readonly python: readonly string[];
  readonly maxTasks?: number;
}

/** The Python workers of a run, one for each interpreter, each started at its first use and again after it died. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers = new Map<string, Worker>();
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#free = options.maxTasks ?? DEFAULT_MAX_TASKS;
  }

  /** Starts the default worker ahead of the first task: an interpreter needs some 50 ms. Rejects with WorkerLost. */
  warm(): Promise<string> {
    return this.#worker(this.#options.python).ready;
  }

  /**
   * Runs a task when there is room. Rejects with WorkerLost, or with the signal's reason where it never began. Aborting kills
   * the task's process tree; `grace` seconds lie between the two signals.
   */
  async run(
    start: Start,
    handlers: TaskHandlers,
    options: {
      readonly python?: readonly string[];
      readonly shown?: string;
      readonly signal?: AbortSignal;
      readonly grace?: number;
      /** In a worker that runs nothing else. */
      readonly alone?: boolean;
    } = {},
  ): Promise<Finished> {
    const { signal } = options;
    await this.#take(signal);
    try {
      signal?.throwIfAborted();
      const own = options.alone ? start.id : undefined;
      const worker = this.#worker(options.python ?? this.#options.python, options.shown, own);
      const kill = (): void => worker.kill(start.id, options.grace ?? 5);
      signal?.addEventListener('abort', kill, { once: true });
      try {
        return await worker.run(start, handlers);
      } finally {
        signal?.removeEventListener('abort', kill);
        if (own !== undefined) void this.#leave(worker);
      }
    } finally {
      this.#give();
    }
  }

  /** Ends every task, then every worker, whichever interpreter. */
  async stop(grace = 5): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop(grace)));
  }

  destroy(): void {
    this.#closed = true;
    for (const worker of this.#workers.values()) worker.destroy();
  }

  async #leave(worker: Worker): Promise<void> {
    await worker.stop(0);
    for (const [key, each] of this.#workers) if (each === worker) this.#workers.delete(key);
  }

  /** @param own the one task that it runs */
  #worker(python: readonly string[], shown?: string, own?: string): Worker {
    const key = [...python, ...(own === undefined ? [] : [own])].join('\0');
    const known = this.#workers.get(key);
    // One that never was ready is not tried again: it would fail as before.
    if (known?.alive || (known !== undefined && !known.wasReady)) return known;
    if (this.#closed) throw new WorkerLost('The run has ended', true);
    const worker = new Worker({ ...this.#options, python, ...present({ shown }) });
    this.#workers.set(key, worker);
    return worker;
  }

  async #take(signal: AbortSignal | undefined): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        const at = this.#waiting.indexOf(begin);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(begin);
    });
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
