import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError, EXIT } from './exit-codes.ts';

/**
 * A file or folder of the npm package by its path there. Looked for upwards, since this code lies in lib/cli in the repository and
 * somewhere in dist/ when bundled.
 */
export function packageFile(path: string, from: string = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const found = join(folder, path);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) {
      throw new CliError(EXIT.environment, `${path} is missing from the installed package`, ['Install trowel again']);
    }
  }
}
