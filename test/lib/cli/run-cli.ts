import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { TROWEL } from '../../trowel.ts';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
}

/** A new folder with these files, removed after the tests of the file. */
export async function project(files: { readonly [path: string]: string } = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'trowel-cli-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** The real command in a process of its own, with settings and caches of its own; without a terminal. */
export async function trowel(args: readonly string[], options: CliOptions = {}): Promise<Result> {
  const home = await project();
  const child = spawn(process.execPath, [TROWEL, ...args], {
    cwd: options.cwd ?? home,
    env: cleanEnv(home, options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part) => (stderr += part));
  child.stdin.end(options.stdin ?? '');
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

export function cleanEnv(home: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NO_COLOR: _n, FORCE_COLOR: _f, CI: _c, TROWEL_DEBUG: _d, npm_command: _m, ...rest } = process.env;
  return { ...rest, HOME: home, XDG_CONFIG_HOME: join(home, 'config'), XDG_CACHE_HOME: join(home, 'cache'), ...more };
}
