import { fingerprint } from '../../lib/contract/fingerprint.ts';
import { resultPath } from '../../lib/contract/names.ts';
import type { Payload, StoreResult } from '../../lib/contract/payload.ts';
import { type Acted, type ActedRecord, sameSecrets, versionsOf } from '../../lib/functions/acted.ts';
import { logger } from './logger.ts';
import type { Objects } from './objects.ts';

/**
 * What acts on the world (http>, mail>, slack>, notify>) does so once: a resumed attempt takes its answer over, as for Python tasks and by
 * the same record as here (lib/local/functions/recorded.ts). Everything the task sees, the attempt's own variables excepted, must be
 * unchanged. So does an invocation that is repeated: a state tries a function again that has died after its work, or whose answer was lost.
 */
export async function once(
  payload: Payload,
  objects: Pick<Objects, 'records' | 'write'>,
  secretVersion: (key: string) => Promise<string | undefined>,
  act: () => Promise<Acted>,
): Promise<StoreResult> {
  const { root, resume = [] } = payload.b.attempt;
  const path = resultPath(payload.t, payload.r);
  const seen = fingerprint([payload.op, payload.k, payload.l]);
  const recorded = objects.records(payload);
  for (const attempt of [root, ...resume]) {
    const record = (await recorded(attempt, path)) as Partial<ActedRecord> | undefined;
    if (record === undefined) continue;
    if (record.seen !== seen || record.answer === undefined) break;
    if (attempt !== root && !(await sameSecrets(record, secretVersion))) break;
    return { ...record.answer, ...(attempt !== root && { replayed: true }) } as StoreResult;
  }
  const { used = [], ...answer } = await act();
  try {
    const secrets = await versionsOf(used, secretVersion);
    await objects.write(`${root}/${path}`, { v: 1, task: payload.t, seen, answer, ...secrets });
  } catch (error) {
    // A record that cannot be written is no reason to act again. Without it, only a resumed attempt does.
    logger.warn('the answer could not be recorded', { task: payload.t, error: error as Error });
  }
  return answer;
}
