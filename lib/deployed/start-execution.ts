/** Starts a deployed workflow: a new session, or an earlier one again. */
import { LIMITS } from '../asl/limits.ts';
import { consoleLink } from '../contract/console-link.ts';
import { sessionTimeFor } from '../expression/session.ts';
import { usageFault } from '../language/request-fault.ts';
import type { Mapping } from '../language/workflow.ts';
import { executionName, machineArnOf, machineName } from './arns.ts';
import { chosenExecution, deployedWorkflow } from './choose-execution.ts';
import type { DeployedWorkflow } from './deployed-project.ts';
import type { OpenedProject } from './open-project.ts';
import { type ExecutionInput, inputAgain, newExecutionName, newInput } from './start.ts';

export interface StartRequest {
  /** Full name, without .dig. */
  readonly workflow: string;
  /** `daily`, `last`, … or a time; absent: as the workflow's schedule has it. */
  readonly session?: string | undefined;
  readonly params: Mapping;
}

export interface RetryRequest {
  /** A name or ARN, or a workflow, which means its latest; with `resume`, its latest that did not succeed. Absent: that of all workflows. */
  readonly execution?: string | undefined;
  /** Does not repeat what succeeded. */
  readonly resume: boolean;
  /** Put over those of the execution. */
  readonly params: Mapping;
}

export interface StartedExecution {
  readonly name: string;
  readonly arn: string;
  /** To the console of AWS. */
  readonly link: string;
}

/** Throws a RequestFault. */
export async function startExecution(opened: OpenedProject, request: StartRequest): Promise<StartedExecution> {
  checkSession(request.session);
  const workflow = await deployedWorkflow(opened, request.workflow);
  return start(opened, workflow, newInput(request.session, request.params));
}

/** The session of an earlier execution, as deployed now. Throws a RequestFault. */
export async function retryExecution(opened: OpenedProject, request: RetryRequest): Promise<StartedExecution> {
  const { resume, params } = request;
  const earlier = await chosenExecution(opened, request.execution, {
    fits: ({ status }) => !resume || status !== 'SUCCEEDED',
    otherwise: resume ? 'there is nothing to resume' : 'there is nothing to retry',
  });
  if (earlier.status === 'RUNNING') {
    throw usageFault(`${earlier.name} still runs`, `To end it: ${opened.command('kill', earlier.name)}`);
  }
  if (resume && earlier.status === 'SUCCEEDED') {
    throw usageFault(
      `there is nothing to resume: ${earlier.name} succeeded`,
      'Without --resume, everything runs again',
    );
  }
  const arn = machineArnOf(earlier.arn);
  const known = (await opened.deployed.workflows()).find((each) => each.arn === arn);
  if (known === undefined) throw usageFault(`${machineName(arn)} is no workflow of project ${opened.deployed.name}`);
  return start(opened, known, await inputAgain(opened.states, earlier, { resume, params }));
}

async function start(
  { states }: OpenedProject,
  { workflow, arn: machine }: DeployedWorkflow,
  input: ExecutionInput,
): Promise<StartedExecution> {
  const text = JSON.stringify(input);
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.payloadBytes) {
    throw usageFault(
      `the parameters take ${Math.ceil(bytes / 1024)} KiB, and an execution takes ${LIMITS.payloadBytes / 1024}`,
      'Put what is large into a file of the project, or into S3, and give its name as the parameter',
    );
  }
  const arn = await states.start(machine, newExecutionName(workflow, Date.now()), text);
  return { name: executionName(arn), arn, link: consoleLink(arn) };
}

/**
 * What cannot be a session is refused before anything starts. Which one it is, the deployed workflow decides: it knows its zone and
 * schedule.
 */
function checkSession(value: string | undefined): void {
  if (value === undefined || value === 'schedule') return;
  const session = sessionTimeFor(value, { timezone: 'UTC', now: Date.now() });
  if (!session.ok) throw usageFault(`--session ${value}: ${session.message}`);
}
