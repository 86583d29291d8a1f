/** The commands: names and summaries for the list, and everything else in a file that is loaded only when its command is called. */
import type { Command } from 'commander';
import type { Action } from './command.ts';

export interface CommandModule {
  /** Adds description, arguments, options, examples and the action. The action ends by returning its exit code. */
  define(command: Command, run: Action): void;
}

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
    summary: 'find every error of a project at once',
    load: () => import('./check.ts'),
  },
  { name: 'compile', summary: 'print the state machine of a workflow', load: () => import('./compile.ts') },
  { name: 'start', summary: 'start a deployed workflow on AWS', load: () => import('./start.ts') },
  { name: 'retry', summary: 'run a session on AWS again, or resume it', load: () => import('./retry.ts') },
  { name: 'kill', summary: 'stop an execution on AWS', load: () => import('./kill.ts') },
  {
    name: 'log',
    alias: 'logs',
    summary: 'show what the tasks of an attempt printed, here or on AWS',
    load: () => import('./log.ts'),
  },
  {
    name: 'sessions',
    summary: 'list attempts made here, or executions on AWS',
    load: () => import('./sessions.ts'),
  },
  { name: 'secrets', alias: 'secret', summary: 'set, list and delete secrets', load: () => import('./secrets.ts') },
  { name: 'asl', summary: 'run any JSONata state machine here', load: () => import('./asl.ts') },
  { name: 'app', summary: 'the CDK app that cdk.json names', load: () => import('./app.ts') },
  { name: 'schema', summary: 'print a JSON Schema for editors', load: () => import('./schema.ts') },
];
