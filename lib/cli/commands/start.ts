import type { Command } from 'commander';
import type { StartFlags } from '../actions/start.ts';
import { startingOptions } from './aws-options.ts';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Starts a deployed workflow on AWS: a new execution of its state machine.')
    .argument('<workflow>', 'name of the workflow, with or without .dig')
    .option('-t, --session <time>', 'daily, hourly, schedule, last, now, "yyyy-MM-dd" or "yyyy-MM-dd HH:mm:ss"');
  startingOptions(command)
    .addHelpText(
      'after',
      examples(
        ['trowel start main --follow', ''],
        ['trowel start main --session 2030-01-31 -p region=eu', ''],
        ['trowel start main --profile work --region eu-west-1', ''],
      ),
    )
    .action((workflow: string, flags: StartFlags) =>
      run(async (terminal) => {
        const { startWorkflow } = await import('../actions/start.ts');
        return startWorkflow(terminal, workflow, flags);
      }),
    );
}
