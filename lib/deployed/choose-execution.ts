/** Finds the execution that is meant; if there is none, a RequestFault lists what there is. */
import { RequestFault, usageFault } from '../language/request-fault.ts';
import { didYouMean } from '../language/suggest.ts';
import { isExecutionArn } from './arns.ts';
import type { DeployedWorkflow } from './deployed-project.ts';
import { findExecution } from './find-execution.ts';
import type { OpenedProject } from './open-project.ts';
import type { ExecutionDescription, ExecutionEntry } from './states.ts';

/** @param name full name, without .dig */
export async function deployedWorkflow(
  { deployed }: Pick<OpenedProject, 'deployed'>,
  name: string,
): Promise<DeployedWorkflow> {
  const found = await deployed.workflow(name);
  if (found !== undefined) return found;
  throw notDeployed(
    deployed.name,
    name,
    (await deployed.workflows()).map(({ workflow }) => workflow),
  );
}

/** @param reference a name or ARN, or a workflow, which means its latest; absent: the latest of all */
export async function chosenExecution(
  { states, deployed, command }: OpenedProject,
  reference: string | undefined,
  wanted?: { readonly fits: (entry: ExecutionEntry) => boolean; readonly otherwise: string },
): Promise<ExecutionDescription> {
  const found = await findExecution(states, deployed, reference, wanted?.fits);
  if ('execution' in found) return found.execution;
  const { missing, workflows } = found;
  if (missing === 'project') throw notDeployed(deployed.name, undefined, workflows);
  if (missing === 'executions') {
    throw usageFault(wanted?.otherwise ?? `${workflows.join(', ')} never ran in this account and region`);
  }
  const hint = didYouMean(reference ?? '', workflows);
  throw usageFault(
    `there is no execution${isExecutionArn(reference ?? '') ? '' : ' and no workflow'} ${reference} of project ${deployed.name} in this account and region`,
    ...(hint === undefined ? [] : [hint]),
    `${workflows.length === 0 ? '' : `Workflows: ${workflows.join(', ')}; `}${command('sessions', '--aws')} lists executions`,
  );
}

/** The one execution of a workflow that runs: the latest of several may not be the one that was meant. Undefined if it names no workflow. */
export async function runningExecution(
  { states, deployed }: OpenedProject,
  reference: string,
): Promise<ExecutionEntry | undefined> {
  const workflow = await deployed.workflow(reference);
  if (workflow === undefined) return undefined;
  const running = await states.executions(workflow.arn, 10, 'RUNNING');
  const [only] = running;
  if (only === undefined) throw usageFault(`no execution of ${workflow.workflow} runs`);
  if (running.length === 1) return only;
  throw usageFault(
    `several executions of ${workflow.workflow} run: which one?`,
    ...running.map(({ name, started }) => `${name}  started ${new Date(started).toISOString()}`),
  );
}

export function notDeployed(project: string, workflow: string | undefined, workflows: readonly string[]): RequestFault {
  const what = workflow === undefined ? `project ${project}` : `workflow ${workflow} of project ${project}`;
  const hint = workflow === undefined ? undefined : didYouMean(workflow, workflows);
  return new RequestFault('failed', `the ${what} is not deployed to this account and region`, [
    ...(hint === undefined ? [] : [hint]),
    workflows.length === 0
      ? 'Deploy it: npx cdk deploy. Or look elsewhere: --profile, --region'
      : `Deployed are: ${workflows.join(', ')}`,
  ]);
}
