import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { realClock, VirtualClock } from '../../../lib/engine/clock.ts';

test('virtual time jumps from one due sleeper to the next', async () => {
  const clock = new VirtualClock(1000);
  const woken: [string, number][] = [];
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push([name, clock.now()]);
  };
  await Promise.all([sleep('c', 86_400_000), sleep('a', 5), sleep('b', 5).then(() => sleep('b again', 1))]);
  expect(woken).toEqual([
    ['a', 1005],
    ['b', 1005],
    ['b again', 1006],
    ['c', 86_401_000],
  ]);
});

test('virtual time stands still while somebody asks for it', async () => {
  const clock = new VirtualClock(0);
  const slept = clock.sleep(1000);
  for (let turn = 0; turn < 50; turn += 1) {
    await nextTurn();
    expect(clock.now()).toBe(0);
  }
  await slept;
  expect(clock.now()).toBe(1000);
});

test('virtual time stands still during work that waits for something real', async () => {
  const clock = new VirtualClock(0);
  const slept = clock.sleep(1000);
  const work = clock.during(sleep(50).then(() => clock.now()));
  expect(await work).toBe(0);
  await slept;
  expect(clock.now()).toBe(1000);
});

test.each([
  ['real', realClock],
  ['virtual', new VirtualClock()],
])('a %s sleep ends early when aborted', async (_name, clock) => {
  const stop = new AbortController();
  const slept = expect(clock.sleep(1e9, stop.signal)).rejects.toThrow();
  stop.abort();
  await slept;
  await expect(clock.sleep(1e9, stop.signal)).rejects.toThrow();
});
