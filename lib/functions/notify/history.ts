/** Reads what a message needs from an execution's history. Events are those of GetExecutionHistory. */

import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import type { HistoryEvent } from '../../engine/history.ts';
import { at, parsed, textOf } from '../../events/history-value.ts';

interface Failure {
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

/** From the first events, those of the state `Start`. */
export function beginning(events: readonly HistoryEvent[]): {
  readonly workflow?: string;
  readonly session?: string;
} {
  const workflow = firstOf(events, (event) => textOf(payloadOf(event), 'workflow'));
  const session = firstOf(events, ({ taskSucceededEventDetails: succeeded }) =>
    textOf(parsed(succeeded?.output), 'Payload', 'b', 'vars', 'session_time'),
  );
  return present({ workflow, session });
}

function firstOf(
  events: readonly HistoryEvent[],
  read: (event: HistoryEvent) => string | undefined,
): string | undefined {
  for (const event of events) {
    const found = read(event);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The task whose failure has this error and cause. From the last events, in any order. */
export function failedTask(events: readonly HistoryEvent[], failure: Failure): string | undefined {
  const byId = new Map(events.map((event) => [event.id, event]));
  const failed = failedEvent(events, failure);
  for (let event = failed; event !== undefined; event = before(event, byId)) {
    const name = textOf(payloadOf(event), 't') ?? event.stateEnteredEventDetails?.name;
    if (name !== undefined) return name;
  }
  return undefined;
}

/** ARN of the task's container, which launch answered when it started it. */
export function failedContainer(events: readonly HistoryEvent[], failure: Failure): string | undefined {
  const byId = new Map(events.map((event) => [event.id, event]));
  let event = failedEvent(events, failure);
  while (event !== undefined && event.type !== 'TaskSubmitted' && event.type !== 'TaskScheduled')
    event = before(event, byId);
  return textOf(parsed(event?.taskSubmittedEventDetails?.output), 'Payload', 'taskArn');
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
  for (const end of events.filter(({ type }) => ENDS.test(type))) {
    let event: HistoryEvent | undefined = end;
    while (event !== undefined && event.type !== 'TaskScheduled') event = before(event, byId);
    ended.add(event?.id);
  }
  const running = events.filter(({ type, id }) => type === 'TaskScheduled' && !ended.has(id));
  const names = running.map((event) => textOf(payloadOf(event), 't')).filter((name) => name !== undefined);
  return [...new Set(names)].sort();
}

/** Each event names an earlier one as the one before it. Anything else is ignored, so that this cannot go round in circles. */
function before(
  { id, previousEventId }: HistoryEvent,
  byId: ReadonlyMap<number, HistoryEvent>,
): HistoryEvent | undefined {
  return previousEventId < id ? byId.get(previousEventId) : undefined;
}

/** The ARN of an execution of that name, wherever it is mentioned. */
export function mentionedExecution(events: readonly HistoryEvent[], name: string): string | undefined {
  const quoted = name.replaceAll(/[^\w-]/g, '\\$&');
  const arn = new RegExp(`arn:aws[\\w-]*:states:[\\w-]+:\\d+:execution:[\\w-]+:${quoted}(?![\\w-])`);
  return arn.exec(JSON.stringify(events))?.[0];
}

function payloadOf(event: HistoryEvent): Json | undefined {
  return at(parsed(event.taskScheduledEventDetails?.parameters), 'Payload');
}
