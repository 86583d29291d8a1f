import type { Command } from 'commander';
import { type AwsFlags, connectionOptions, projectOption } from './aws-options.ts';
import { type Action, examples, positive } from './command.ts';

export interface SessionsFlags extends AwsFlags {
  readonly aws?: true;
  readonly limit: number;
  readonly save: string;
  readonly json?: true;
}

export function define(command: Command, run: Action): void {
  command
    .description('Lists the attempts made here, or the executions on AWS, the latest last.')
    .argument('[workflow]', 'only those of this workflow')
    .option('-o, --save <dir>', 'where history is kept', '.trowel')
    .option('--json', 'as JSON, an attempt a line')
    .option('--aws', 'the executions on AWS')
    .option('-n, --limit <n>', 'with --aws: so many of the latest', positive, 20);
  connectionOptions(projectOption(command))
    .addHelpText(
      'after',
      examples(['trowel sessions', ''], ['trowel sessions main', ''], ['trowel sessions --aws --limit 100', '']),
    )
    .action((workflow: string | undefined, flags: SessionsFlags) =>
      run(async (terminal) => {
        if (flags.aws) {
          const { listOnAws } = await import('./list-on-aws.ts');
          return listOnAws(terminal, workflow, flags);
        }
        const { listSessions } = await import('./list-sessions.ts');
        return listSessions(terminal, workflow, flags);
      }),
    );
}
