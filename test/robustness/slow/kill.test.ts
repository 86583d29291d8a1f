import { expect, it } from 'vitest';
import { killedRun, newTally, randomFrom, undisturbed } from '../killing.ts';

/** So many while a task was under way. */
const KILLS = 40;

it(`kill -9 of the command line, ${KILLS} times: no success is repeated, the result is that of an undisturbed run`, async () => {
  const seed = Number(process.env.TROWEL_TEST_SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}: TROWEL_TEST_SEED=${seed} repeats it`);
  const random = randomFrom(seed);
  const expected = await undisturbed();
  const tally = newTally();
  const began = Date.now();
  while (tally.hits < KILLS) expect(await killedRun(tally, random, tally.kills + KILLS - tally.hits)).toBe(expected);
  const { kills, hits, tasks, attempts, runs } = tally;
  console.log(
    `${kills} kills, ${hits} of them hit ${tasks.size} different tasks; ${attempts} attempts of ${runs} runs in ${Math.round((Date.now() - began) / 1000)} s`,
  );
  expect(tasks.size).toBeGreaterThanOrEqual(5);
}, 600_000);
