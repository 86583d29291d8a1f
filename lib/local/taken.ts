/** A run of one task with what the others stored in an earlier attempt (`--from-last`). */

import type { Json } from '../asl/types.ts';
import { resultPath } from '../contract/names.ts';
import type { Payload } from '../contract/payload.ts';
import { storeResult } from '../contract/stores.ts';
import { asRecord, replay } from '../functions/launch/replay.ts';
import { readRecord } from './results.ts';

/** Whether a task is the one that is run, or below it. */
export function isWithin(task: string, only: string): boolean {
  return task === only || (task.startsWith(only) && /^[+^]/.test(task.slice(only.length)));
}

/**
 * What a task before it answered in the nearest of the attempts, whatever has changed since.
 * @param missing is called if none has its result: then it has stored nothing
 */
export async function takenAnswer(payload: Payload, missing: (task: string) => void): Promise<Json> {
  const path = resultPath(payload.t, payload.r);
  for (const root of payload.b.attempt.resume ?? []) {
    const found = await readRecord(root, path);
    const record = asRecord(found);
    if (record !== undefined) return replay(payload, record) as Json;
    const { answer } = (found ?? {}) as { answer?: Json };
    if (answer !== undefined) return { ...(answer as object), replayed: true } as Json;
  }
  missing(payload.t);
  return { ...storeResult(payload, {}), replayed: true } as Json;
}

/** The task itself: it reads values of the earlier attempts, and takes no result from them. */
export function anew<T extends Payload>(payload: T): T {
  const { resume = [], values = [], ...attempt } = payload.b.attempt;
  return { ...payload, b: { ...payload.b, attempt: { ...attempt, values: [...values, ...resume] } } };
}
