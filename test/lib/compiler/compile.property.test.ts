import aslValidator from 'asl-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import type { StateMachine } from '../../../lib/asl/types.ts';
import type { Weight } from '../../../lib/compiler/weight.ts';
import { compare } from './compare.ts';
import { projects } from './random-workflow.ts';

/** Other seeds and more runs: TROWEL_SEED=7 TROWEL_RUNS=20000 npx vitest run test/lib/compiler/compile.property.test.ts */
const SEED = Number(process.env.TROWEL_SEED ?? 1);
const RUNS = Number(process.env.TROWEL_RUNS ?? 1000);

/** Machines that asl-validator sees too; it takes a while. */
const VALIDATED = 200;

interface Property {
  readonly name: string;
  readonly runs: number;
  /** What one machine may hold; the smaller, the more of it is split off. */
  readonly budget?: Weight;
}

const PROPERTIES: readonly Property[] = [
  { name: 'in one machine', runs: RUNS },
  { name: 'cut into many small machines', runs: RUNS / 10, budget: { events: 12, bytes: 1e6 } },
  { name: 'cut into some machines', runs: RUNS / 10, budget: { events: 1000, bytes: 12_000 } },
];

describe('a compiled random workflow does what the model of digdag does', () => {
  it.each(PROPERTIES)('$runs, $name', { timeout: 600 * RUNS }, async ({ runs, budget }) => {
    let compared = 0;
    let machines = 0;
    const excluded: string[] = [];
    const property = fc.asyncProperty(projects, async (project) => {
      const result = await compare(project, budget && { budget });
      if (!('compiled' in result)) {
        excluded.push(result.excluded);
        return;
      }
      const { compiled, expected, actual } = result;
      for (const machine of [compiled.machine, ...Object.values(compiled.nested)]) {
        expect(lintMachine(machine)).toEqual([]);
        machines += 1;
        if (machines > VALIDATED || budget !== undefined) continue;
        const { isValid, errorsText } = aslValidator(forValidator(machine));
        expect(isValid, errorsText('\n')).toBe(true);
      }
      expect(actual).toEqual(expected);
      compared += 1;
    });
    await fc.assert(property, { seed: SEED, numRuns: runs });
    console.log(`seed ${SEED}: ${compared} compared, ${machines} machines, excluded ${excluded.length}`);
    expect(compared).toBeGreaterThan(0.7 * runs);
  });
});

/** asl-validator 4.0.0 refuses a text that is empty or has several lines, wrongly. */
function forValidator(machine: StateMachine): StateMachine {
  const replaced = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? value.replaceAll('\n', ' ') || ' ' : value;
  return JSON.parse(JSON.stringify(machine, replaced)) as StateMachine;
}
