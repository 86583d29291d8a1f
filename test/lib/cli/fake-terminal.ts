import picocolors from 'picocolors';
import type { Output, Terminal } from '../../../lib/cli/terminal.ts';

export interface FakeOutput extends Output {
  columns: number;
  rows: number;
  text: string;
}

function fakeOutput(isTerminal: boolean, color: boolean): FakeOutput {
  return {
    isTerminal,
    colors: picocolors.createColors(color),
    columns: 80,
    rows: 24,
    closed: false,
    text: '',
    async write(text) {
      this.text += text;
    },
  };
}

export interface FakeTerminal extends Terminal {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  resize(columns: number, rows: number): void;
}

/** A terminal that keeps what is written to it. */
export function fakeTerminal(options: { live?: boolean; color?: boolean; cwd?: string } = {}): FakeTerminal {
  const { live = false, color = false, cwd = '/nowhere' } = options;
  const stderr = fakeOutput(live, color);
  const callbacks = new Set<() => void>();
  return {
    stdout: fakeOutput(live, color),
    stderr,
    live,
    unicode: true,
    env: {},
    cwd,
    onResize(callback) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    resize(columns, rows) {
      stderr.columns = columns;
      stderr.rows = rows;
      for (const callback of callbacks) callback();
    },
  };
}
