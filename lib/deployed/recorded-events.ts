/** The events of an execution that has ended, and all that its tasks printed and reported, in the order of time. */

import { compareTimes, inOrder } from '../events/in-order.ts';
import type { RunEvent } from '../events/run-event.ts';
import { isDenied } from './aws-fault.ts';
import type { ExecutionEvents } from './execution-events.ts';
import { type Places, type TaskSource, taskSources } from './task-sources.ts';

/** A source of events in order, read a page at a time and not before its first may be due. */
interface Source {
  readonly source: TaskSource;
  /** No event is earlier. */
  readonly from: string;
  page: readonly RunEvent[];
  at: number;
}

/** Logs may be larger than memory: of each container, one page is held, from when it was asked for. */
export async function* recordedEvents(events: ExecutionEvents, places: Places): AsyncGenerator<RunEvent> {
  const told: RunEvent[] = [];
  for await (const event of events.read()) told.push(event);
  const waiting = events.executions
    .flatMap(({ launches }) => launches.all)
    .flatMap((launch): Source[] => {
      const from = new Date(launch.asked).toISOString();
      return taskSources(places, launch).map((source) => ({ source, from, page: [], at: 0 }));
    })
    .sort((a, b) => compareTimes(a.from, b.from));
  const merger = new Merger(waiting);
  for (const event of inOrder(told)) {
    yield* merger.before(event.time);
    yield event;
  }
  yield* merger.before(undefined);
  if (events.end !== undefined) yield events.end;
}

class Merger {
  #waiting: Source[];
  #open: Source[] = [];
  readonly #denied = new Set<TaskSource['what']>();

  constructor(waiting: Source[]) {
    this.#waiting = waiting;
  }

  /** Lines earlier than that; undefined: all that are left. */
  async *before(time: string | undefined): AsyncGenerator<RunEvent> {
    for (;;) {
      const first = await this.#earliest(time);
      const line = first?.page[first.at];
      if (first === undefined || line === undefined || (time !== undefined && line.time >= time)) return;
      first.at += 1;
      yield line;
    }
  }

  async #earliest(time: string | undefined): Promise<Source | undefined> {
    while (this.#waiting[0] !== undefined && (time === undefined || this.#waiting[0].from < time)) {
      this.#open.push(this.#waiting.shift() as Source);
    }
    for (const source of this.#open) if (source.at >= source.page.length) await this.#turn(source);
    this.#open = this.#open.filter((source) => source.at < source.page.length);
    return this.#open.reduce<Source | undefined>((best, each) => {
      const earlier = best === undefined || compareTimes(head(each), head(best)) < 0;
      return earlier ? each : best;
    }, undefined);
  }

  /** The next page; an empty one at the end, and where logs may not be read. */
  async #turn(source: Source): Promise<void> {
    source.at = 0;
    source.page = [];
    if (this.#denied.has(source.source.what)) return;
    try {
      let page = await source.source.read();
      // A page may be empty where others follow.
      while (page !== undefined && page.length === 0) page = await source.source.read();
      source.page = page ?? [];
    } catch (error) {
      if (!isDenied(error)) throw error;
      this.#denied.add(source.source.what);
      const message = `What the tasks ${source.source.what}ed is not shown: ${error.message}`;
      source.page = [{ type: 'notice', time: source.from, message }];
    }
  }
}

function head({ page, at }: Source): string {
  return page[at]?.time ?? '';
}
