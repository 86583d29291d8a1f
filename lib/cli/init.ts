import { type Dirent, readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { fitName } from '../language/project-config.ts';
import { type Action, examples } from './command.ts';
import { EXIT, usageError } from './exit-codes.ts';
import { commandName } from './invocation.ts';
import { ownOrigin } from './own-origin.ts';
import { packageFile } from './package-file.ts';
import type { Terminal } from './terminal.ts';
import { shellQuote } from './text.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Writes a new project: workflows, Python tasks, parameters, a test. Never overwrites a file.')
    .argument('[dir]', 'folder of the project; made if it is not there', '.')
    .addHelpText('after', examples(['trowel init my_project', ''], ['cd my_project && trowel run main.dig', '']))
    .action((dir: string) => run((terminal) => init(terminal, dir)));
}

async function init(terminal: Terminal, dir: string): Promise<number> {
  const target = resolve(terminal.cwd, dir);
  const template = packageFile('templates/project');
  const origin = ownOrigin();
  const { written, kept } = await writeProject(template, target, origin);
  const { colors } = terminal.stdout;
  const here = relative(terminal.cwd, target);
  const trowel = commandName(terminal.env);
  const steps = [...(here === '' ? [] : [`cd ${shellQuote(here)}`]), `${trowel} run main.dig`, `${trowel} check`];
  const packages = kept.includes('package.json') ? missingPackages(template, target, origin) : [];
  const install = `npm install${packages.length === 0 ? '' : ` --save-dev ${packages.join(' ')}`}`;
  const deploy = [install, 'npx cdk bootstrap', 'npx cdk deploy'];
  const list = (commands: readonly string[]): string =>
    commands.map((command) => `  ${colors.bold(command)}\n`).join('');
  const left = kept.length === 0 ? '' : `Left as they were: ${kept.join(', ')}\n\n`;
  await terminal.stdout.write(
    `Wrote ${written.length} files to ${here === '' ? 'this folder' : here}:\n${written.map((file) => `  ${file}\n`).join('')}\n` +
      `${left}Next:\n${list(steps)}\nOn AWS, with credentials there:\n${list(deploy)}`,
  );
  return EXIT.ok;
}

/** Names in the template that npm would not pack as they are. */
const RENAMED: { readonly [name: string]: string } = { gitignore: '.gitignore' };
/** What a folder often has before it becomes a project, e.g. by `npm install`: it stays as it is. */
const KEPT: readonly string[] = ['package.json', '.gitignore', 'README.md'];
/** Stands in the template's package.json; the folder's name takes its place. */
const NAME = 'my-workflows';

export interface Written {
  /** Paths below the project, in order. */
  readonly written: readonly string[];
  /** Files of the template that were there already. */
  readonly kept: readonly string[];
}

/**
 * Copies the template; throws a usage error, before anything is written, if a file of the user's workflows would be overwritten.
 * @param origin a tarball or folder that package.json names in place of a version of Trowel
 */
export async function writeProject(template: string, target: string, origin?: string): Promise<Written> {
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
  const missing = plan.filter(({ to }) => !existing.includes(to));
  for (const { from, to } of missing) {
    const path = join(target, to);
    await mkdir(dirname(path), { recursive: true });
    await copyFile(from, path);
    const text = await readFile(path, 'utf8');
    const own = to === 'package.json' && origin !== undefined ? withOrigin(text, relative(target, origin)) : text;
    if (own !== text || text.includes(NAME)) await writeFile(path, own.replaceAll(NAME, name));
  }
  return { written: missing.map(({ to }) => to).sort(), kept: existing.sort() };
}

interface Manifest {
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
}

function withOrigin(text: string, path: string): string {
  const manifest = JSON.parse(text) as Manifest;
  const devDependencies = { ...manifest.devDependencies, trowel: `file:${path.replaceAll('\\', '/')}` };
  return `${JSON.stringify({ ...manifest, devDependencies }, null, 2)}\n`;
}

/** `name@version` of what the template's package.json has and the user's own, which stays as it is, has not. */
function missingPackages(template: string, target: string, origin: string | undefined): string[] {
  const read = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const own = read(target);
  const present = { ...own.dependencies, ...own.devDependencies };
  const wanted = Object.entries(read(template).devDependencies ?? {});
  return wanted
    .filter(([name]) => !(name in present))
    .map(([name, version]) =>
      name === 'trowel' && origin !== undefined
        ? shellQuote(relative(target, origin))
        : shellQuote(`${name}@${version}`),
    );
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
