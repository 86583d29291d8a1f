/** Records of what acts on the world (http>, mail>, slack>, notify>), here and on AWS. */
import type { StoreResult } from '../contract/payload.ts';
import type { Mapping } from '../language/workflow.ts';

/** An answer, with the keys of the secrets that it may depend on, as stored. */
export type Acted = StoreResult & { readonly used?: readonly string[] };

export interface ActedRecord {
  readonly v: 1;
  readonly task: string;
  /** Fingerprint of what the task saw. */
  readonly seen: string;
  readonly answer: Mapping;
  /** Versions of the secrets that the task used, by key. */
  readonly secrets?: { readonly [key: string]: string };
}

type Version = (key: string, like?: string) => Promise<string | undefined>;

export async function versionsOf(keys: readonly string[], version: Version): Promise<Pick<ActedRecord, 'secrets'>> {
  const entries = await Promise.all([...new Set(keys)].map(async (key) => [key, await version(key)] as const));
  const known = entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return known.length === 0 ? {} : { secrets: Object.fromEntries(known) };
}

export async function sameSecrets({ secrets = {} }: Partial<ActedRecord>, version: Version): Promise<boolean> {
  const same = Object.entries(secrets).map(async ([key, before]) => (await version(key, before)) === before);
  return (await Promise.all(same)).every(Boolean);
}
