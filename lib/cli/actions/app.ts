import { relative } from 'node:path';
import type { LoadedProject } from '../../cloud/load-project.ts';
import { RequestFault } from '../../language/request-fault.ts';
import { EXIT } from '../exit-codes.ts';
import { reportDiagnostics } from '../render/report-diagnostics.ts';
import type { Terminal } from '../terminal.ts';

/** The CDK says only that its subprocess has failed: everything else has to be said here. */
export async function synthesizeHere(terminal: Terminal): Promise<number> {
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
      throw new RequestFault(
        'environment',
        'aws-cdk-lib is not installed in this project',
        ['Install it: npm install aws-cdk-lib constructs'],
        error,
      );
    }
    throw error;
  }
}
