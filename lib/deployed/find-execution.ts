/** Finds the execution that the user's text means: an ARN, a name, a workflow (its latest), or nothing (the latest of all). */
import { executionArn, isExecutionArn, isExecutionName } from './arns.ts';
import type { DeployedProject, DeployedWorkflow } from './deployed-project.ts';
import type { ExecutionDescription, ExecutionEntry, States } from './states.ts';

type Asked = Pick<States, 'execution' | 'executions'>;

export interface Found {
  readonly execution: ExecutionDescription;
}

export interface NotFound {
  /** `project`: nothing of it is deployed. `executions`: these workflows have none that fits. `name`: nothing is called so. */
  readonly missing: 'project' | 'executions' | 'name';
  /** All that are deployed, or the one that was named; none for an ARN. */
  readonly workflows: readonly string[];
}

/** The most executions, from the latest, that are searched for one that fits. */
const LOOK_BACK = 100;

/** @param wanted which of a workflow's executions will do; default any. The latest of them is taken */
export async function findExecution(
  states: Asked,
  project: DeployedProject,
  reference: string | undefined,
  wanted: (entry: ExecutionEntry) => boolean = () => true,
): Promise<Found | NotFound> {
  if (reference !== undefined && isExecutionArn(reference)) {
    const execution = await states.execution(reference);
    return execution === undefined ? { missing: 'name', workflows: [] } : { execution };
  }
  const workflow = reference === undefined ? undefined : await project.workflow(reference);
  const workflows = workflow === undefined ? await project.workflows() : [workflow];
  const names = workflows.map((each) => each.workflow);
  if (workflows.length === 0) return { missing: 'project', workflows: [] };
  if (reference === undefined || workflow !== undefined) {
    const latest = await latestOf(states, workflows, wanted);
    const execution = latest === undefined ? undefined : await states.execution(latest.arn);
    return execution === undefined ? { missing: 'executions', workflows: names } : { execution };
  }
  const execution = isExecutionName(reference) ? await named(states, workflows, reference) : undefined;
  return execution === undefined ? { missing: 'name', workflows: names } : { execution };
}

async function latestOf(
  states: Asked,
  workflows: readonly DeployedWorkflow[],
  wanted: (entry: ExecutionEntry) => boolean,
): Promise<ExecutionEntry | undefined> {
  let latest: ExecutionEntry | undefined;
  for (const { arn } of workflows) {
    const [entry] = (await states.executions(arn, LOOK_BACK)).filter(wanted);
    if (entry !== undefined && (latest === undefined || entry.started > latest.started)) latest = entry;
  }
  return latest;
}

/** Names mostly begin with their workflow's: that machine is asked first. */
async function named(
  states: Asked,
  workflows: readonly DeployedWorkflow[],
  name: string,
): Promise<ExecutionDescription | undefined> {
  const likely = [...workflows].sort(
    (a, b) => Number(name.startsWith(b.workflow)) - Number(name.startsWith(a.workflow)),
  );
  for (const { arn } of likely) {
    const found = await states.execution(executionArn(arn, name));
    if (found !== undefined) return found;
  }
  return undefined;
}
