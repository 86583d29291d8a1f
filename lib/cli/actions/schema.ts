import { readFile } from 'node:fs/promises';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { packageFile } from './package-file.ts';

export async function printSchema(terminal: Terminal, kind: string): Promise<number> {
  await terminal.stdout.write(await readFile(packageFile(`schemas/${kind}.schema.json`), 'utf8'));
  return EXIT.ok;
}
