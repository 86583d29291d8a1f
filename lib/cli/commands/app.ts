import type { Command } from 'commander';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description(
      'Is the CDK app of a project. cdk.json names it (`"app": "trowel app"`), and `npx cdk` runs it. It needs aws-cdk-lib in the project, as written by `trowel init`.',
    )
    .addHelpText(
      'after',
      examples(
        ['trowel app', 'write cdk.out; usually the CDK runs this command'],
        ['npx cdk synth', 'write the CloudFormation template; needs neither Docker nor an AWS account'],
        ['npx cdk deploy', 'deploy the project in the current folder'],
        ['npx cdk deploy -c project=DIR', 'deploy another project'],
        ['npx cdk deploy -c destroy=true', 'let a later destroy delete the bucket and logs too'],
      ),
    )
    .action(() =>
      run(async (terminal) => {
        const { synthesizeHere } = await import('../actions/app.ts');
        return synthesizeHere(terminal);
      }),
    );
}
