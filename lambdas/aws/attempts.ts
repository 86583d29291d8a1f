/** Where an attempt's files lie: `s3://BUCKET/attempts/EXECUTION`, with `values/` and `results/` below. */
import { TrowelError } from '../../lib/expression/failure.ts';
import { type Attempt, ERRORS, type Layer, type Payload, type StoreResult } from '../../lib/expression/wire.ts';
import type { Mapping } from '../../lib/language/workflow.ts';
import { resolveMentioned } from '../launch/references.ts';
import { attemptNumber } from '../session/core.ts';
import type { Objects } from './objects.ts';

/** The attempt as `session` made it, with roots in the bucket. Attempts to resume are names of executions, or such roots. */
export function inBucket(attempt: Attempt, bucket: string): Attempt {
  const { root, resume } = attempt;
  return {
    ...attempt,
    root: rootOf(root.replace(/^attempts\//, ''), bucket),
    ...(resume === undefined ? {} : { resume: resume.map((one) => rootOf(one, bucket)) }),
  };
}

function rootOf(attempt: string, bucket: string): string {
  const base = `s3://${bucket}/attempts/`;
  const name = attempt.startsWith(base) ? attempt.slice(base.length) : attempt;
  // Whoever may start an execution may not make it read or write elsewhere.
  if (/^[^/]+(\/required\/[^/]+)*$/.test(name) && name !== '.' && name !== '..') return base + name;
  throw new TrowelError(ERRORS.badInput, `Expected the name of an execution, got '${attempt}'`);
}

/** The execution after which an attempt's folder is named. */
export function executionOf(root: string): string | undefined {
  return /\/attempts\/([^/]+)/.exec(root)?.[1];
}

/** Built-in variables that an earlier attempt had of its own. */
export function attemptVariables(root: string): Mapping | undefined {
  const name = executionOf(root);
  return name === undefined ? undefined : { attempt_id: attemptNumber(name) };
}

/** The roots below which this attempt's values lie. */
export function roots(payload: Payload): readonly string[] {
  const { root, resume = [] } = payload.b.attempt;
  return [root, ...resume];
}

/**
 * Gives `act` the payload with the values in place of references that its templates name. What it answers unchanged of them travels by
 * reference again: a whole value might not fit a state.
 */
export async function withValues<A>(
  payload: Payload,
  objects: Objects,
  act: (payload: Payload) => Promise<A>,
): Promise<A> {
  if (!Array.isArray(payload.l)) return act(payload);
  const read = (await resolveMentioned(payload.l, payload.k, objects.references(roots(payload)))) as Layer[];
  const answer = await act({ ...payload, l: read });
  const { s } = answer as StoreResult;
  if (s === undefined || read === payload.l) return answer;
  return { ...answer, s: withReferences(s, payload.l, read) };
}

function withReferences(s: Mapping, before: readonly Layer[], after: readonly Layer[]): Mapping {
  const entries = Object.entries(s).map(([key, value]) => {
    const at = after.findLastIndex(
      (layer) => !Array.isArray(layer) && Object.hasOwn(layer, key) && layer[key] === value,
    );
    const layer = before[at];
    return [key, layer === undefined || Array.isArray(layer) ? value : (layer[key] ?? value)] as const;
  });
  return Object.fromEntries(entries);
}
