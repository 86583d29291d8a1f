/**
 * A container has ended, in one of the many ways in which the runner inside cannot say so: the state that waits for it gets a failure. A task
 * that was answered waits no more, so events may come late, twice and in any order.
 */

import { present } from '../../asl/present.ts';
import { ASSIGNMENT, type AssignmentFile, assignmentUri, jobIn } from '../../contract/assignment-file.ts';
import type { Failure } from '../../contract/errors.ts';
import type { Value } from '../../language/workflow.ts';
import { type Reason, reasonOf, runners, type StoppedTask } from './reasons.ts';

export interface Services {
  /** Where assignments lie. */
  readonly bucket: string;
  /** JSON at an address of the project's bucket. */
  readonly read: (uri: string) => Promise<Value | undefined>;
  /** Resolves to whether the state was still waiting. */
  readonly fail: (token: string, error: Reason['error'], failure: Failure) => Promise<boolean>;
  /** Where the container's log is. */
  readonly log?: (taskArn: string, container: string) => string;
}

/** `told`: the reason with which a state was failed. */
export type Handled = { readonly told: Reason } | { readonly ignored: string };

export async function taskStopped(task: StoppedTask, services: Services): Promise<Handled> {
  if (task.lastStatus !== 'STOPPED') return { ignored: `it is ${task.lastStatus}` };
  const job = jobOf(task);
  if (job === undefined) return { ignored: 'it is no task of Trowel' };
  const { id, container } = job;
  const file = (id && (await services.read(assignmentUri(services.bucket, id)))) as AssignmentFile | undefined;
  if (typeof file?.token !== 'string') return { ignored: 'its assignment is gone' };
  const reason = reasonOf(task);
  const log = container === undefined ? undefined : services.log?.(task.taskArn, container);
  const failure: Failure = {
    message: reason.message,
    ...present({ log }),
    task: file.assignment.task,
  };
  return (await services.fail(file.token, reason.error, failure))
    ? { told: reason }
    : { ignored: 'nobody waits for it' };
}

/** Found by the variable that launch has set; if an event leaves variables out, by `startedBy`, which has the same id. */
function jobOf(task: StoppedTask): { readonly id: string | undefined; readonly container?: string } | undefined {
  for (const { name, environment = [] } of task.overrides?.containerOverrides ?? []) {
    const address = environment.find((variable) => variable.name === ASSIGNMENT)?.value;
    if (address !== undefined) return { id: jobIn(address), ...present({ container: name }) };
  }
  const { startedBy: id = '' } = task;
  const [{ name } = {}] = runners(task);
  if (!/^[0-9a-f]{32}$/.test(id)) return undefined;
  return { id, ...present({ container: name }) };
}
