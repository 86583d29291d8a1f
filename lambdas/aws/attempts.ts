/**
 * Where an attempt's objects are: `s3://BUCKET/attempts/WORKFLOW/EXECUTION`, with `values/`, `results/` and `notified/` below. A workflow
 * has a folder of its own, because the rights of its tasks end there.
 */
import { present } from '../../lib/asl/present.ts';
import { ERRORS, TrowelError } from '../../lib/contract/errors.ts';
import { attemptPath } from '../../lib/contract/names.ts';
import type { Attempt, Payload } from '../../lib/contract/payload.ts';
import { rootsOf } from '../../lib/contract/values.ts';
import { resolveMentioned, seeingKeys } from '../../lib/functions/launch/references.ts';
import { attemptNumber } from '../../lib/functions/session/core.ts';
import type { Mapping } from '../../lib/language/workflow.ts';
import type { Objects } from './objects.ts';

/**
 * The attempt with its places in the bucket. They are made from the workflow and the execution that it belongs to, whatever it says itself:
 * who gives a function a payload, or starts an execution, does not choose what is read and written. Attempts to resume are names of
 * executions of the same workflow, or the roots that this has made of them.
 */
export function inBucket(attempt: Attempt, bucket: string): Attempt {
  const { root, resume, values, workflow, execution } = attempt;
  const named = (given: string): string =>
    `s3://${bucket}/attempts/${attemptPath(workflow, nameOf(given, workflow, bucket))}`;
  return {
    ...attempt,
    root: named(
      execution === undefined ? root.replace(/^attempts\//, '') : execution.slice(execution.lastIndexOf(':') + 1),
    ),
    ...present({ resume: resume?.map(named), values: values?.map(named) }),
  };
}

/** A payload whose attempt is in its own places. Every function that reads or writes the bucket begins with it. */
export function confined<P extends Payload>(payload: P, bucket: string): P {
  return { ...payload, b: { ...payload.b, attempt: inBucket(payload.b.attempt, bucket) } };
}

function nameOf(given: string, workflow: string, bucket: string): string {
  const own = `s3://${bucket}/attempts/${attemptPath(workflow, '')}`;
  const before = `s3://${bucket}/attempts/`;
  const name = [own, before].find((each) => given.startsWith(each));
  const execution = given.slice(name?.length ?? 0);
  if (/^[^/]+$/.test(execution) && execution !== '.' && execution !== '..') return execution;
  throw new TrowelError(ERRORS.badInput, `Expected the name of an execution of ${workflow}, got '${given}'`);
}

/** `WORKFLOW/EXECUTION` of an attempt in the bucket: its folder below `attempts/`. */
export function attemptOf(root: string): string {
  return /^s3:\/\/[^/]+\/attempts\/(.+)$/.exec(root)?.[1] ?? root;
}

/** The execution after which an attempt's folder is named. */
export function executionOf(root: string): string {
  return root.slice(root.lastIndexOf('/') + 1);
}

/** Built-in variables that an earlier attempt had of its own. */
export function attemptVariables(root: string): Mapping {
  return { attempt_id: attemptNumber(executionOf(root)) };
}

/** The roots below which this attempt's values lie. */
export function roots(payload: Pick<Payload, 'b'>): readonly string[] {
  return rootsOf(payload);
}

/** Gives `act` the payload with what its templates name of values in files. */
export async function withValues<A>(
  payload: Payload,
  objects: Pick<Objects, 'values'>,
  act: (payload: Payload) => Promise<A>,
): Promise<A> {
  if (!Array.isArray(payload.l)) return act(payload);
  return act({ ...payload, seen: await resolveMentioned(payload.l, seeingKeys(payload), objects.values(payload)) });
}
