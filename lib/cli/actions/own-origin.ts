/** Where npm has this program from, if not from a registry: then a new project cannot ask the registry for it either. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageFile } from './package-file.ts';

interface Lock {
  readonly packages?: { readonly [path: string]: { readonly resolved?: string } | undefined };
}

/** The absolute path of a tarball or of a clone of the repository; undefined: a registry has it. */
export function ownOrigin(packageJson: string = packageFile('package.json')): string | undefined {
  const folder = dirname(packageJson);
  const modules = dirname(folder);
  // A clone, or a link to one: it is not among what npm has unpacked.
  if (!/[\\/]node_modules$/.test(modules)) return folder;
  const lock = join(modules, '.package-lock.json');
  if (!existsSync(lock)) return undefined;
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as Lock;
  const resolved = packages?.['node_modules/trowel']?.resolved;
  return resolved?.startsWith('file:') ? resolve(dirname(modules), resolved.slice('file:'.length)) : undefined;
}
