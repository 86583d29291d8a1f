import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = join('task-images', 'python', 'src');

/**
 * The folder that holds the Python package trowel_task. It is below the npm package's root: one or two levels above this file
 * in the repository (lib/local) and in an installed package (dist, dist/chunks).
 */
export function pythonPackageFolder(from: string = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from), up = dirname(folder); up !== folder; folder = up, up = dirname(up)) {
    const found = join(folder, SOURCE);
    if (existsSync(join(found, 'trowel_task'))) return found;
  }
  return join(dirname(dirname(dirname(from))), SOURCE);
}
