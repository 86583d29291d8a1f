/** Options that every command against AWS has, and what they open. */
import type { Command } from 'commander';
import type { AwsFault } from '../deployed/aws-fault.ts';
import type { Connection } from '../deployed/connection.ts';
import { type ParamFlags, paramOptions } from './commands/command.ts';
import { CliError, EXIT } from './exit-codes.ts';

export interface AwsFlags {
  readonly project?: string;
  readonly profile?: string;
  readonly region?: string;
}

export function connectionOptions(command: Command): Command {
  return command
    .option('--profile <name>', 'AWS profile (default: AWS_PROFILE, else as for every AWS tool)')
    .option('--region <name>', 'AWS region (default: AWS_REGION, else that of the profile)');
}

export function projectOption(command: Command): Command {
  return command.option(
    '--project <dir>',
    'folder of the project (default: this folder, or the nearest above it with a trowel.yml)',
  );
}

/** What `startingOptions` adds. */
export interface StartingFlags extends AwsFlags, ParamFlags {
  readonly follow?: true;
  readonly json?: true;
}

/** Of the commands that start an execution. */
export function startingOptions(command: Command): Command {
  paramOptions(command)
    .option('-f, --follow', 'show tasks and output until the end; the exit code is that of `trowel run`')
    .option('--json', 'print what was started as JSON; with --follow, its events (docs/events.md)');
  return connectionOptions(projectOption(command));
}

export function connectionOf({ profile, region }: AwsFlags): Connection {
  return { ...(profile === undefined ? {} : { profile }), ...(region === undefined ? {} : { region }) };
}

/** The same options again, for a command to paste. */
export function awsWords({ project, profile, region }: AwsFlags): string[] {
  return Object.entries({ project, profile, region }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  );
}

/** Runs a command against AWS: what AWS refuses is explained, as an end of the command. */
export async function withAws<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw isFault(error) ? refusal(error) : error;
  }
}

/** As an end of the command. @param notes in addition to the fault's own */
export function refusal(fault: AwsFault, ...notes: readonly string[]): CliError {
  const code = fault.kind === 'setup' || fault.kind === 'denied' ? EXIT.environment : EXIT.failed;
  return new CliError(code, fault.message, [...fault.notes, ...notes], fault);
}

/** By its name: the class is loaded with the first client. */
export function isFault(error: unknown): error is AwsFault {
  return error instanceof Error && error.name === 'AwsFault';
}
