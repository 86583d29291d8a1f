import type { Payload, StoreResult } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';
import { fingerprint } from '../launch/hashes.ts';
import { resultPath } from '../launch/names.ts';
import { logger } from './logger.ts';
import type { Objects } from './objects.ts';

/**
 * What acts on the world (http>, mail>, slack>, notify>) does so once: a resumed attempt takes its answer over, as for Python tasks
 * and by the same record as here (lib/local/recorded.ts). Everything the task sees, the attempt's own variables excepted, must be unchanged.
 * So does an invocation that is repeated: a state tries a function again that has died after its work, or whose answer was lost.
 */
export async function once(
  payload: Payload,
  objects: Pick<Objects, 'records' | 'write'>,
  act: () => Promise<StoreResult>,
): Promise<StoreResult> {
  const { root, resume = [] } = payload.b.attempt;
  const path = resultPath(payload.t, payload.r);
  const seen = fingerprint([payload.op, payload.k, payload.l as Value[]]);
  const recorded = objects.records(payload);
  for (const attempt of [root, ...resume]) {
    const record = (await recorded(attempt, path)) as { seen?: string; answer?: Mapping } | undefined;
    if (record === undefined) continue;
    if (record.seen !== seen || record.answer === undefined) break;
    return { ...record.answer, ...(attempt !== root && { replayed: true }) } as StoreResult;
  }
  const answer = await act();
  try {
    await objects.write(`${root}/${path}`, { v: 1, task: payload.t, seen, answer });
  } catch (error) {
    // What was done is not to be done again for this: without the record a resumed attempt does it again, and nothing else.
    logger.warn('the answer could not be recorded', { task: payload.t, error: error as Error });
  }
  return answer;
}
