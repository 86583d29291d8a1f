import type { Dirent } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { fitName } from '../language/project-config.ts';
import { type Action, examples } from './command.ts';
import { EXIT, usageError } from './exit-codes.ts';
import { commandName } from './invocation.ts';
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
  const { written, kept } = await writeProject(packageFile('templates/project'), target);
  const { colors } = terminal.stdout;
  const here = relative(terminal.cwd, target);
  const trowel = commandName(terminal.env);
  const steps = [...(here === '' ? [] : [`cd ${shellQuote(here)}`]), `${trowel} run main.dig`, `${trowel} check`];
  const left = kept.length === 0 ? '' : `Left as they were: ${kept.join(', ')}\n\n`;
  await terminal.stdout.write(
    `Wrote ${written.length} files to ${here === '' ? 'this folder' : here}:\n${written.map((file) => `  ${file}\n`).join('')}\n` +
      `${left}Next:\n${steps.map((step) => `  ${colors.bold(step)}\n`).join('')}`,
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

/** Copies the template; throws a usage error, before anything is written, if a file of the user's workflows would be overwritten. */
export async function writeProject(template: string, target: string): Promise<Written> {
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
    if (text.includes(NAME)) await writeFile(path, text.replaceAll(NAME, name));
  }
  return { written: missing.map(({ to }) => to).sort(), kept: existing.sort() };
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
