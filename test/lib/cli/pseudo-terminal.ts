import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { TROWEL } from '../../trowel.ts';
import { cleanEnv } from './run-cli.ts';
import { screen } from './screen.ts';

export interface Shown {
  readonly code: number;
  readonly text: string;
  /** As the terminal of 80 columns shows it at the end. */
  readonly lines: readonly string[];
}

export type Step = readonly [waitFor: string, type: string];

/** The real command on a pseudo-terminal, for 25 s at most. */
export async function onTerminal(
  cwd: string,
  args: readonly string[],
  steps: readonly Step[] = [],
  more: NodeJS.ProcessEnv = {},
): Promise<Shown> {
  const env = { ...cleanEnv(cwd, more), TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
  const spec = JSON.stringify({ argv: [process.execPath, TROWEL, ...args], cwd, env, steps });
  return new Promise((resolve) => {
    execFile('python3', [join(import.meta.dirname, 'terminal.py'), spec], (error, stdout) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, text: stdout, lines: screen(stdout) });
    });
  });
}
