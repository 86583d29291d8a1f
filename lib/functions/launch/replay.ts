/** Results of earlier attempts: when one may replace running the task again, and what is answered then. */

import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import { fingerprint } from '../../contract/fingerprint.ts';
import type { Payload, StoreResult } from '../../contract/payload.ts';
import { baseLayers, merged } from '../../contract/stores.ts';
import type { Mapping, Value } from '../../language/workflow.ts';

/** What the runner writes at `Assignment.result` after a success (docs/protocol.md). */
export type ResultRecord = {
  readonly v: number;
  readonly task: string;
  /** Fingerprint of the task's own keys, evaluated. */
  readonly keys: string;
  /** Fingerprint of its `_env`. */
  readonly env: string;
  /** Fingerprints of the parameters that the task read; empty for one that was not set. */
  readonly read: { readonly [name: string]: string };
  /** sha256 of the file with the task's code; null where there is none (sh>). */
  readonly module?: string | null;
  /** Versions of the secrets that the task got, by key. */
  readonly secrets?: { readonly [key: string]: string };
  /** Fingerprint of the layers that `result.s` was merged upon, where some of it is in files. */
  readonly base?: string;
  /** What the task itself stored. Without it the recorded answer is given again. */
  readonly stored?: Mapping;
  readonly result: StoreResult & { readonly seconds?: number };
};

export type ReadRecord = (root: string, path: string) => Promise<Value | undefined>;

export type Replayed = StoreResult & { readonly replayed: true; readonly seconds?: number };

/** What a task is about to see. */
export interface Input {
  readonly params: Mapping;
  readonly keys: readonly string[];
  readonly env: Mapping;
}

/** Whether the task would read the same values as when the record was made. */
export function unchanged(record: ResultRecord, input: Input): boolean {
  const { params, keys, env } = input;
  const own = Object.fromEntries(
    keys.flatMap((key) => (Object.hasOwn(params, key) ? [[key, params[key] ?? null]] : [])),
  );
  return (
    record.keys === fingerprint(own) &&
    record.env === fingerprint(env) &&
    Object.entries(record.read).every(([name, hash]) => hash === fingerprintOf(params, name))
  );
}

function fingerprintOf(params: Mapping, name: string): string {
  return Object.hasOwn(params, name) ? fingerprint(params[name] ?? null) : '';
}

/** Merges the record's own stores with the present layers: values that the task did not read may have changed. */
export function replay(payload: Pick<Payload, 'l' | 'm'>, record: ResultRecord): Replayed {
  const { s, seconds } = record.result;
  const stored = record.stored ?? record.result.stored;
  const more = { replayed: true, ...present({ seconds }) } as const;
  if (payload.m === undefined) return { stored: stored ?? {}, ...more };
  const base = baseLayers(payload);
  const same = record.base !== undefined && record.base === fingerprint(base);
  if (stored === undefined || (same && s !== undefined)) return { s: s ?? {}, ...more };
  return { s: [...base, stored].reduce(merged, {}), ...more };
}

export function asRecord(value: Value | undefined): ResultRecord | undefined {
  if (!isMapping(value) || value.v !== 1 || !isMapping(value.read) || !isMapping(value.result)) return undefined;
  return value as ResultRecord;
}
