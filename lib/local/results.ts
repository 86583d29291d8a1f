import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../host/files.ts';
import type { Value } from '../language/workflow.ts';

/** A record below an attempt's folder; undefined where there is none or it is not whole. */
export async function readRecord(root: string, path: string): Promise<Value | undefined> {
  try {
    return JSON.parse(await readFile(join(root, path), 'utf8')) as Value;
  } catch {
    return undefined;
  }
}

/** Records a result, whole or not at all. */
export async function writeRecord(root: string, path: string, record: Value): Promise<void> {
  await writeAtomically(join(root, path), JSON.stringify(record), 0o600);
}
