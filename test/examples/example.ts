import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { TROWEL } from '../trowel.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Example {
  /** Above the copy of the example. */
  readonly root: string;
  /** The copy. */
  readonly folder: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  /** `trowel …` in the copy. */
  trowel(...args: string[]): Promise<Result>;
  /** A command line as somebody would paste it, from `root` unless told otherwise; `trowel` is on its PATH. */
  shell(line: string, options?: { readonly cwd?: string; readonly stdin?: string }): Promise<Result>;
  /** The same on a terminal, answering: `[text to wait for, what to type]`. Both outputs are one. */
  onTerminal(line: string, answers: readonly (readonly [string, string])[]): Promise<Result>;
}

/** A copy of a folder of examples/ for a user of its own: no settings, no caches, nothing but the command. */
export async function example(name: string): Promise<Example> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'trowel-example-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
  const folder = join(root, name);
  const filter = (path: string): boolean => !/[\\/](\.trowel|__pycache__|data)$/.test(path);
  await cp(join(EXAMPLES, name), folder, { recursive: true, filter });
  const home = join(root, 'home');
  const bin = join(root, 'bin');
  await Promise.all([mkdir(home), mkdir(bin)]);
  await writeFile(join(bin, 'trowel'), `#!/bin/sh\nexec '${process.execPath}' '${TROWEL}' "$@"\n`);
  chmodSync(join(bin, 'trowel'), 0o755);
  const env = userEnv(home, bin);
  return {
    root,
    folder,
    home,
    env,
    trowel: (...args) => start(process.execPath, [TROWEL, ...args], { cwd: folder, env }),
    shell: (line, options) => start('sh', ['-c', line], { cwd: root, env, ...options }),
    onTerminal: (line, steps) => {
      const script = join(import.meta.dirname, '..', 'lib', 'cli', 'terminal.py');
      const spec = JSON.stringify({ argv: ['/bin/sh', '-c', line], cwd: root, env, steps });
      return new Promise((resolve) => {
        execFile('python3', [script, spec], (error, stdout) =>
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr: '' }),
        );
      });
    },
  };
}

/** This machine's environment without anything of npm's, of this user's or of Trowel's. */
export function userEnv(home: string, ...path: readonly string[]): NodeJS.ProcessEnv {
  const personal = /^(npm_|XDG_|TROWEL|PYTHON|VIRTUAL_ENV|CI$|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$|VITEST|INIT_CWD$)/i;
  const kept = Object.entries(process.env).filter(([name]) => !personal.test(name));
  const folders = (process.env.PATH ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
  return { ...Object.fromEntries(kept), HOME: home, PATH: [...path, ...folders].join(':') };
}

export function start(
  command: string,
  args: readonly string[],
  { cwd, env, stdin = '' }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly stdin?: string },
): Promise<Result> {
  const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part) => (stderr += part));
  child.stdin.on('error', () => {}).end(stdin);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
