/** A new project from the template of the package. */
import type { Dirent } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fitName } from '../../language/config/project-config.ts';
import { usageFault } from '../../language/request-fault.ts';
import { completedManifest, withOrigin } from './manifest.ts';

/** Names in the template that npm would not pack as they are. */
const RENAMED: { readonly [name: string]: string } = { gitignore: '.gitignore' };
/** What a folder often has before it becomes a project, e.g. by `npm install`: it stays as it is. */
const KEPT: readonly string[] = ['package.json', '.gitignore', 'README.md', '.vscode/settings.json'];
/** In the template's package.json; the folder's name takes its place. */
const NAME = 'my-workflows';

export interface Written {
  /** Paths below the project, in order. */
  readonly written: readonly string[];
  /** Files of the template that were there already, and were not changed. */
  readonly kept: readonly string[];
  /** What a package.json that was there already lacked, for people. */
  readonly added: readonly string[];
}

export interface Origins {
  /** A tarball or folder that package.json names in place of a version of Trowel. */
  readonly origin?: string | undefined;
  /** Version of Python for trowel.yml. */
  readonly python?: string | undefined;
}

/**
 * Copies the template; throws a usage error, before anything is written, if a file of the user's workflows would be overwritten. A package.json
 * gets what it lacks.
 */
export async function writeProject(template: string, target: string, origins: Origins = {}): Promise<Written> {
  const files = await listFiles(template);
  const plan = files.map((file) => {
    const name = basename(file);
    return { from: join(template, file), to: join(dirname(file), RENAMED[name] ?? name) };
  });
  const existing = (
    await Promise.all(plan.map(async ({ to }) => ((await exists(join(target, to))) ? [to] : [])))
  ).flat();
  const endangered = existing.filter((to) => !KEPT.includes(to));
  if (endangered.length > 0) {
    throw usageFault(`would overwrite ${endangered.sort().join(', ')}`, 'Name a new folder: trowel init my_project');
  }
  const name = fitName(basename(target));
  const own = (to: string, text: string): string => {
    if (to === 'package.json') return withOrigin(text, target, origins.origin).replaceAll(NAME, name);
    return to === 'trowel.yml' ? withPython(text, origins.python) : text.replaceAll(NAME, name);
  };
  const manifest = plan.find(({ to }) => to === 'package.json');
  const completed =
    manifest !== undefined && existing.includes('package.json')
      ? completedManifest(
          await readFile(join(target, 'package.json'), 'utf8'),
          own('package.json', await readFile(manifest.from, 'utf8')),
        )
      : undefined;
  const missing = plan.filter(({ to }) => !existing.includes(to));
  for (const { from, to } of missing) {
    const path = join(target, to);
    await mkdir(dirname(path), { recursive: true });
    await copyFile(from, path);
    const text = await readFile(path, 'utf8');
    const changed = own(to, text);
    if (changed !== text) await writeFile(path, changed);
  }
  const added = completed?.added ?? [];
  if (completed !== undefined && added.length > 0) await writeFile(join(target, 'package.json'), completed.text);
  return {
    written: missing.map(({ to }) => to).sort(),
    kept: existing.filter((to) => to !== 'package.json' || added.length === 0).sort(),
    added,
  };
}

function withPython(text: string, version: string | undefined): string {
  if (version === undefined) return text;
  return text.replace(/# python:\n# ( +version: ").*"\n# ( +)(.*)\n/, `python:\n$1${version}"\n$2# $3\n`);
}

async function listFiles(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
