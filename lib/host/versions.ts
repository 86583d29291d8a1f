/**
 * The versions that requirements were resolved to, in the user's cache, under the hash of requirements and constraints. The first to
 * install them (a run here, or a bundle for AWS) decides, and the other takes the same, so that the versions tried here are deployed.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomically } from './files.ts';
import { cacheFolder } from './user-folders.ts';

/** Versions by normalised name. */
export type Versions = ReadonlyMap<string, string>;

/** A file of lines `name==version`: a constraints file of pip and of uv. */
export function versionsFile(env: NodeJS.ProcessEnv, content: string): string {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 20);
  return join(cacheFolder(env), 'versions', `${hash}.txt`);
}

/** Undefined: nobody has installed them yet. */
export async function readVersions(file: string): Promise<Versions | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  return new Map(
    text.split('\n').flatMap((line) => (line.includes('==') ? [line.split('==') as [string, string]] : [])),
  );
}

export async function writeVersions(file: string, versions: Versions): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const lines = [...versions].map(([name, version]) => `${name}==${version}\n`).sort();
  await writeAtomically(file, lines.join(''));
}

/** `numpy 2.1 here, 2.0 there` for each package that both have in another version. */
export function differentVersions(
  here: Versions | undefined,
  there: Versions | undefined,
  where: string = 'before',
): string[] {
  return [...(here ?? [])].flatMap(([name, own]) => {
    const other = there?.get(name);
    return other === undefined || other === own ? [] : [`${name} ${own} here, ${other} ${where}`];
  });
}

/** The packages installed in a folder, from the names of its `.dist-info` folders. pip itself is left out. */
export async function installedVersions(folder: string): Promise<Versions> {
  const found = new Map<string, string>();
  for (const entry of (await readdir(folder)).sort()) {
    const [, name, version] = /^(.+?)-([^-]+)\.dist-info$/.exec(entry) ?? [];
    if (name !== undefined && version !== undefined && name !== 'pip') found.set(normalised(name), version);
  }
  return found;
}

/** The name as PEP 503 normalises it. */
export function normalised(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-');
}
