/**
 * Where text goes. Standard output holds what the user's workflow says (echo>, output of tasks) or what a command was asked to print;
 * standard error holds the rest: progress, diagnostics, summaries. Commands get this object, so that tests can give their own.
 */
import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

export interface Output {
  readonly isTerminal: boolean;
  readonly colors: Colors;
  readonly columns: number;
  readonly rows: number;
  /** Nobody reads any more: what is written is dropped. */
  readonly closed: boolean;
  /** Resolves when the stream can take more: a slow reader slows us down instead of filling our memory. */
  write(text: string): Promise<void>;
}

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard error is a terminal on which lines can be drawn anew. */
  readonly live: boolean;
  /** Line-drawing characters and ticks can be shown. */
  readonly unicode: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Calls back after the window changed its size; returns how to stop. */
  onResize(callback: () => void): () => void;
}

/** https://no-color.org: any value but the empty one switches colours off; FORCE_COLOR does the contrary, `--no-color` beats it. */
export function wantsColor(isTerminal: boolean, env: NodeJS.ProcessEnv, noColorFlag: boolean): boolean {
  if (noColorFlag || (env.NO_COLOR ?? '') !== '') return false;
  if ((env.FORCE_COLOR ?? '') !== '') return env.FORCE_COLOR !== '0';
  return isTerminal && env.TERM !== 'dumb';
}

export function isUnicode(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  if (platform === 'darwin') return true;
  if (platform === 'win32') return env.WT_SESSION !== undefined || env.TERM_PROGRAM === 'vscode';
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

export function processTerminal(noColorFlag: boolean): Terminal {
  const env = process.env;
  return {
    stdout: output(process.stdout, wantsColor(process.stdout.isTTY === true, env, noColorFlag)),
    stderr: output(process.stderr, wantsColor(process.stderr.isTTY === true, env, noColorFlag)),
    live: process.stderr.isTTY === true && env.TERM !== 'dumb' && (env.CI ?? '') === '',
    unicode: isUnicode(env),
    env,
    cwd: process.cwd(),
    onResize(callback) {
      process.stderr.on('resize', callback);
      return () => process.stderr.off('resize', callback);
    },
  };
}

function output(stream: NodeJS.WriteStream, color: boolean): Output {
  let closed = false;
  stream.once('error', () => {
    closed = true;
  });
  return {
    isTerminal: stream.isTTY === true,
    colors: picocolors.createColors(color),
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
    get closed() {
      return closed;
    },
    write(text) {
      if (text === '' || closed || stream.write(text)) return Promise.resolve();
      return new Promise((resolve) => {
        const events = ['drain', 'error', 'close'] as const;
        const done = () => {
          for (const event of events) stream.off(event, done);
          resolve();
        };
        for (const event of events) stream.once(event, done);
      });
    },
  };
}
