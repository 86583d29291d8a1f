import type { Command } from 'commander';
import type { SessionsFlags } from '../actions/sessions.ts';
import { connectionOptions, projectOption } from './aws-options.ts';
import { type Action, examples, positive } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Lists the attempts made here, or the executions on AWS. The latest is last.')
    .argument('[workflow]', 'list only this workflow')
    .option('-o, --save <dir>', 'folder of the history', '.trowel')
    .option('--json', 'print JSON, one attempt per line')
    .option('--aws', 'list the executions on AWS')
    .option('-n, --limit <n>', 'with --aws: list the latest n', positive, 20);
  connectionOptions(projectOption(command))
    .addHelpText(
      'after',
      examples(['trowel sessions', ''], ['trowel sessions main', ''], ['trowel sessions --aws --limit 100', '']),
    )
    .action((workflow: string | undefined, flags: SessionsFlags) =>
      run(async (terminal) => {
        if (flags.aws) {
          const { listOnAws } = await import('../actions/deployed-sessions.ts');
          return listOnAws(terminal, workflow, flags);
        }
        const { listSessions } = await import('../actions/sessions.ts');
        return listSessions(terminal, workflow, flags);
      }),
    );
}
