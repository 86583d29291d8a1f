import type { Command } from 'commander';
import { type StartingFlags, startingOptions } from './aws-options.ts';
import { type Action, examples } from './command.ts';

export interface RetryFlags extends StartingFlags {
  readonly resume?: true;
}

export function define(command: Command, run: Action): void {
  command
    .description(
      'Runs the session of an execution on AWS again, on what is deployed now, with its parameters and those given here over them.',
    )
    .argument(
      '[execution]',
      'its name or ARN, or a workflow: its latest, with --resume its latest that did not succeed (default: of all workflows)',
    )
    .option('--resume', 'do not repeat what succeeded in it, and in those that it continued');
  startingOptions(command)
    .addHelpText(
      'after',
      examples(
        ['trowel retry main --resume --follow', 'after a failure, from where it failed'],
        ['trowel retry main-20301121T070000Z-3f9c2a', 'everything once more'],
      ),
    )
    .action((execution: string | undefined, flags: RetryFlags) =>
      run(async (terminal) => {
        const { retryExecution } = await import('./retry-execution.ts');
        return retryExecution(terminal, execution, flags);
      }),
    );
}
