import { readFile, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReadReference, Reference } from '../../lambdas/launch/references.ts';
import type { Value } from '../language/workflow.ts';

/** Bytes; a larger value is shown to a template as its reference. */
const LARGEST = 16 * 1024 * 1024;

/**
 * Reads values by reference for templates: JSON alone, and only below `values/` of one of the attempts, for a reference may come
 * from a parameter file.
 */
export function referenceReader(roots: readonly string[]): ReadReference {
  return async (reference: Reference): Promise<Value | undefined> => {
    if (reference.kind !== 'json' || reference.bytes > LARGEST) return undefined;
    try {
      const bytes = await readValue(roots, reference);
      return bytes === undefined ? undefined : (JSON.parse(bytes.toString('utf8')) as Value);
    } catch {
      return undefined;
    }
  };
}

/** What a reference of any kind stands for, for a mail; undefined if it is not one of these attempts'. */
export async function readValue(roots: readonly string[], reference: Reference): Promise<Buffer | undefined> {
  try {
    const path = await realpath(fileURLToPath(reference['trowel:ref']));
    const folders = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)));
    if (!folders.some((root) => root !== undefined && path.startsWith(`${root}${sep}values${sep}`))) return undefined;
    return await readFile(path);
  } catch {
    return undefined;
  }
}
