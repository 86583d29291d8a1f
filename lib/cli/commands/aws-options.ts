/** Options that every command against AWS has. */
import type { Command } from 'commander';
import { paramOptions } from './command.ts';

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

/** Of the commands that start an execution. */
export function startingOptions(command: Command): Command {
  paramOptions(command)
    .option('-f, --follow', 'show tasks and output until the end; the exit code is that of `trowel run`')
    .option('--json', 'print what was started as JSON; with --follow, its events (docs/events.md)');
  return connectionOptions(projectOption(command));
}
