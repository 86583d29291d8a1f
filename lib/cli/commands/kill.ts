import type { Command } from 'commander';
import type { AwsFlags } from '../actions/aws-access.ts';
import { connectionOptions, projectOption } from './aws-options.ts';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Stops an execution on AWS, the executions that it started, and their containers.')
    .argument(
      '<execution>',
      'name or ARN (see trowel sessions --aws), or a workflow, which means its running execution',
    );
  connectionOptions(projectOption(command))
    .addHelpText('after', examples(['trowel kill main-20301121T070000Z-3f9c2a', ''], ['trowel kill main', '']))
    .action((execution: string, flags: AwsFlags) =>
      run(async (terminal) => {
        const { killOne } = await import('../actions/kill.ts');
        return killOne(terminal, execution, flags);
      }),
    );
}
