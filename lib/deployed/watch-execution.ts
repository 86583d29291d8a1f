import { present } from '../asl/present.ts';
import { taskLogGroup } from '../contract/deployed-names.ts';
import type { RunEvent } from '../events/run-event.ts';
import { connectPlaces } from './connect-places.ts';
import { ExecutionEvents } from './execution-events.ts';
import { follow } from './follow.ts';
import type { OpenedProject } from './open-project.ts';
import { recordedEvents } from './recorded-events.ts';

export interface Watching {
  /** The project whose tasks' logs are read; an ARN may be of another project. Default: the opened one. */
  readonly project?: string;
  /** Ends the watching, not the execution. */
  readonly signal?: AbortSignal;
}

/** The events of an execution as they come, until it ends. */
export async function* watchExecution(
  opened: OpenedProject,
  arn: string,
  { project = opened.deployed.name, signal }: Watching = {},
): AsyncGenerator<RunEvent> {
  yield* follow(new ExecutionEvents(opened.states, arn), {
    ...(await connectPlaces(opened.connection)),
    group: taskLogGroup(project),
    ...present({ signal }),
  });
}

/** Those that there are so far. */
export async function* executionSoFar(opened: OpenedProject, arn: string, project: string): AsyncGenerator<RunEvent> {
  const places = await connectPlaces(opened.connection);
  yield* recordedEvents(new ExecutionEvents(opened.states, arn), { ...places, group: taskLogGroup(project) });
}
