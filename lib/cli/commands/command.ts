/** What the files of commands have in common. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Terminal } from '../terminal.ts';

/** How an action gets at its surroundings: main.ts makes the terminal (after `--no-color` is known) and keeps the exit code. */
export type Action = (action: (terminal: Terminal) => Promise<number>) => Promise<void>;

export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const rows = lines.map(([command, what]) => `  ${command.padEnd(width)}  ${what}`.trimEnd());
  return `\nExamples:\n${rows.join('\n')}\n`;
}

/** For options that may be given several times. */
export function collect<T>(value: T, before: readonly T[] | undefined): T[] {
  return [...(before ?? []), value];
}

/** For options that are a number of something. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number above 0.');
  return value;
}

export function paramOptions(command: Command): Command {
  return command
    .option(
      '-p, --param <key=value>',
      'a session parameter, as text; a.b=c makes a mapping; repeatable',
      collect<string>,
    )
    .option('-P, --params-file <file>', 'session parameters from a YAML or JSON file; repeatable', collect<string>);
}
