/** A project compiled and played, beside what the model says of it. */

import type { Compiled } from '../../../lib/compiler/compile.ts';
import type { Weight } from '../../../lib/compiler/weight.ts';
import { failureOf } from '../../../lib/contract/failure.ts';
import { type Modelled, model } from './model.ts';
import { compiledText, playCompiled, workflowsOf } from './play.ts';
import { PARAMS, type Project } from './random-workflow.ts';

export interface Compared {
  readonly excluded?: string;
  readonly expected: Modelled;
  readonly actual: Modelled;
  readonly compiled: Compiled;
}

/** What may run in any order is sorted, and the variables of each line: their order tells nothing. */
export async function compare(
  project: Project,
  options: { readonly budget?: Weight } = {},
): Promise<Compared | { readonly excluded: string }> {
  const workflows = workflowsOf(project);
  const expected = await model(workflows.get('main')!, workflows, PARAMS);
  if (expected.excluded !== undefined) return { excluded: expected.excluded };
  const { 'main.dig': text, ...others } = project;
  const compiled = compiledText(text, others, options);
  const { outcome, seen, seconds } = await playCompiled(compiled, PARAMS);
  const ordered = !Object.values(project).some((file) => /_parallel|_background/.test(file));
  const comparable = (lines: readonly string[]): readonly string[] => {
    const canonical = lines.map((line) => line.split(/ (?=\w+=)/));
    const joined = canonical.map(([name, ...variables]) => [name, ...variables.sort()].join(' '));
    return ordered ? joined : joined.sort();
  };
  const actual: Modelled = {
    status: outcome.status === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED',
    ...(outcome.status !== 'SUCCEEDED' && { error: nameAndMessage(outcome.error, outcome.cause) }),
    seen: comparable(seen),
    ...(expected.seconds !== undefined && { seconds }),
  };
  return { expected: { ...expected, seen: comparable(expected.seen) }, actual, compiled };
}

function nameAndMessage(error: string | undefined, cause: string | undefined): { name: string; message: string } {
  const { name, message } = failureOf({ Error: error, Cause: cause });
  return { name, message };
}
