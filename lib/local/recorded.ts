import { fingerprint } from '../../lambdas/launch/hashes.ts';
import { resultPath } from '../../lambdas/launch/names.ts';
import type { Json } from '../asl/types.ts';
import type { Payload } from '../expression/wire.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import type { LocalFunction } from './functions.ts';
import { readRecord, writeRecord } from './results.ts';

/**
 * A function that acts on the world (http>, mail>, slack>, notify>) and does so once: a resumed attempt takes its answer over, as for
 * Python tasks. Everything the task sees, the attempt's own variables excepted, must be unchanged.
 */
export function recorded(fn: LocalFunction): LocalFunction {
  return async (given, call) => {
    const payload = given as unknown as Payload;
    const { root, resume = [] } = payload.b.attempt;
    const path = resultPath(payload.t, payload.r);
    const seen = fingerprint([payload.op, payload.k, payload.l as Value[]]);
    for (const earlier of resume) {
      const record = (await readRecord(earlier, path)) as { seen?: string; answer?: Mapping } | undefined;
      if (record === undefined) continue;
      if (record.seen !== seen || record.answer === undefined) break;
      return { ...record.answer, replayed: true } as Json;
    }
    const answer = await fn(given, call);
    await writeRecord(root, path, { v: 1, task: payload.t, seen, answer: answer as Mapping });
    return answer;
  };
}
