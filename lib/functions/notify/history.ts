/** What an execution's history tells about it. Events are those of GetExecutionHistory, as far as they are read. */

import { isMapping } from '../../contract/merge.ts';
import type { Mapping, Value } from '../../language/workflow.ts';

interface Failure {
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

export interface HistoryEvent {
  readonly id?: number | undefined;
  readonly previousEventId?: number | undefined;
  readonly type?: string | undefined;
  readonly stateEnteredEventDetails?: { readonly name?: string | undefined } | undefined;
  readonly taskScheduledEventDetails?: { readonly parameters?: string | undefined } | undefined;
  readonly taskSubmittedEventDetails?: { readonly output?: string | undefined } | undefined;
  readonly taskSucceededEventDetails?: { readonly output?: string | undefined } | undefined;
  readonly taskFailedEventDetails?: Failure | undefined;
  readonly taskTimedOutEventDetails?: Failure | undefined;
  readonly evaluationFailedEventDetails?: Failure | undefined;
}

/** From the first events, those of the state `Start`. */
export function beginning(events: readonly HistoryEvent[]): {
  readonly workflow?: string;
  readonly session?: string;
} {
  const payload = events.map(payloadOf).find((one) => typeof one?.workflow === 'string');
  const answer = events.map((event) => parsed(event.taskSucceededEventDetails?.output).Payload).find(isMapping);
  const { b } = answer ?? {};
  const vars = isMapping(b) && isMapping(b.vars) ? b.vars : {};
  return {
    ...(typeof payload?.workflow === 'string' && { workflow: payload.workflow }),
    ...(typeof vars.session_time === 'string' && { session: vars.session_time }),
  };
}

/** The task whose failure has this error and cause. From the last events, in any order. */
export function failedTask(events: readonly HistoryEvent[], failure: Failure): string | undefined {
  const byId = new Map(events.map((event) => [event.id, event]));
  const failed = failedEvent(events, failure);
  let name: string | undefined;
  for (let at = failed; at !== undefined; at = before(at, byId)) {
    const task = payloadOf(at)?.t;
    if (typeof task === 'string') return task;
    name = at.stateEnteredEventDetails?.name;
    if (name !== undefined) break;
  }
  return name;
}

/** ARN of its container: launch answers with it when it has started, whatever becomes of it. */
export function failedContainer(events: readonly HistoryEvent[], failure: Failure): string | undefined {
  const byId = new Map(events.map((event) => [event.id, event]));
  let at = failedEvent(events, failure);
  while (at !== undefined && at.type !== 'TaskSubmitted' && at.type !== 'TaskScheduled') at = before(at, byId);
  const { Payload } = parsed(at?.taskSubmittedEventDetails?.output);
  return isMapping(Payload) && typeof Payload.taskArn === 'string' ? Payload.taskArn : undefined;
}

function failedEvent(events: readonly HistoryEvent[], { error, cause }: Failure): HistoryEvent | undefined {
  return events.find((event) => {
    const { taskFailedEventDetails, taskTimedOutEventDetails, evaluationFailedEventDetails } = event;
    const details = taskFailedEventDetails ?? taskTimedOutEventDetails ?? evaluationFailedEventDetails;
    return details !== undefined && details.error === error && (!cause || (details.cause ?? '') === cause);
  });
}

const ENDS = /^Task(?:Succeeded|Failed|TimedOut)$/;

/** Tasks that have begun and not ended, from the last events. */
export function runningTasks(events: readonly HistoryEvent[]): string[] {
  const byId = new Map(events.map((event) => [event.id, event]));
  const ended = new Set<number | undefined>();
  for (const event of events.filter(({ type = '' }) => ENDS.test(type))) {
    let at: HistoryEvent | undefined = event;
    while (at !== undefined && at.type !== 'TaskScheduled') at = before(at, byId);
    ended.add(at?.id);
  }
  const running = events.filter(({ type, id }) => type === 'TaskScheduled' && !ended.has(id));
  const names = running.map((event) => payloadOf(event)?.t).filter((name) => typeof name === 'string');
  return [...new Set(names)].sort();
}

/** An event is preceded by an earlier one; whatever else is said must not lead round in circles. */
function before(event: HistoryEvent, byId: ReadonlyMap<number | undefined, HistoryEvent>): HistoryEvent | undefined {
  const { id = 0, previousEventId = 0 } = event;
  return previousEventId < id ? byId.get(previousEventId) : undefined;
}

/** The ARN of an execution of that name, wherever it is mentioned. */
export function mentionedExecution(events: readonly HistoryEvent[], name: string): string | undefined {
  const quoted = name.replaceAll(/[^\w-]/g, '\\$&');
  const arn = new RegExp(`arn:aws[\\w-]*:states:[\\w-]+:\\d+:execution:[\\w-]+:${quoted}(?![\\w-])`);
  return arn.exec(JSON.stringify(events))?.[0];
}

function payloadOf(event: HistoryEvent): Mapping | undefined {
  const { Payload } = parsed(event.taskScheduledEventDetails?.parameters);
  return isMapping(Payload) ? Payload : undefined;
}

function parsed(text: string | undefined): Mapping {
  try {
    const value = JSON.parse(text ?? '{}') as Value;
    return isMapping(value) ? value : {};
  } catch {
    return {};
  }
}
