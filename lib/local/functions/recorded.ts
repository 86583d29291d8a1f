import type { Json } from '../../asl/types.ts';
import { fingerprint } from '../../contract/fingerprint.ts';
import { resultPath } from '../../contract/names.ts';
import type { Payload } from '../../contract/payload.ts';
import { type Acted, type ActedRecord, sameSecrets, versionsOf } from '../../functions/acted.ts';
import type { Mapping } from '../../language/workflow.ts';
import { readRecord, writeRecord } from '../results.ts';
import type { LocalFunction } from './invoke.ts';

/**
 * A function that acts on the world (http>, mail>, slack>, notify>) and does so once: a resumed attempt takes its answer over, as for
 * Python tasks. Everything the task sees, the attempt's own variables excepted, must be unchanged, and so must the secrets that it
 * says it has used: those which its answer may depend on.
 */
export function recorded(
  fn: LocalFunction,
  secretVersion: (key: string, like?: string) => Promise<string | undefined>,
): LocalFunction {
  return async (given, call) => {
    const payload = given as Payload;
    const { root, resume = [] } = payload.b.attempt;
    const path = resultPath(payload.t, payload.r);
    const seen = fingerprint([payload.op, payload.k, payload.l]);
    for (const earlier of resume) {
      const record = (await readRecord(earlier, path)) as Partial<ActedRecord> | undefined;
      if (record === undefined) continue;
      if (record.seen !== seen || record.answer === undefined || !(await sameSecrets(record, secretVersion))) break;
      return { ...record.answer, replayed: true } as Json;
    }
    const { used = [], ...answer } = (await fn(given, call)) as Acted;
    const secrets = await versionsOf(used, secretVersion);
    await writeRecord(root, path, { v: 1, task: payload.t, seen, answer: answer as Mapping, ...secrets });
    return answer as Json;
  };
}
