import type { Command } from 'commander';
import type { LogFlags } from '../actions/log.ts';
import { connectionOptions, projectOption } from './aws-options.ts';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Shows what the tasks of an attempt printed, in order.')
    .argument(
      '[attempt]',
      'number of the attempt; with --aws, the name or ARN of an execution, or a workflow (default: the latest)',
    )
    .argument('[task]', 'only this task or group; give the end of its full name, such as +load')
    .option('-f, --follow', 'wait for more until the attempt ends')
    .option('-o, --save <dir>', 'folder of the history', '.trowel')
    .option('--aws', 'show an execution on AWS');
  connectionOptions(projectOption(command))
    .addHelpText(
      'after',
      examples(
        ['trowel log', ''],
        ['trowel log 7 +load', ''],
        ['trowel log -f', ''],
        ['trowel log main +load --aws', 'the latest execution of main on AWS'],
      ),
    )
    .action((attempt: string | undefined, task: string | undefined, flags: LogFlags) =>
      run(async (terminal) => {
        // `trowel log +load` means the latest attempt.
        const [which, pattern] = attempt?.startsWith('+') ? [undefined, attempt] : [attempt, task];
        if (flags.aws) {
          const { showExecutionLog } = await import('../actions/deployed-log.ts');
          return showExecutionLog(terminal, which, pattern, flags);
        }
        const { showLog } = await import('../actions/log.ts');
        return showLog(terminal, which, pattern, flags);
      }),
    );
}
