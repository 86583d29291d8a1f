import { spawn } from 'node:child_process';

export interface Captured {
  /** Exit code; 127 where there is no such command, 128 if a signal ended it. */
  readonly code: number;
  /** Standard output and error as they came, at most the last 64 KiB. */
  readonly output: string;
}

const KEPT = 65_536;

/** Runs a command to its end. Rejects only if the signal aborts it. */
export function capture(
  command: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly cwd?: string;
    readonly onLine?: (line: string) => void;
    /** For its standard input. */
    readonly input?: string;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Captured> {
  const { onLine, signal, input } = options;
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: options.env ?? process.env,
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(signal && { signal }),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    child.stdin?.on('error', () => {}).end(input);
    let output = '';
    let line = '';
    const take = (text: string): void => {
      output = (output + text).slice(-KEPT);
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const whole of lines) onLine?.(whole);
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    child.once('error', (error) => {
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code: 127, output: error.message });
    });
    child.once('close', (code) => {
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code: code ?? 128, output });
    });
  });
}
