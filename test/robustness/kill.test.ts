import { expect, it } from 'vitest';
import { killedRun, newTally, randomFrom, undisturbed } from './killing.ts';

const KILLS = 3;

it('kill -9 of the command line: what had succeeded is not repeated (slow/kill.test.ts does it more often)', async () => {
  const seed = Number(process.env.TROWEL_TEST_SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}: TROWEL_TEST_SEED=${seed} repeats it`);
  const random = randomFrom(seed);
  const expected = await undisturbed();
  const tally = newTally();
  // A run may be over before it has been killed so often; then another one is.
  while (tally.kills < KILLS) expect(await killedRun(tally, random, KILLS)).toBe(expected);
});
