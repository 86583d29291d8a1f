/** An execution while it runs: what its histories and its containers' logs say, as it comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inOrder } from '../events/in-order.ts';
import type { RunEvent } from '../events/run-event.ts';
import { isDenied } from './aws-fault.ts';
import type { Launch } from './containers.ts';
import type { ExecutionEvents } from './execution-events.ts';
import type { Logs } from './logs.ts';
import { type TaskLog, taskLog } from './task-log.ts';

export interface FollowOptions {
  readonly logs: Logs;
  /** Log group of the project's tasks. */
  readonly group: string;
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

interface OpenLog {
  readonly log: TaskLog;
  /** When its task ended. */
  ended: number | undefined;
}

export async function* follow(events: ExecutionEvents, options: FollowOptions): AsyncGenerator<RunEvent> {
  const { interval = 1000, signal } = options;
  const logs = new OpenLogs(options);
  while (signal?.aborted !== true) {
    const news: RunEvent[] = [];
    for await (const event of events.read()) news.push(event);
    for (const { launches } of events.executions) logs.know(launches.all);
    const more = await logs.read(news);
    yield* inOrder(news);
    if (events.end !== undefined && (events.over || news.length === 0) && logs.settled) {
      yield events.end;
      return;
    }
    const wait = more ? 0 : interval + EACH * events.executions.filter(({ reader }) => !reader.over).length;
    await sleep(wait, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  }
}

/** Logs that may still grow. */
class OpenLogs {
  readonly #options: FollowOptions;
  readonly #open = new Map<string, OpenLog>();
  readonly #seen = new Set<string>();
  #denied = false;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  get settled(): boolean {
    return this.#open.size === 0;
  }

  know(launches: readonly Launch[]): void {
    const { logs, group } = this.#options;
    for (const launch of launches) {
      const { taskArn, ended } = launch;
      if (taskArn === undefined) continue;
      const open = this.#open.get(taskArn);
      if (open !== undefined && ended !== undefined) open.ended ??= Date.now();
      if (this.#seen.has(taskArn) || this.#denied) continue;
      this.#seen.add(taskArn);
      const log = taskLog(logs, group, launch);
      if (log !== undefined) this.#open.set(taskArn, { log, ended });
    }
  }

  /** Adds what is new; true if there is more at once. Those that wait longest come first. */
  async read(news: RunEvent[]): Promise<boolean> {
    const { settle = 5000 } = this.#options;
    let more = false;
    for (const [arn, open] of [...this.#open].slice(0, STREAMS)) {
      const lines = await this.#page(open.log, news);
      this.#open.delete(arn);
      if (this.#denied) return false;
      news.push(...(lines ?? []));
      more ||= lines !== undefined;
      const done = lines === undefined && open.ended !== undefined && Date.now() - open.ended >= settle;
      if (!done) this.#open.set(arn, open);
    }
    return more;
  }

  async #page(log: TaskLog, news: RunEvent[]): Promise<readonly RunEvent[] | undefined> {
    try {
      return await log.read();
    } catch (error) {
      if (!isDenied(error)) throw error;
      this.#denied = true;
      this.#open.clear();
      const message = `What the tasks print is not shown: ${error.message}`;
      news.push({ type: 'notice', time: new Date().toISOString(), message });
      return undefined;
    }
  }
}
