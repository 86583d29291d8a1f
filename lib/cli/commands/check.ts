import { type Command, Option } from 'commander';
import type { CheckFlags } from '../actions/check.ts';
import { connectionOptions } from './aws-options.ts';
import { type Action, examples, paramOptions } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description(
      'Finds every error of a project at once, without running anything. Without errors, it lists workflows, schedules and parameters.',
    )
    .argument('[workflow]', 'list only this one (errors are those of the whole project, as in digdag)')
    .option('--project <dir>', 'folder of the project (default: the one with trowel.yml or the workflow)');
  paramOptions(command)
    .addOption(
      new Option('--format <format>', 'github prints annotations for a pull request')
        .choices(['text', 'json', 'github'])
        .default('text'),
    )
    .option('--aws', 'also check what a run on AWS needs: secrets, quotas, mail addresses, subnets');
  connectionOptions(command)
    .addHelpText(
      'after',
      examples(
        ['trowel check', ''],
        ['trowel check main.dig --format json', ''],
        ['trowel check --aws', 'before a deploy'],
      ),
    )
    .action((workflow: string | undefined, flags: CheckFlags) =>
      run(async (terminal) => {
        const { checkProject } = await import('../actions/check.ts');
        return checkProject(terminal, workflow, flags);
      }),
    );
}
