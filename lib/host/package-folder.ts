import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Finds a file or folder of this npm package by its path in the package. The search goes upwards, since this code is in lib/host in the
 * repository and in dist/ or dist/chunks when bundled. Undefined if it is missing.
 */
export function findInPackage(path: string, from: string = fileURLToPath(import.meta.url)): string | undefined {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const found = join(folder, path);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

export function packageFolder(path: string): string {
  const found = findInPackage(path);
  if (found === undefined) throw new Error(`${path} is missing from the installed package trowel`);
  return found;
}

/** The folder that holds the Python package trowel_task. */
export function pythonPackageFolder(): string {
  return dirname(packageFolder(join('task-images', 'python', 'src', 'trowel_task')));
}
