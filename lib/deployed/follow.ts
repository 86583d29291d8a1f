/** Follows an execution while it runs: events from its histories, its containers' logs and its tasks' reports, as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inOrder } from '../events/in-order.ts';
import type { RunEvent } from '../events/run-event.ts';
import { isDenied } from './aws-fault.ts';
import type { Launch } from './containers.ts';
import type { ExecutionEvents } from './execution-events.ts';
import { type Places, type TaskSource, taskSources } from './task-sources.ts';

export interface FollowOptions extends Places {
  /** Ends the watching, not the execution. */
  readonly signal?: AbortSignal;
  /** Milliseconds between two looks; default 1000. More while many executions are watched, for the service takes some 20 questions a second. */
  readonly interval?: number;
  /** Milliseconds for which an ended task may still have lines under way to CloudWatch; default 5000. */
  readonly settle?: number;
}

/** Milliseconds by which each further execution makes the interval longer. */
const EACH = 150;
/** Streams that are looked at in one round: CloudWatch takes 25 questions a second of a whole account. */
const STREAMS = 8;

interface OpenSource {
  readonly source: TaskSource;
  /** When its task ended. */
  ended: number | undefined;
}

export async function* follow(events: ExecutionEvents, options: FollowOptions): AsyncGenerator<RunEvent> {
  const { interval = 1000, signal } = options;
  const sources = new OpenSources(options);
  while (signal?.aborted !== true) {
    const news: RunEvent[] = [];
    for await (const event of events.read()) news.push(event);
    for (const { launches } of events.executions) sources.know(launches.all);
    const more = await sources.read(news);
    yield* inOrder(news);
    if (events.end !== undefined && (events.over || news.length === 0) && sources.settled) {
      yield events.end;
      return;
    }
    const wait = more ? 0 : interval + EACH * events.executions.filter(({ reader }) => !reader.over).length;
    await sleep(wait, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

/** Logs and reports that may still grow. */
class OpenSources {
  readonly #options: FollowOptions;
  /** By the task's ARN and what it is. */
  readonly #open = new Map<string, OpenSource>();
  readonly #seen = new Set<string>();
  readonly #denied = new Set<TaskSource['what']>();

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  get settled(): boolean {
    return this.#open.size === 0;
  }

  know(launches: readonly Launch[]): void {
    for (const launch of launches) {
      const { taskArn, ended } = launch;
      if (taskArn === undefined) continue;
      if (ended !== undefined) this.#end(taskArn);
      if (this.#seen.has(taskArn)) continue;
      this.#seen.add(taskArn);
      for (const source of taskSources(this.#options, launch)) {
        if (!this.#denied.has(source.what)) this.#open.set(`${taskArn} ${source.what}`, { source, ended });
      }
    }
  }

  #end(taskArn: string): void {
    for (const what of ['print', 'report']) {
      const open = this.#open.get(`${taskArn} ${what}`);
      if (open !== undefined) open.ended ??= Date.now();
    }
  }

  /** Adds new lines; true if there are more already. Streams that have waited longest come first. */
  async read(news: RunEvent[]): Promise<boolean> {
    const { settle = 5000 } = this.#options;
    let more = false;
    for (const [key, open] of [...this.#open].slice(0, STREAMS)) {
      const page = await this.#page(open.source, news);
      this.#open.delete(key);
      if (this.#denied.has(open.source.what)) continue;
      for (const event of page ?? []) news.push(event);
      more ||= page !== undefined;
      const done = page === undefined && open.ended !== undefined && Date.now() - open.ended >= settle;
      if (!done) this.#open.set(key, open);
    }
    return more;
  }

  async #page(source: TaskSource, news: RunEvent[]): Promise<readonly RunEvent[] | undefined> {
    try {
      return await source.read();
    } catch (error) {
      if (!isDenied(error)) throw error;
      const message = `What the tasks ${source.what} is not shown: ${error.message}`;
      if (!this.#denied.has(source.what)) news.push({ type: 'notice', time: new Date().toISOString(), message });
      this.#denied.add(source.what);
      return undefined;
    }
  }
}
