/**
 * Decides whether a message about an ended execution is sent, and what it says. Events (which may come late or twice) and alarms (for events
 * that do not come) both lead here. Marks in the bucket make sure that only one message is sent.
 */

import { createHash } from 'node:crypto';
import { present } from '../../asl/present.ts';
import { ERRORS } from '../../contract/errors.ts';
import type { ErrorOutput } from '../../contract/failure.ts';
import { attemptPath } from '../../contract/names.ts';
import type { HistoryEvent } from '../../engine/history.ts';
import { type Channel, deliver, type Marks } from './delivery.ts';
import { beginning, failedContainer, failedTask, mentionedExecution, runningTasks } from './history.ts';
import { failureReport, fields, innermost, type Report } from './report.ts';
import { shortList } from './short-list.ts';

export interface Execution {
  readonly arn: string;
  readonly machine: string;
  readonly name: string;
  readonly status: string;
  /** Milliseconds. */
  readonly start: number;
  readonly stop?: number | undefined;
  readonly redrives?: number | undefined;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

export type Occasion = 'failure' | 'recovery' | 'sla';

export interface ExecutionServices {
  readonly project: string;
  readonly on: ReadonlySet<Occasion>;
  /** Undefined where links are not wanted. */
  readonly consoleLink: (arn: string) => string | undefined;
  readonly describe: (arn: string) => Promise<Execution>;
  /** The log of a container; undefined where links are not wanted. */
  readonly logLink: (taskArn: string) => string | undefined;
  /** The first or the last events, a page of them. */
  readonly events: (arn: string, which: 'first' | 'last') => Promise<readonly HistoryEvent[]>;
  /** A page of a machine's executions with this status (default: all), the newest first. */
  readonly executions: (
    machine: string,
    status?: (typeof FAILED)[number],
  ) => Promise<readonly Omit<Execution, 'error' | 'cause'>[]>;
  /** A traceback of an attempt, by its folder below `attempts/`; undefined if it cannot be had. */
  readonly read: (uri: string, attempt: string) => Promise<string | undefined>;
  readonly marks: Marks;
  readonly channels: readonly Channel[];
}

export type Told = { readonly told: string } | { readonly ignored: string };

export const FAILED = ['FAILED', 'TIMED_OUT', 'ABORTED'] as const;

/** The longest chain of require> that is followed; a longer one is a fault. */
const DEEPEST = 20;

export async function executionEnded(arn: string, services: ExecutionServices): Promise<Told> {
  const execution = await services.describe(arn);
  const { status } = execution;
  if (status === 'SUCCEEDED') return recovered(execution, services);
  if (!isFailed(status)) return { ignored: `it is ${status}` };
  if (!services.on.has('failure')) return { ignored: 'notifications.on has no failure' };
  const { origin, dependent } = await originOf(execution, services);
  return failed(origin, dependent, services);
}

async function failed(
  execution: Known,
  requiredBy: string | undefined,
  { marks, consoleLink, logLink, events, read, channels }: ExecutionServices,
): Promise<Told> {
  const { arn, name, error, cause, workflow, session, redrives = 0 } = execution;
  const attempt = attemptPath(workflow, name);
  if (await marks.taken(attempt, failureMark({ Error: error, Cause: cause })))
    return { ignored: 'a handler has told it' };
  if (error === ERRORS.sla && (await marks.taken(attempt, mark('sla', workflow))))
    return { ignored: 'its sla has told it' };
  const claim = await marks.claim(attempt, mark('failure', workflow, redrives));
  if (claim === undefined) return { ignored: 'it is told already' };
  const last = execution.last ?? (await events(arn, 'last'));
  const failure = innermost({ Error: error ?? `States.${STATES[execution.status] ?? 'Failed'}`, Cause: cause });
  const { status } = execution;
  const unfinished = status === 'FAILED' ? [] : runningTasks(last);
  const task = failure.task ?? failedTask(last, { error, cause }) ?? shortList(unfinished);
  const traceback = failure.traceback === undefined ? undefined : await read(failure.traceback, attempt);
  const link = consoleLink(arn);
  // If a task was lost or took too long, its failure does not say where its log is.
  const container = failure.log === undefined ? failedContainer(last, { error, cause }) : undefined;
  const { log = container === undefined ? undefined : logLink(container), ...rest } = failure;
  const message = cause ? failure.message : (SAID[status] ?? failure.message);
  const report = failureReport({
    workflow,
    status: isFailed(status) ? status : 'FAILED',
    session,
    attempt: name,
    task,
    failure: { ...rest, message, ...present({ log: link !== undefined && log !== undefined ? log : undefined }) },
    traceback,
    execution: link,
    retry: retryCommand(name),
    requiredBy,
  });
  await deliver(report, claim, channels);
  return { told: report.title };
}

const STATES: { readonly [status: string]: string } = { TIMED_OUT: 'Timeout', ABORTED: 'Aborted' };
/** For executions that end without a cause. */
const SAID: { readonly [status: string]: string } = {
  TIMED_OUT: 'The execution took longer than it may.',
  ABORTED: 'Somebody stopped the execution.',
};

interface Known extends Execution {
  readonly workflow: string;
  readonly session?: string | undefined;
  readonly last?: readonly HistoryEvent[];
}

/**
 * If a workflow fails because a workflow that it requires has just failed, one message is enough: both look for the mark of the required one,
 * and the first sends it. If the required one had failed earlier, no new message is sent about it, so the dependent workflow sends its own.
 */
async function originOf(
  execution: Execution,
  services: ExecutionServices,
): Promise<{ readonly origin: Known; readonly dependent?: string }> {
  let origin = await known(execution, services);
  let dependent: string | undefined;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const { message } = innermost({ Error: origin.error, Cause: origin.cause });
    const [, , name] = /^Dependent workflow failed: (.+), execution (\S+)$/.exec(message) ?? [];
    if (name === undefined) break;
    const last = await services.events(origin.arn, 'last');
    origin = { ...origin, last };
    const arn = mentionedExecution(last, name);
    if (arn === undefined) break;
    const required = await services.describe(arn);
    if (!isFailed(required.status) || (required.stop ?? 0) < origin.start) break;
    dependent ??= origin.workflow;
    origin = await known(required, services);
  }
  return { origin, ...present({ dependent }) };
}

async function known(execution: Execution, { events, project }: ExecutionServices): Promise<Known> {
  const { workflow, session } = beginning(await events(execution.arn, 'first'));
  return { ...execution, workflow: workflow ?? workflowOf(execution.machine, project), session };
}

/** The first success after a failure of the same workflow, in the order in which they ended. */
async function recovered(execution: Execution, services: ExecutionServices): Promise<Told> {
  if (!services.on.has('recovery')) return { ignored: 'notifications.on has no recovery' };
  const stopped = execution.stop ?? 0;
  const earlier = (await services.executions(execution.machine))
    .filter(({ arn, stop }) => arn !== execution.arn && stop !== undefined && stop <= stopped)
    .sort((a, b) => (b.stop ?? 0) - (a.stop ?? 0))[0];
  if (earlier === undefined || !isFailed(earlier.status)) return { ignored: 'the execution before it did not fail' };
  const { workflow, session } = await known(execution, services);
  const claim = await services.marks.claim(attemptPath(workflow, execution.name), mark('recovery', workflow));
  if (claim === undefined) return { ignored: 'it is told already' };
  const { consoleLink } = services;
  const links = [
    { title: 'Execution', url: consoleLink(execution.arn) },
    { title: 'The one that failed', url: consoleLink(earlier.arn) },
  ];
  const report: Report = {
    kind: 'recovery',
    title: `${workflow} works again`,
    fields: fields({
      Workflow: workflow,
      Session: session,
      Attempt: execution.name,
      'Failed before': `${earlier.name}, ${new Date(earlier.stop ?? 0).toISOString()}`,
    }),
    links: links.flatMap(({ title, url }) => (url === undefined ? [] : [{ title, url }])),
  };
  await deliver(report, claim, services.channels);
  return { told: report.title };
}

/** The command that continues a failed execution. */
export function retryCommand(execution: string): string {
  return `trowel retry ${execution} --resume`;
}

export function mark(occasion: Occasion, workflow: string, redrives = 0): string {
  return `${occasion}-${encodeURIComponent(workflow)}${redrives === 0 ? '' : `-${redrives}`}`;
}

/**
 * The key of a failure's mark, when a notify> in a handler reports it. It is the same for the handlers around it and at the execution's
 * end.
 */
export function failureMark({ Error: error, Cause: cause }: ErrorOutput): string {
  const digest = createHash('sha256').update(JSON.stringify([error ?? '', cause ?? '']));
  return `handled-${digest.digest('hex').slice(0, 16)}`;
}

/** Used if the history does not say it: a state machine is named `PROJECT-WORKFLOW`. */
function workflowOf(machine: string, project: string): string {
  const name = machine.slice(machine.lastIndexOf(':') + 1);
  return name.startsWith(`${project}-`) ? name.slice(project.length + 1) : name;
}

function isFailed(status: string): status is (typeof FAILED)[number] {
  return (FAILED as readonly string[]).includes(status);
}
