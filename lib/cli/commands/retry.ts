import type { Command } from 'commander';
import type { RetryFlags } from '../actions/retry.ts';
import { startingOptions } from './aws-options.ts';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description(
      'Runs the session of an execution on AWS again, as deployed now. Parameters are those of the execution; -p and -P override them.',
    )
    .argument(
      '[execution]',
      'name or ARN, or a workflow, which means its latest; with --resume, its latest that did not succeed (default: that of all workflows)',
    )
    .option('--resume', 'do not repeat what succeeded in it and in those that it continued');
  startingOptions(command)
    .addHelpText(
      'after',
      examples(
        ['trowel retry main --resume --follow', 'continue after a failure'],
        ['trowel retry main-20301121T070000Z-3f9c2a', 'run everything again'],
      ),
    )
    .action((execution: string | undefined, flags: RetryFlags) =>
      run(async (terminal) => {
        const { retry } = await import('../actions/retry.ts');
        return retry(terminal, execution, flags);
      }),
    );
}
