import fc from 'fast-check';
import { expect } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import type { StateMachine } from '../../../lib/asl/types.ts';
import type { Weight } from '../../../lib/compiler/weight.ts';
import { compare } from './compare.ts';
import { projects } from './random-workflow.ts';
import { faultsOf } from './validate-all.ts';

/** Other seeds and more runs: TROWEL_SEED=7 TROWEL_RUNS=20000 npx vitest run test/lib/compiler/compile.property.test.ts */
const SEED = Number(process.env.TROWEL_SEED ?? 1);

export interface Property {
  readonly name: string;
  readonly runs: number;
  /** What one machine may hold; the smaller, the more of it is split off. */
  readonly budget?: Weight;
}

export function properties(runs: number): readonly Property[] {
  const fewer = Math.ceil(runs / 5);
  return [
    { name: 'in one machine', runs },
    { name: 'cut into many small machines', runs: fewer, budget: { events: 12, bytes: 1e6 } },
    { name: 'cut into some machines', runs: fewer, budget: { events: 1000, bytes: 12_000 } },
  ];
}

/** Random workflows, compiled and played, do what the model of digdag does. */
export async function agreesWithModel({ runs, budget }: Property): Promise<void> {
  let compared = 0;
  const machines: StateMachine[] = [];
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
      machines.push(machine);
    }
    expect(actual).toEqual(expected);
    compared += 1;
  });
  await fc.assert(property, { seed: SEED, numRuns: runs });
  // It takes a while.
  expect(faultsOf(machines.slice(0, Math.ceil(runs / 5)))).toBe('');
  console.log(`seed ${SEED}: ${compared} compared, ${machines.length} machines, excluded ${excluded.length}`);
  expect(compared).toBeGreaterThan(0.7 * runs);
}
