/**
 * The Python of a project. Without requirements it is the `python3` on PATH (or `pythonX.Y` where trowel.yml says `python.version`),
 * used as it is. With requirements it is a virtual environment in the user's cache, `$XDG_CACHE_HOME/trowel/envs/HASH`, named
 * after what is in it: requirements, constraints and interpreter. Another requirement makes another environment; nothing is ever
 * written into the project, and an environment that is complete is never changed.
 *
 * An environment is made where it stays (its scripts name their interpreter by path), under a lock; the file `trowel.json` in it is
 * written last. Without that file it is a remnant and is made anew.
 */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { present } from '../asl/present.ts';
import { type Captured, capture } from '../host/capture.ts';
import { writeAtomically } from '../host/files.ts';
import { withLock } from '../host/lock.ts';
import { cacheFolder } from '../host/user-folders.ts';
import { differentVersions, installedVersions, readVersions, versionsFile, writeVersions } from '../host/versions.ts';
import type { Diagnostic } from '../language/diagnostic.ts';
import { installWay, lastLines } from './install-fault.ts';
import { pythonHint } from './python-hint.ts';

export interface PythonSettings {
  /** `3.9` … `3.14`. */
  readonly version?: string;
  /** A path relative to the project, or requirement lines; absent: nothing to install. */
  readonly requirements?: { readonly file: string } | { readonly lines: readonly string[] };
  /** A path relative to the project. */
  readonly constraints?: string;
}

export interface EnvironmentRequest {
  /** The project's folder. */
  readonly project: string;
  readonly python?: PythonSettings;
  /** Progress, for the user. */
  readonly notice: (message: string) => void;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

export type Environment =
  | {
      readonly ok: true;
      /** The interpreter, as a command. */
      readonly python: readonly string[];
      /** Variables for the worker and its tasks, with the environment's programs first on PATH. */
      readonly env: NodeJS.ProcessEnv;
      /** The virtual environment's folder, if it is one. */
      readonly folder?: string;
    }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

const READY = 'trowel.json';

/** Finds or makes the project's environment. Faults of the machine or of the project are diagnostics. */
export async function prepareEnvironment(request: EnvironmentRequest): Promise<Environment> {
  const env = request.env ?? process.env;
  const wanted = request.python?.version;
  const command = wanted === undefined ? 'python3' : `python${wanted}`;
  if (!onPath(command, env)) return missingPython(command, wanted, env);
  const read = readRequirements(request);
  if ('diagnostic' in read) return { ok: false, diagnostic: read.diagnostic };
  if (read.lines === 0) return { ok: true, python: [command], env };
  return virtualEnvironment(request, command, read, env);
}

/** Whether nothing has to be installed. If no environment can be made, that is known at once too. */
export function isPrepared(request: EnvironmentRequest): boolean {
  const read = readRequirements(request);
  return 'diagnostic' in read || read.lines === 0;
}

interface Requirements {
  /** Requirement lines in all; comments and blank lines are none. */
  readonly lines: number;
  /** Everything that decides what is installed. */
  readonly content: string;
  /** Arguments of `pip install`; lines that are in no file are written into the one given. */
  readonly args: (file: string) => readonly string[];
  readonly shown: string;
}

async function virtualEnvironment(
  request: EnvironmentRequest,
  command: string,
  requirements: Requirements,
  env: NodeJS.ProcessEnv,
): Promise<Environment> {
  const identity = await capture([command, '-c', IDENTITY], { env });
  if (identity.code !== 0) {
    const hint = pythonHint(identity.output);
    const notes = hint === undefined ? [lastLines(identity)] : [hint.way];
    return failed('python-version', `${command} does not run${hint === undefined ? '' : `: ${hint.reason}`}`, notes);
  }
  const folder = environmentFolder(identity.output, requirements.content, env);
  const ready: Environment = { ok: true, python: [join(folder, 'bin', 'python')], env: activated(folder, env), folder };
  if (existsSync(join(folder, READY))) return ready;
  const onWait = (pid: number): void =>
    request.notice(`Waiting for process ${pid}, which prepares the same Python environment`);
  const options = request.signal === undefined ? { onWait } : { onWait, signal: request.signal };
  return withLock(
    `${folder}.lock`,
    async () => {
      if (existsSync(join(folder, READY))) return ready;
      return (await build(request, command, requirements, folder, env)) ?? ready;
    },
    options,
  );
}

/** @param identity what IDENTITY prints, its line's end included */
function environmentFolder(identity: string, content: string, env: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256').update(`1\n${identity}\n${content}`).digest('hex').slice(0, 20);
  return join(cacheFolder(env), 'envs', hash);
}

/** The folder with the packages of an existing environment; `identity` is from `trowel_task lookup`. */
export async function preparedPackages(
  identity: string,
  content: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const folder = environmentFolder(`${identity}\n`, content, env);
  return existsSync(join(folder, READY)) ? sitePackages(folder) : undefined;
}

async function build(
  request: EnvironmentRequest,
  command: string,
  requirements: Requirements,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<Environment | undefined> {
  const began = Date.now();
  request.notice(`Preparing a Python environment for ${requirements.shown} (once; kept in ${folder})`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  const lines = `${folder}.txt`;
  const file = versionsFile(env, requirements.content);
  const decided = await readVersions(file);
  const args = [...requirements.args(lines), ...(decided === undefined ? [] : ['-c', file])];
  const uv = uvCommand(env);
  const steps =
    uv !== undefined
      ? [
          [uv, 'venv', '--quiet', '--python', command, folder],
          [uv, 'pip', 'install', '--python', join(folder, 'bin', 'python'), ...args],
        ]
      : [
          [command, '-m', 'venv', folder],
          [
            join(folder, 'bin', 'python'),
            ...['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off'],
            ...args,
          ],
        ];
  const onLine = (line: string): void => {
    if (/^(Collecting|Downloading|Building|Installing|Successfully|Resolved|Prepared|Installed)\b/.test(line.trim())) {
      request.notice(line.trim());
    }
  };
  const options = {
    env: { ...env, VIRTUAL_ENV: folder },
    cwd: request.project,
    onLine,
    ...present({ signal: request.signal }),
  };
  for (const [at, step] of steps.entries()) {
    let done = await capture(step, options);
    if (done.code !== 0 && at === 1 && decided !== undefined) done = await capture(step.slice(0, -2), options);
    if (done.code === 0) continue;
    await Promise.all([folder, lines].map((path) => rm(path, { recursive: true, force: true })));
    return at === 0 ? noVenv(command, done) : notInstalled(requirements, uv === undefined ? 'pip' : 'uv', done);
  }
  await rm(lines, { force: true });
  const installed = await installedVersions(await sitePackages(folder));
  if (decided === undefined) await writeVersions(file, installed);
  const different = differentVersions(installed, decided);
  if (different.length > 0)
    request.notice(
      `Versions here differ from those that were decided before, here or for AWS: ${different.join('; ')}`,
    );
  const about = { requirements: requirements.content.split('\n'), python: command, made: new Date().toISOString() };
  await writeAtomically(join(folder, READY), `${JSON.stringify(about, null, 2)}\n`);
  request.notice(`The Python environment is ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return undefined;
}

const IDENTITY = 'import sys, sysconfig; print(sys.version, sysconfig.get_platform(), sys.base_prefix)';

/** `lib/pythonX.Y/site-packages`. */
async function sitePackages(folder: string): Promise<string> {
  const [python = ''] = await readdir(join(folder, 'lib'));
  return join(folder, 'lib', python, 'site-packages');
}

/** As `activate` does. */
function activated(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PYTHONHOME: _, ...rest } = env;
  return { ...rest, VIRTUAL_ENV: folder, PATH: `${join(folder, 'bin')}${delimiter}${env.PATH ?? ''}` };
}

export function readRequirements(
  request: Pick<EnvironmentRequest, 'project' | 'python'>,
): Requirements | { readonly diagnostic: Diagnostic } {
  const { requirements, constraints } = request.python ?? {};
  const files: string[] = [];
  let lines = 0;
  try {
    const read = (path: string): string => {
      const full = resolve(request.project, path);
      if (files.includes(full)) return '';
      files.push(full);
      const text = readFileSync(full, 'utf8');
      const own = text.split(/\r?\n/).filter((line) => !/^\s*(#|$)/.test(line));
      lines += own.length;
      // Files that it names decide too.
      const named = own.flatMap((line) => /^\s*(?:-r|--requirement|-c|--constraint)[ =]\s*(\S+)/.exec(line)?.[1] ?? []);
      return [own.join('\n'), ...named.map((name) => read(relative(request.project, join(dirname(full), name))))].join(
        '\n',
      );
    };
    const limit = constraints === undefined ? [] : ['-c', constraints];
    const limits = constraints === undefined ? '' : `\nconstraints:\n${read(constraints)}`;
    if (requirements === undefined) return { lines: 0, content: '', args: () => [], shown: '' };
    if ('file' in requirements) {
      lines = 0;
      const content = read(requirements.file) + limits;
      return { lines, content, args: () => [...limit, '-r', requirements.file], shown: requirements.file };
    }
    const list = requirements.lines.filter((line) => !/^\s*(#|$)/.test(line));
    return {
      lines: list.length,
      content: list.join('\n') + limits,
      args: (file) => {
        writeFileSync(file, `${list.join('\n')}\n`);
        return [...limit, '-r', file];
      },
      shown: list.length > 3 ? `${list.length} requirements` : list.join(', '),
    };
  } catch (error) {
    const { message } = error as Error;
    return failed('python-requirements', `The Python requirements cannot be read: ${message}`, []);
  }
}

function missingPython(command: string, version: string | undefined, env: NodeJS.ProcessEnv): Environment {
  const others = ['python3', ...Array.from({ length: 8 }, (_, i) => `python3.${i + 8}`)].filter((one) =>
    onPath(one, env),
  );
  const message = `There is no command ${command} on PATH${version === undefined ? '' : `, and trowel.yml asks for Python ${version}`}`;
  const found = others.length > 0 ? [`On PATH there is: ${others.join(', ')}.`] : [];
  const way =
    version === undefined
      ? 'Install Python 3.9 or later (https://www.python.org/downloads/, or your system\'s package "python3").'
      : `Install Python ${version}, or change python.version in trowel.yml.`;
  return failed('python-version', message, [...found, way]);
}

function noVenv(command: string, done: Captured): Environment & { ok: false } {
  const hint = /ensurepip/.test(done.output)
    ? `On Debian and Ubuntu: apt install ${command === 'python3' ? 'python3-venv' : `${command}-venv`}; or install uv (https://docs.astral.sh/uv/).`
    : 'Installing uv (https://docs.astral.sh/uv/) is another way: Trowel uses it when it is on PATH.';
  return failed('python-requirements', `${command} cannot make a virtual environment`, [lastLines(done), hint]);
}

function notInstalled(requirements: Requirements, tool: 'pip' | 'uv', done: Captured): Environment & { ok: false } {
  const way = installWay(tool, done.output, requirements.shown);
  return failed('python-requirements', `${tool} could not install ${requirements.shown}`, [lastLines(done), way]);
}

function failed(code: Diagnostic['code'], message: string, notes: readonly string[]): Environment & { ok: false } {
  return { ok: false, diagnostic: { code, severity: 'error', message, notes: notes.filter((note) => note !== '') } };
}

/** uv on PATH, or the one that the making of a bundle has put into the user's cache. */
export function uvCommand(env: NodeJS.ProcessEnv): string | undefined {
  const cached = join(uvFolder(env), 'bin', 'uv');
  return onPath('uv', env) ? 'uv' : existsSync(cached) ? cached : undefined;
}

export function uvFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'uv');
}

/** Whether a command is an executable file in a folder of PATH. */
export function onPath(command: string, env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)));
}
