/** Against a played GetExecutionHistory: an array of events, in pages. */
import { describe, expect, it } from 'vitest';
import { HistoryReader } from '../../../lib/deployed/history-reader.ts';
import type { HistoryPage, States } from '../../../lib/deployed/states.ts';
import type { HistoryEvent } from '../../../lib/engine/history.ts';

function played() {
  const events: HistoryEvent[] = [];
  const asked: string[] = [];
  const states: Pick<States, 'history'> = {
    async history(_arn, { reverse = false, most = 1000, next }): Promise<HistoryPage> {
      asked.push(`${reverse ? 'back' : 'on'} ${most}`);
      const all = reverse ? [...events].reverse() : events;
      const from = Number(next ?? 0);
      const page = all.slice(from, from + most);
      return from + most < all.length ? { events: page, next: String(from + most) } : { events: page };
    },
  };
  const happen = (count: number, type: HistoryEvent['type'] = 'TaskStarted'): void => {
    for (let i = 0; i < count; i++) {
      events.push({ id: events.length + 1, previousEventId: events.length, timestamp: 0, type });
    }
  };
  return { states, happen, asked };
}

async function ids(reader: HistoryReader): Promise<number[]> {
  const found: number[] = [];
  for await (const page of reader.read()) found.push(...page.map(({ id }) => id));
  return found;
}

const to = (from: number, last: number): number[] => Array.from({ length: last - from + 1 }, (_, i) => from + i);

describe('a history that grows', () => {
  it.each([0, 1, 9, 10, 11, 1000, 1500, 2500])('gives each event once, in order: %i new ones', async (count) => {
    const { states, happen } = played();
    const reader = new HistoryReader(states, 'arn');
    happen(3);
    expect(await ids(reader)).toEqual([1, 2, 3]);
    happen(count);
    expect(await ids(reader)).toEqual(to(4, 3 + count));
    expect(await ids(reader)).toEqual([]);
    happen(1, 'ExecutionSucceeded');
    expect(reader.over).toBe(false);
    expect(await ids(reader)).toEqual([4 + count]);
    expect(reader.over).toBe(true);
  });

  it('reads what is there from the beginning, page by page', async () => {
    const { states, happen } = played();
    happen(2499);
    happen(1, 'ExecutionFailed');
    const reader = new HistoryReader(states, 'arn');
    expect(await ids(reader)).toEqual(to(1, 2500));
    expect(reader.over).toBe(true);
  });

  it('asks little while nothing happens, and nothing once it is over', async () => {
    const { states, happen, asked } = played();
    const reader = new HistoryReader(states, 'arn');
    happen(500);
    await ids(reader);
    await ids(reader);
    happen(1, 'ExecutionAborted');
    await ids(reader);
    await ids(reader);
    expect(asked).toEqual(['on 1000', 'back 10', 'back 10']);
  });
});
