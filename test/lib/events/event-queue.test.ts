import { expect, it } from 'vitest';
import { EventQueue } from '../../../lib/events/event-queue.ts';
import type { RunEvent } from '../../../lib/events/run-event.ts';

const output = (text: string): RunEvent => ({ type: 'task-output', time: '', task: '+a', text });
const MEGABYTES_5 = output('x'.repeat(5_000_000));

it('makes writers wait for a slow reader, until it has caught up', async () => {
  const queue = new EventQueue();
  const reader = queue[Symbol.asyncIterator]();
  queue.push(output('1'));
  expect(await reader.next()).toMatchObject({ value: { text: '1' } });
  queue.push(MEGABYTES_5);
  queue.push(output('2'));
  const room = queue.room();
  expect(room).toBeInstanceOf(Promise);
  await reader.next();
  await reader.next();
  await room;
  expect(queue.room()).toBeUndefined();
  queue.close();
  expect(await reader.next()).toMatchObject({ done: true });
});

it('makes nobody wait when nobody reads, or no longer', async () => {
  const queue = new EventQueue();
  queue.push(MEGABYTES_5);
  expect(queue.room()).toBeUndefined();
  for await (const _ of queue) break;
  queue.push(MEGABYTES_5);
  expect(queue.room()).toBeUndefined();
});
