import { expect, it } from 'vitest';
import { killedRun, newTally, randomFrom, undisturbed } from './killing.ts';

it('kill -9 of the command line: what had succeeded is not repeated (slow/kill.test.ts does it more often)', async () => {
  const seed = Number(process.env.TROWEL_TEST_SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}: TROWEL_TEST_SEED=${seed} repeats it`);
  const tally = newTally();
  expect(await killedRun(tally, randomFrom(seed), 6)).toBe(await undisturbed());
  expect(tally.kills).toBe(6);
}, 120_000);
