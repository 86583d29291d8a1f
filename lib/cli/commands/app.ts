import { relative } from 'node:path';
import type { Command } from 'commander';
import type { LoadedProject } from '../../cloud/load-project.ts';
import { CliError, EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
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
    .action(() => run(synthesizeHere));
}

/** The CDK says only that its subprocess has failed: everything else has to be said here. */
async function synthesizeHere(terminal: Terminal): Promise<number> {
  const { reportDiagnostics } = await import('../report-diagnostics.ts');
  const place = (folder: string) => ({ folder, shown: relative(terminal.cwd, folder) });
  const onLoad = (project: LoadedProject): Promise<void> =>
    reportDiagnostics(terminal, project, place(project.dir), project.warnings);
  const { ProjectError } = await import('../../cloud/project-error.ts');
  try {
    const { synthesize } = await import('../../cloud/synthesize.ts');
    await synthesize({ cwd: terminal.cwd, onLoad });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ProjectError) {
      await reportDiagnostics(terminal, error, place(error.dir), error.diagnostics);
      return EXIT.failed;
    }
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') {
      throw new CliError(
        EXIT.environment,
        'aws-cdk-lib is not installed in this project',
        ['Install it: npm install aws-cdk-lib constructs'],
        error,
      );
    }
    throw error;
  }
}
