import { parseMapping, readRequested } from '../../language/mapping-file.ts';
import type { Mapping } from '../../language/workflow.ts';

/** A file that the user names; `-` is standard input. */
export async function readText(folder: string, file: string): Promise<string> {
  return file === '-' ? readStdin() : readRequested(folder, file);
}

/** A YAML or JSON file of `key: value`. */
export async function readMapping(folder: string, file: string): Promise<Mapping> {
  return parseMapping(file, await readText(folder, file));
}

export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
