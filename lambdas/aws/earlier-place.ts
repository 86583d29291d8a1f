/**
 * Attempts from before workflows had folders: `attempts/EXECUTION` in place of `attempts/WORKFLOW/EXECUTION`. They can be resumed. No task may
 * read there, so what a record of such an attempt refers to is copied to where the attempt would be today; the runner looks for it there
 * (trowel_task/aws/remote.py). Functions read the old place themselves.
 */
import type { Value } from '../../lib/language/workflow.ts';

/** A value's file is named by its sha256. */
const VALUE = /^(s3:\/\/[^/]+\/attempts)\/([^/]+)(\/values\/[0-9a-f]{64}\b.*)$/s;
/** Bytes of a JSON value that is searched for references. */
const LARGEST = 16 * 1024 * 1024;

/** The old place of an attempt; undefined for one that is no attempt in a bucket. */
export function placeBefore(root: string): string | undefined {
  const [, attempts, , execution] = /^(s3:\/\/[^/]+\/attempts)\/([^/]+)\/([^/]+)$/.exec(root) ?? [];
  return execution === undefined ? undefined : `${attempts}/${execution}`;
}

/** A value by reference, as it was written then: with its address. */
interface Reference {
  readonly 'trowel:ref': string;
  readonly kind?: Value;
  readonly bytes?: Value;
}

export interface Copying {
  readonly bytes: (uri: string) => Promise<Buffer | undefined>;
  /** Within the bucket; one that is there already is left. */
  readonly copy: (from: string, to: string) => Promise<void>;
}

/** Copies the values at an old place that `record` refers to, and those that they refer to, for the attempts `roots`. */
export async function bringValues(record: Value, roots: readonly string[], objects: Copying): Promise<void> {
  const done = new Set<string>();
  const bring = async (value: Value): Promise<void> => {
    for (const reference of referencesIn(value)) {
      const { 'trowel:ref': uri, kind, bytes } = reference;
      const [, attempts, execution, rest] = VALUE.exec(uri) ?? [];
      const root = roots.find((each) => placeBefore(each) === `${attempts}/${execution}`);
      if (root === undefined || done.has(uri)) continue;
      done.add(uri);
      await objects.copy(uri, `${root}${rest}`);
      if (kind !== 'json' || Number(bytes) > LARGEST) continue;
      const text = (await objects.bytes(uri))?.toString('utf8') ?? 'null';
      if (text.includes('"trowel:ref"')) await bring(JSON.parse(text) as Value);
    }
  };
  await bring(record);
}

function referencesIn(value: Value): Reference[] {
  if (value === null || typeof value !== 'object') return [];
  if (!Array.isArray(value) && typeof value['trowel:ref'] === 'string') return [value as Value & Reference];
  return Object.values(value).flatMap(referencesIn);
}
