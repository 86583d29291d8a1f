/**
 * What containers fetch before they run a task: one archive of `trowel_task/`, `project/` (the user's files) and `site-packages/`.
 * The same content gives the same bytes and so the same name. It is kept in the user's cache: what has not changed is not packed again.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../host/files.ts';
import { pythonPackageFolder } from '../host/package-folder.ts';
import { cacheFolder } from '../host/user-folders.ts';
import type { Diagnostic } from '../language/diagnostic.ts';
import { installSitePackages, type SitePackagesRequest } from './site-packages.ts';
import { writeZip, type ZipEntry } from './zip.ts';

export type Bundle =
  | {
      readonly ok: true;
      /** The archive, `<sha256>.zip`. */
      readonly file: string;
      readonly sha256: string;
      readonly bytes: number;
      /** Whether it was there already. */
      readonly cached: boolean;
      readonly warnings: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** Never deployed: files that tools make, that belong to this machine, or that hold secrets. */
export const IGNORED: ReadonlySet<string> = new Set([
  ...['.git', '.hg', '.svn', '.trowel', '.digdag', 'node_modules', 'cdk.out', '.venv', 'venv', '.tox'],
  ...['.pytest_cache', '.mypy_cache', '.ruff_cache', '.ipynb_checkpoints', '.idea', '.vscode', '.DS_Store', '.env'],
]);
/** The tarball of `npm pack` from which a project may have this program. */
const OWN_TARBALL = /^trowel-\d[\w.+-]*\.tgz$/;
export const OWN_TARBALLS = 'trowel-*.tgz';

/** @param name name of a file or folder, without its path */
export function isIgnored(name: string): boolean {
  return IGNORED.has(name) || OWN_TARBALL.test(name);
}

const FORMAT = 1;

export async function makeBundle(request: SitePackagesRequest): Promise<Bundle> {
  const site = await installSitePackages(request);
  if (!site.ok) return site;
  const own = [
    ...(await filesOf(join(pythonPackageFolder(), 'trowel_task'), 'trowel_task')),
    ...(await filesOf(request.project, 'project', isIgnored)),
  ].sort(byPath);
  const contents = createHash('sha256').update(`${FORMAT}\n${site.hash}\n`);
  for (const { path, executable, read } of own) {
    const hash = createHash('sha256')
      .update(await read())
      .digest('hex');
    contents.update(`${hash} ${executable ? 'x' : '-'} ${path}\n`);
  }
  const folder = join(cacheFolder(request.env), 'bundles');
  const known = join(folder, `${contents.digest('hex').slice(0, 32)}.json`);
  const { warnings } = site;
  const before = await readKnown(known, folder);
  if (before !== undefined) return { ok: true, ...before, cached: true, warnings };
  await mkdir(folder, { recursive: true });
  // An app of the user's own may load several projects at once.
  const making = join(folder, `${randomUUID()}.making`);
  try {
    const entries = [...own, ...(await filesOf(site.folder, 'site-packages'))].sort(byPath);
    const { sha256, bytes } = await writeZip(making, entries);
    const file = join(folder, `${sha256}.zip`);
    await rename(making, file);
    await writeAtomically(known, JSON.stringify({ sha256, bytes }));
    return { ok: true, file, sha256, bytes, cached: false, warnings };
  } catch (error) {
    await rm(making, { force: true });
    if (!(error instanceof RangeError)) throw error;
    return {
      ok: false,
      diagnostic: {
        code: 'project-file',
        severity: 'error',
        message: `The project and its requirements are too large for one bundle: ${error.message}`,
        notes: ['Move data out of the project folder, or build an image: `dockerfile: Dockerfile` in trowel.yml.'],
      },
    };
  }
}

async function readKnown(
  known: string,
  folder: string,
): Promise<{ readonly file: string; readonly sha256: string; readonly bytes: number } | undefined> {
  const text = await readFile(known, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { sha256, bytes } = JSON.parse(text) as { sha256: string; bytes: number };
  const file = join(folder, `${sha256}.zip`);
  return existsSync(file) ? { file, sha256, bytes } : undefined;
}

/** Code units, not the locale: the order is part of the bytes. */
function byPath(a: ZipEntry, b: ZipEntry): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/**
 * Files below a folder, but for compiled Python and what `ignored` says. Links count as what they lead to; one that leads nowhere, or back
 * to a folder above, as nothing.
 */
async function filesOf(
  folder: string,
  prefix: string,
  ignored: (name: string) => boolean = () => false,
  above: readonly string[] = [],
): Promise<ZipEntry[]> {
  const real = await realpath(folder);
  if (above.includes(real)) return [];
  const found: ZipEntry[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === '__pycache__' || entry.name.endsWith('.pyc') || ignored(entry.name)) continue;
    const file = join(folder, entry.name);
    const path = `${prefix}/${entry.name}`;
    const about = await stat(file).catch(() => undefined);
    if (about?.isDirectory()) found.push(...(await filesOf(file, path, ignored, [...above, real])));
    else if (about?.isFile()) found.push({ path, executable: (about.mode & 0o111) !== 0, read: () => readFile(file) });
  }
  return found;
}
