import type { CompiledWorkflow } from '../../compiler/compile-project.ts';
import { type Checked, checkAccount } from '../../deployed/check.ts';
import { projectNeeds } from '../../deployed/project-needs.ts';
import { ProjectSecrets } from '../../deployed/secrets.ts';
import type { Project } from '../../language/project.ts';
import type { Terminal } from '../terminal.ts';
import { type AwsFlags, connectionOf } from './aws-access.ts';
import { secretsCommand } from './secret-items.ts';

/** `trowel check --aws`: of workflows that could be compiled. */
export async function checkOnAws(
  terminal: Terminal,
  project: Project,
  compiling: readonly CompiledWorkflow[],
  flags: AwsFlags,
): Promise<Checked> {
  const compiled = compiling.flatMap((each) => each.compiled ?? []);
  const [{ connectAccount }, { connectSecrets }] = await Promise.all([
    import('../../deployed/account-client.ts'),
    import('../../deployed/secrets-client.ts'),
  ]);
  const connection = connectionOf(flags);
  return checkAccount({
    project: project.name,
    config: project.config,
    needs: projectNeeds(compiled, project.config),
    account: connectAccount(connection),
    secrets: new ProjectSecrets(connectSecrets(connection), project.name),
    secretCommand: (key) => secretsCommand(terminal, { ...flags, where: 'aws' }, key),
  });
}
