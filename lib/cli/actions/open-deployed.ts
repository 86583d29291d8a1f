import { type OpenedProject, openProject } from '../../deployed/open-project.ts';
import { findProject } from '../../language/find-project.ts';
import { loadProject } from '../../language/project.ts';
import { hasErrors } from '../../language/report.ts';
import { RequestFault } from '../../language/request-fault.ts';
import { commandLine } from '../render/invocation.ts';
import { reportDiagnostics } from '../render/report-diagnostics.ts';
import type { Terminal } from '../terminal.ts';
import { type AwsFlags, awsWords, connectionOf } from './aws-access.ts';

/** Only trowel.yml is read here: what runs is what was deployed. */
export async function openDeployed(terminal: Terminal, flags: AwsFlags): Promise<OpenedProject> {
  return openProject(await projectName(terminal, flags), connectionOf(flags), (...words) =>
    commandLine(terminal.env, [...words, ...awsWords(flags)]),
  );
}

/** The name under which the project is deployed. */
export async function projectName(terminal: Terminal, flags: AwsFlags): Promise<string> {
  const place = findProject(terminal.cwd, flags);
  const project = await loadProject(place.folder, { workflows: [] });
  if (hasErrors(project.diagnostics)) {
    await reportDiagnostics(terminal, project, place, project.diagnostics);
    throw new RequestFault('failed', 'trowel.yml has errors');
  }
  return project.name;
}
