/** Finds the project's folder, and the workflow in it that the user means. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { RequestFault, usageFault } from './request-fault.ts';
import { didYouMean } from './suggest.ts';

export interface Place {
  /** Absolute. */
  readonly folder: string;
  /** Relative to the user's current folder; empty if that is the project's. */
  readonly shown: string;
}

const MARK = 'trowel.yml';

/**
 * `--project`, if given; else the nearest folder with a trowel.yml at or above the workflow's file; else, as in digdag, the current folder if it
 * holds .dig files; else the folder of the workflow's file.
 */
export function findProject(
  cwd: string,
  options: { project?: string | undefined; workflow?: string | undefined },
): Place {
  if (options.project !== undefined) {
    const folder = resolve(cwd, options.project);
    if (!isFolder(folder)) throw usageFault(`--project ${options.project}: no such folder`);
    return place(cwd, folder);
  }
  const file = options.workflow === undefined ? undefined : existingFile(cwd, options.workflow);
  const start = file === undefined ? cwd : dirname(file);
  const marked = upwards(start).find((folder) => existsSync(join(folder, MARK)));
  if (marked !== undefined) return place(cwd, marked);
  return place(cwd, start === cwd || digFiles(cwd).length > 0 ? cwd : start);
}

/**
 * The name of a workflow: its path in the project, without .dig. Throws a RequestFault that lists the workflows if there is none of this
 * name.
 */
export function findWorkflow(cwd: string, { folder }: Place, argument: string | undefined, project?: string): string {
  const files = digFiles(folder);
  if (argument === undefined) {
    const [only] = files;
    if (only !== undefined && files.length === 1) return withoutEnding(only);
    if (files.length === 0)
      throw usageFault(`no .dig file in ${folder}`, 'Make a project with: trowel init my_project');
    throw usageFault('which workflow?', thereIs(folder, files));
  }
  const file = existingFile(project === undefined ? cwd : folder, argument) ?? existingFile(folder, argument);
  if (file === undefined) {
    const beside = dirname(argument) === '.' ? [] : digFiles(dirname(resolve(cwd, argument)));
    const candidates = beside.length === 0 ? files : beside.map((name) => join(dirname(argument), name));
    const hint = didYouMean(withoutEnding(argument), candidates.map(withoutEnding));
    const notes = [...(hint === undefined ? [] : [hint]), thereIs(folder, candidates)];
    if (isFolder(resolve(cwd, argument))) notes.unshift(`${argument} is a folder; as a project: --project ${argument}`);
    throw new RequestFault('failed', `workflow '${withoutEnding(argument)}' does not exist`, notes);
  }
  const path = relative(folder, file);
  if (path.startsWith('..')) throw usageFault(`${argument} is not in the project ${folder}`, 'Set --project DIR');
  return withoutEnding(path.split(sep).join('/'));
}

function thereIs(folder: string, files: readonly string[]): string {
  if (files.length === 0) return `No .dig file is in ${folder}`;
  return `There ${files.length === 1 ? 'is' : 'are'} ${files.join(', ')}`;
}

export function withoutEnding(name: string): string {
  return name.replace(/\.dig$/, '');
}

function existingFile(folder: string, argument: string): string | undefined {
  const path = resolve(folder, argument);
  return [path.endsWith('.dig') ? path : `${path}.dig`].find(isFile);
}

function digFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.dig') && !name.startsWith('.'))
      .sort();
  } catch {
    return [];
  }
}

function place(cwd: string, folder: string): Place {
  return { folder, shown: relative(cwd, folder) };
}

function upwards(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
