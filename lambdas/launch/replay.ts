/** Results of earlier attempts: when one may stand for running the task again, and what is answered then. */
import type { Payload, StoreResult } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';
import type { Hashes } from './compute.ts';
import { baseLayers, isMapping, merged } from './layers.ts';
import { resultPath } from './names.ts';

/** What the runner writes at `Assignment.result` after a success (docs/protocol.md, section "Records"). */
export interface ResultRecord {
  readonly v: number;
  readonly task: string;
  /** Fingerprint of the task's own keys. */
  readonly keys: string;
  /** Fingerprints of the parameters that it read. */
  readonly read: { readonly [name: string]: string };
  readonly stored: Mapping;
  readonly seconds?: number;
}

export type ReadRecord = (root: string, path: string) => Promise<Value | undefined>;

type Replayed = StoreResult & { readonly replayed: true; readonly seconds?: number };

/**
 * The result of the same task and try in the nearest earlier attempt that has one, if what the task read is unchanged. A parameter
 * that the task read and that is gone counts as changed.
 */
export async function findResult(
  payload: Payload,
  hashes: Hashes,
  roots: readonly string[],
  read: ReadRecord,
): Promise<Replayed | undefined> {
  const path = resultPath(payload.t, payload.r);
  for (const root of roots) {
    const record = await read(root, path);
    if (!isRecord(record) || record.task !== payload.t) continue;
    return matches(record, hashes) ? answer(payload, record) : undefined;
  }
  return undefined;
}

function matches(record: ResultRecord, hashes: Hashes): boolean {
  return (
    record.keys === hashes.keys &&
    Object.entries(record.read).every(([name, hash]) => (hashes.params[name] ?? '') === hash)
  );
}

function answer(payload: Payload, record: ResultRecord): Replayed {
  const more = { replayed: true, ...(record.seconds === undefined ? {} : { seconds: record.seconds }) } as const;
  if (payload.m === undefined) return { stored: record.stored, ...more };
  return { s: [...baseLayers(payload), record.stored].reduce(merged, {}), ...more };
}

function isRecord(value: Value | undefined): value is Value & ResultRecord {
  if (!isMapping(value)) return false;
  return typeof value.keys === 'string' && isMapping(value.read) && isMapping(value.stored);
}
