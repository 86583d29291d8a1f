import aslValidator from 'asl-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import { compile } from '../../../lib/compiler/compile.ts';
import { failureOf } from '../../../lib/expression/failure.ts';
import { model } from './model.ts';
import { play, workflowsOf } from './play.ts';
import { PARAMS, type Project, projects } from './random-workflow.ts';

/** Other seeds and more runs: TROWEL_SEED=7 TROWEL_RUNS=20000 npx vitest run test/lib/compiler/compile.property.test.ts */
const SEED = Number(process.env.TROWEL_SEED ?? 1);
const RUNS = Number(process.env.TROWEL_RUNS ?? 1000);

const tally = { compared: 0, validated: 0, excluded: new Map<string, number>() };

describe('a compiled workflow does what the model of digdag does', () => {
  it(`${RUNS} random workflows, seed ${SEED}`, { timeout: 180_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(projects, (project) => compare(project)),
      { seed: SEED, numRuns: RUNS, endOnFailure: process.env.TROWEL_SHRINK === 'no' },
    );
    console.log(`seed ${SEED}: ${tally.compared} compared, excluded: ${JSON.stringify([...tally.excluded])}`);
    expect(tally.compared).toBeGreaterThan(0.7 * RUNS);
  });
});

async function compare(project: Project): Promise<void> {
  const workflows = workflowsOf(project);
  const main = workflows.get('main')!;
  const modelled = await model(main, workflows, PARAMS);
  if (modelled.excluded !== undefined) {
    tally.excluded.set(modelled.excluded, (tally.excluded.get(modelled.excluded) ?? 0) + 1);
    return;
  }
  const { compiled, diagnostics } = compile(main, { workflows });
  if (compiled === undefined) throw new Error(JSON.stringify(diagnostics));
  for (const machine of [compiled.machine, ...Object.values(compiled.nested)]) {
    expect(lintMachine(machine)).toEqual([]);
    if (tally.validated < 200) {
      tally.validated += 1;
      const { isValid, errorsText } = aslValidator(machine);
      expect(isValid, errorsText('\n')).toBe(true);
    }
  }
  const { 'main.dig': text, ...others } = project;
  const played = await play(text, { others, params: PARAMS });
  tally.compared += 1;
  const { outcome } = played;
  const ordered = !Object.values(project).some((file) => /_parallel|_background/.test(file));
  const sorted = (lines: readonly string[]): readonly string[] => (ordered ? lines : [...lines].sort());
  expect({
    status: outcome.status,
    ...(outcome.status !== 'SUCCEEDED' && { error: nameAndMessage(outcome.error, outcome.cause) }),
    seen: sorted(played.seen),
    ...(modelled.seconds !== undefined && { seconds: played.seconds }),
  }).toEqual({ ...modelled, seen: sorted(modelled.seen) });
}

function nameAndMessage(error: string | undefined, cause: string | undefined): object {
  const { name, message } = failureOf({ Error: error, Cause: cause });
  return { name, message };
}
