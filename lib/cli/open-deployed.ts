import { isExecutionArn } from '../deployed/arns.ts';
import { DeployedProject, type DeployedWorkflow } from '../deployed/deployed-project.ts';
import { findExecution } from '../deployed/find-execution.ts';
import type { ExecutionDescription, ExecutionEntry, States } from '../deployed/states.ts';
import { loadProject } from '../language/project.ts';
import { hasErrors } from '../language/report.ts';
import { didYouMean } from '../language/suggest.ts';
import { type AwsFlags, awsWords, connectionOf } from './aws-options.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';
import { findProject, withoutEnding } from './find-project.ts';
import { commandLine } from './invocation.ts';
import { reportDiagnostics } from './report-diagnostics.ts';
import type { Terminal } from './terminal.ts';

/** A project as it is deployed. */
export interface Opened {
  readonly states: States;
  readonly deployed: DeployedProject;
  /** A command line for the same project and account, to paste. */
  readonly command: (...words: readonly string[]) => string;
}

/** Only trowel.yml is read here: what runs is what was deployed. */
export async function openDeployed(terminal: Terminal, flags: AwsFlags): Promise<Opened> {
  const name = await projectName(terminal, flags);
  const { connectStates } = await import('../deployed/states-client.ts');
  const states = connectStates(connectionOf(flags));
  return {
    states,
    deployed: new DeployedProject(states, name),
    command: (...words) => commandLine(terminal.env, [...words, ...awsWords(flags)]),
  };
}

/** The name under which the project is deployed. */
export async function projectName(terminal: Terminal, flags: AwsFlags): Promise<string> {
  const place = findProject(terminal.cwd, flags);
  const project = await loadProject(place.folder, { workflows: [] });
  if (hasErrors(project.diagnostics)) {
    await reportDiagnostics(terminal, project, place, project.diagnostics);
    throw new CliError(EXIT.failed, 'trowel.yml has errors');
  }
  return project.name;
}

export async function deployedWorkflow({ deployed }: Opened, argument: string): Promise<DeployedWorkflow> {
  const name = withoutEnding(argument);
  const found = await deployed.workflow(name);
  if (found !== undefined) return found;
  throw notDeployed(
    deployed.name,
    name,
    (await deployed.workflows()).map(({ workflow }) => workflow),
  );
}

/** Throws a CliError that says what there is instead. */
export async function chosenExecution(
  { states, deployed, command }: Opened,
  reference: string | undefined,
  wanted?: { readonly fits: (entry: ExecutionEntry) => boolean; readonly otherwise: string },
): Promise<ExecutionDescription> {
  const name = reference === undefined ? undefined : withoutEnding(reference);
  const found = await findExecution(states, deployed, name, wanted?.fits);
  if ('execution' in found) return found.execution;
  const { missing, workflows } = found;
  if (missing === 'project') throw notDeployed(deployed.name, undefined, workflows);
  if (missing === 'executions') {
    throw usageError(wanted?.otherwise ?? `${workflows.join(', ')} never ran in this account and region`);
  }
  const hint = didYouMean(name ?? '', workflows);
  throw usageError(
    `there is no execution${isExecutionArn(name ?? '') ? '' : ' and no workflow'} ${name} of project ${deployed.name} in this account and region`,
    ...(hint === undefined ? [] : [hint]),
    `${workflows.length === 0 ? '' : `Workflows: ${workflows.join(', ')}; `}${command('sessions', '--aws')} lists executions`,
  );
}

export function notDeployed(project: string, workflow: string | undefined, workflows: readonly string[]): CliError {
  const what = workflow === undefined ? `project ${project}` : `workflow ${workflow} of project ${project}`;
  const hint = workflow === undefined ? undefined : didYouMean(workflow, workflows);
  return new CliError(EXIT.failed, `the ${what} is not deployed to this account and region`, [
    ...(hint === undefined ? [] : [hint]),
    workflows.length === 0
      ? 'Deploy it: npx cdk deploy. Or look elsewhere: --profile, --region'
      : `Deployed are: ${workflows.join(', ')}`,
  ]);
}
