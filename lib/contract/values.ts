/**
 * Values in files of their own: this finds the file of a reference, and nothing else is ever read (docs/protocol.md, "Values"). ValueFiles
 * knows where the files are, here or in S3.
 */
import { createHash } from 'node:crypto';
import { isMergeable, isReference, MAP, REF, type Reference } from '../language/value-form.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { ERRORS, TrowelError } from './errors.ts';
import type { Payload } from './payload.ts';

/** Files of values, below `values/` of an attempt's root. */
export interface ValueFiles {
  /** Undefined if there is no such file. */
  read(root: string, name: string): Promise<Buffer | undefined>;
  write(root: string, name: string, content: Buffer): Promise<void>;
}

/** Values of one attempt. Those of attempts that it continues are read too. */
export interface Values {
  /** JSON in wire form. Throws TrowelError if the file is missing or its content has changed. */
  read(reference: Reference): Promise<Value>;
  bytes(reference: Reference): Promise<Buffer>;
  /** Writes JSON in wire form. */
  write(value: Value): Promise<Mapping & Reference>;
}

/** Files read at a time. */
const AT_ONCE = 32;
const SUFFIX: { readonly [kind: string]: string } = { json: '.json', bytes: '.bin', table: '.table.json' };

/** The roots below which an attempt's values are, its own first. */
export function rootsOf({ b }: Pick<Payload, 'b'>): readonly string[] {
  const { root, resume = [], values = [] } = b.attempt;
  return [root, ...resume, ...values];
}

export function valuesIn(files: ValueFiles, roots: readonly string[]): Values {
  const bytes = async (reference: Reference): Promise<Buffer> => {
    const name = fileOf(reference);
    for (const root of roots) {
      const found = await files.read(root, name);
      if (found === undefined) continue;
      if (hashOf(found) !== shaOf(reference))
        throw fault('is not the one that was stored: its sha256 is another', reference);
      return found;
    }
    throw fault('is gone, or not of this run', reference);
  };
  return {
    bytes,
    read: async (reference) => JSON.parse((await bytes(reference)).toString('utf8')) as Value,
    write: async (value) => {
      const content = Buffer.from(JSON.stringify(value));
      const reference = { [REF]: hashOf(content), kind: 'json', bytes: content.length } as Mapping & Reference;
      await files.write(roots[0] ?? '', fileOf(reference), content);
      return reference;
    },
  };
}

/** The file's name below `values/`. Throws TrowelError for a reference that no Trowel made. */
function fileOf(reference: Reference): string {
  const { kind, name = '' } = reference;
  const sha256 = shaOf(reference);
  if (!/^[0-9a-f]{64}$/.test(sha256) || !/^[a-z]+$/.test(kind))
    throw fault('cannot be read: its reference is wrong', reference);
  if (kind !== 'file') return sha256 + (SUFFIX[kind] ?? `.${kind}`);
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) throw fault('has no name', reference);
  return `${sha256}/${name}`;
}

/** References of earlier versions have an address there, and the hash in its own field. */
function shaOf(reference: Reference): string {
  const { sha256 } = reference as { sha256?: unknown };
  return typeof sha256 === 'string' ? sha256 : String(reference[REF]);
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function fault(what: string, reference: Reference): TrowelError {
  return new TrowelError(ERRORS.taskFailed, `A stored value (${reference.kind}, ${reference.bytes} bytes) ${what}`);
}

/** A mapping with its parts in files read, one level deep. */
export async function opened(mapping: Mapping, values: Pick<Values, 'read'>): Promise<Mapping[]> {
  const { [MAP]: parts, ...own } = mapping;
  if (!Array.isArray(parts)) return [mapping];
  const read = await inTurns(parts, async (part) => {
    const found = isReference(part) ? await values.read(part) : part;
    return isMergeable(found) ? opened(found, values) : [];
  });
  return [...read.flat(), ...(Object.keys(own).length === 0 ? [] : [own])];
}

/** `Promise.all`, a limited number at a time. */
export async function inTurns<A, B>(items: readonly A[], act: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(act))));
  }
  return results;
}

/** Bytes that a mapping, or a reference, has in files. */
export function bytesKept(value: Value): number {
  if (value === null || typeof value !== 'object') return 0;
  if (isReference(value)) return value.bytes;
  const items: readonly Value[] = Array.isArray(value) ? value : Object.values(value);
  return items.reduce((sum: number, item) => sum + bytesKept(item), 0);
}
