/** What a command is to main.ts: a name and a summary for the list, and everything else in a file loaded only when it is called. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Terminal } from './terminal.ts';

export interface CommandModule {
  /** Adds description, arguments, options, examples and the action. The action ends by returning its exit code. */
  define(command: Command, run: Action): void;
}

/** How an action gets at its surroundings: main.ts makes the terminal (after `--no-color` is known) and keeps the exit code. */
export type Action = (action: (terminal: Terminal) => Promise<number>) => Promise<void>;

export interface CommandEntry {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** In the order of `trowel --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'init', summary: 'make a new project', load: () => import('./init.ts') },
  { name: 'run', alias: 'r', summary: 'run a workflow here', load: () => import('./run.ts') },
  {
    name: 'check',
    alias: 'c',
    summary: 'find every error of a project, and list it',
    load: () => import('./check.ts'),
  },
  { name: 'compile', summary: 'print the state machine of a workflow', load: () => import('./compile.ts') },
  { name: 'start', summary: 'start a deployed workflow on AWS', load: () => import('./start.ts') },
  { name: 'retry', summary: 'run a session again on AWS, or resume it', load: () => import('./retry.ts') },
  { name: 'kill', summary: 'end an execution on AWS', load: () => import('./kill.ts') },
  {
    name: 'log',
    alias: 'logs',
    summary: 'show what the tasks of an attempt, or of an execution on AWS, printed',
    load: () => import('./log.ts'),
  },
  {
    name: 'sessions',
    summary: 'list the attempts made here, or the executions on AWS',
    load: () => import('./sessions.ts'),
  },
  { name: 'secrets', alias: 'secret', summary: 'set, list and delete secrets', load: () => import('./secrets.ts') },
  { name: 'asl', summary: 'run any JSONata state machine here', load: () => import('./asl.ts') },
  { name: 'app', summary: 'the CDK app that cdk.json names', load: () => import('./app.ts') },
  { name: 'schema', summary: 'print a JSON Schema for editors', load: () => import('./schema.ts') },
];

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

/** What `paramOptions` adds. */
export interface ParamFlags {
  readonly param?: readonly string[];
  readonly paramsFile?: readonly string[];
}

export function paramOptions(command: Command): Command {
  return command
    .option('-p, --param <key=value>', 'a session parameter, as text; a.b=c makes objects; repeatable', collect<string>)
    .option('-P, --params-file <file>', 'session parameters from a YAML or JSON file; repeatable', collect<string>);
}
