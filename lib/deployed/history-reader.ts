import { present } from '../asl/present.ts';
import type { HistoryEvent } from '../engine/history.ts';
import type { HistoryPage, States } from './states.ts';

/** Events of the first question of a poll: mostly nothing is new, and an event may hold 256 KiB. */
const FEW = 10;
/** Type of an execution's last event. It may be followed by others where the execution is redriven. */
export const END = /^Execution(?:Succeeded|Failed|TimedOut|Aborted)$/;
/** The service's largest page. */
const PAGE = 1000;

/**
 * The events of one execution, each once and in order, however often it is asked. What came before the first question is read from the
 * beginning; later ones from the end backwards, since a page's token says nothing about what is not written yet. Ids count from 1
 * without a gap, so it is known how many are new.
 */
export class HistoryReader {
  readonly #states: Pick<States, 'history'>;
  readonly #arn: string;
  #last = 0;
  /** The execution has ended, and all its events have been read. */
  over = false;

  constructor(states: Pick<States, 'history'>, arn: string) {
    this.#states = states;
    this.#arn = arn;
  }

  /** What is new, in pages. */
  async *read(): AsyncGenerator<readonly HistoryEvent[]> {
    if (this.over) return;
    if (this.#last > 0) {
      const news = await this.#backwards();
      if (news.length > 0) yield this.#taken(news);
      return;
    }
    let next: string | undefined;
    do {
      const page: HistoryPage = await this.#states.history(this.#arn, { ...present({ next }) });
      yield this.#taken(page.events);
      next = page.next;
    } while (next !== undefined);
  }

  #taken(events: readonly HistoryEvent[]): readonly HistoryEvent[] {
    const last = events.at(-1);
    if (last === undefined) return events;
    this.#last = last.id;
    this.over = END.test(last.type);
    return events;
  }

  /** Those after the last one that was read, oldest first. */
  async #backwards(): Promise<readonly HistoryEvent[]> {
    const few = await this.#states.history(this.#arn, { reverse: true, most: FEW });
    const count = (few.events[0]?.id ?? 0) - this.#last;
    if (count <= 0) return [];
    if (count <= few.events.length) return few.events.slice(0, count).reverse();
    const news: HistoryEvent[] = [];
    let next: string | undefined;
    do {
      const most = Math.min(PAGE, count + FEW);
      const page = await this.#states.history(this.#arn, {
        reverse: true,
        most,
        ...present({ next }),
      });
      news.push(...page.events.filter(({ id }) => id > this.#last));
      next = (page.events.at(-1)?.id ?? 0) > this.#last + 1 ? page.next : undefined;
    } while (next !== undefined);
    return news.reverse();
  }
}
