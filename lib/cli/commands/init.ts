import type { Dirent } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { isMapping } from '../../asl/json.ts';
import { plural } from '../../events/text.ts';
import { capture } from '../../host/capture.ts';
import { fitName } from '../../language/config/project-config.ts';
import { EXIT, usageError } from '../exit-codes.ts';
import { commandName } from '../invocation.ts';
import { ownOrigin } from '../own-origin.ts';
import { packageFile } from '../package-file.ts';
import { shellQuote } from '../render/text.ts';
import type { Terminal } from '../terminal.ts';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Writes a new project: workflows, Python tasks, parameters, a test. Never overwrites a file.')
    .argument('[dir]', 'folder of the project; made if it is not there', '.')
    .addHelpText('after', examples(['trowel init my_project', ''], ['cd my_project && trowel run main.dig', '']))
    .action((dir: string) => run((terminal) => init(terminal, dir)));
}

async function init(terminal: Terminal, dir: string): Promise<number> {
  const target = resolve(terminal.cwd, dir);
  const version = await pythonHere(terminal.env);
  const { written, kept, added } = await writeProject(packageFile('templates/project'), target, {
    origin: ownOrigin(),
    python: version,
  });
  const { colors } = terminal.stdout;
  const here = relative(terminal.cwd, target);
  const trowel = commandName(terminal.env);
  const steps = [...(here === '' ? [] : [`cd ${shellQuote(here)}`]), `${trowel} run main.dig`, `${trowel} check`];
  const deploy = ['npm install', 'npx cdk bootstrap', 'npx cdk deploy'];
  const list = (commands: readonly string[]): string =>
    commands.map((command) => `  ${colors.bold(command)}\n`).join('');
  const left = kept.length === 0 ? '' : `Left as they were: ${kept.join(', ')}\n\n`;
  const more = added.length === 0 ? '' : `Added to package.json: ${added.join(', ')}\n\n`;
  await terminal.stdout.write(
    `Wrote ${plural(written.length, 'file')} to ${here === '' ? 'this folder' : here}:\n${written.map((file) => `  ${file}\n`).join('')}\n` +
      `${more}${left}Next:\n${list(steps)}\nOn AWS, with credentials there:\n${list(deploy)}`,
  );
  return EXIT.ok;
}

/** `3.11`, of `python3`; undefined where the command of that version is missing too, which `python.version` asks for, or Trowel does not know it. */
async function pythonHere(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const version = async (command: string): Promise<string | undefined> => {
    const asked = await capture([command, '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { env });
    return asked.code === 0 ? asked.output.trim() : undefined;
  };
  const found = await version('python3');
  const { PYTHON_VERSIONS } = await import('../../language/config/project-config.ts');
  if (found === undefined || !PYTHON_VERSIONS.some((known) => known === found)) return undefined;
  return (await version(`python${found}`)) === found ? found : undefined;
}

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
    throw usageError(`would overwrite ${endangered.sort().join(', ')}`, 'Name a new folder: trowel init my_project');
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

interface Manifest {
  readonly scripts?: { readonly [name: string]: string };
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
}

function withOrigin(text: string, target: string, origin: string | undefined): string {
  if (origin === undefined) return text;
  const manifest = JSON.parse(text) as Manifest;
  const path = relative(target, origin).replaceAll('\\', '/');
  const devDependencies = { ...manifest.devDependencies, trowel: `file:${path}` };
  return `${JSON.stringify({ ...manifest, devDependencies }, null, 2)}\n`;
}

/** The user's package.json with the packages and scripts of the template that it lacks. */
function completedManifest(
  text: string,
  template: string,
): { readonly text: string; readonly added: readonly string[] } {
  const own = parsedManifest(text);
  const wanted = JSON.parse(template) as Manifest;
  const present = { ...own.dependencies, ...own.devDependencies };
  const packages = Object.entries(wanted.devDependencies ?? {}).filter(([name]) => !(name in present));
  const scripts = Object.entries(wanted.scripts ?? {}).filter(([name]) => !(name in (own.scripts ?? {})));
  const whole = {
    ...own,
    ...(scripts.length > 0 && { scripts: { ...own.scripts, ...Object.fromEntries(scripts) } }),
    ...(packages.length > 0 && { devDependencies: { ...own.devDependencies, ...Object.fromEntries(packages) } }),
  };
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? 2;
  return {
    text: `${JSON.stringify(whole, null, indent)}\n`,
    added: [
      ...packages.map(([name, version]) => `${name} ${version}`),
      ...(scripts.length > 0 ? [`scripts ${scripts.map(([name]) => name).join(', ')}`] : []),
    ],
  };
}

function parsedManifest(text: string): Manifest {
  try {
    const manifest: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    if (isMapping(manifest)) return manifest;
  } catch {
    // Said below.
  }
  throw usageError('package.json is no JSON object', 'Mend it, or name a new folder: trowel init my_project');
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
