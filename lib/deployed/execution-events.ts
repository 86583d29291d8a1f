/**
 * Histories of an execution and of those that it starts (parts of a split workflow, workflows of require>) as one stream of RunEvents,
 * the same that a run here gives.
 */

import { present } from '../asl/present.ts';
import type { Json } from '../asl/types.ts';
import { taskComments } from '../compiler/task-comments.ts';
import { consoleLink } from '../contract/console-link.ts';
import { failureOf } from '../contract/failure.ts';
import type { HistoryEvent } from '../engine/history.ts';
import { at, numberOf, parsed, textOf } from '../events/history-value.ts';
import type { RunEvent, RunStatus } from '../events/run-event.ts';
import { TaskEvents } from '../events/task-events.ts';
import { executionName, machineName } from './arns.ts';
import { Launches } from './containers.ts';
import { HistoryReader } from './history-reader.ts';
import { resumedBy } from './resumed.ts';
import type { States } from './states.ts';

type Reading = Pick<States, 'history' | 'definition'>;

/** One execution as it is read. */
interface Tracked {
  readonly arn: string;
  readonly reader: HistoryReader;
  readonly translator: TaskEvents;
  readonly launches: Launches;
}

export class ExecutionEvents {
  readonly #states: Reading;
  readonly #root: string;
  readonly #tracked = new Map<string, Tracked>();
  #startedTold = false;
  #input: Json = null;
  #began = 0;
  #end: RunEvent | undefined;

  constructor(states: Reading, executionArn: string) {
    this.#states = states;
    this.#root = executionArn;
  }

  /** The end of the execution that was asked for; undefined until all its events are read. It is reported last. */
  get end(): RunEvent | undefined {
    return this.#end;
  }

  /** The execution and those that it started, as far as they are known. */
  get executions(): readonly Tracked[] {
    return [...this.#tracked.values()];
  }

  /** Whether anything may still come. */
  get over(): boolean {
    return this.#end !== undefined && this.executions.every(({ reader }) => reader.over);
  }

  /** New events of all histories. Executions that are found on the way are read at once. */
  async *read(): AsyncGenerator<RunEvent> {
    if (this.#tracked.size === 0) await this.#track(this.#root);
    for (const tracked of this.#tracked.values()) {
      for await (const page of tracked.reader.read()) {
        for (const event of page) yield* this.#told(tracked, event);
        await this.#trackStartedBy(page);
      }
    }
  }

  async #track(arn: string): Promise<void> {
    const tasks = taskComments(JSON.parse(await this.#states.definition(arn)));
    const reader = new HistoryReader(this.#states, arn);
    this.#tracked.set(arn, { arn, reader, translator: new TaskEvents(tasks), launches: new Launches() });
  }

  async #trackStartedBy(page: readonly HistoryEvent[]): Promise<void> {
    for (const event of page) {
      const arn = startedExecution(event);
      if (arn !== undefined && !this.#tracked.has(arn)) await this.#track(arn);
    }
  }

  *#told(tracked: Tracked, event: HistoryEvent): Generator<RunEvent> {
    tracked.launches.see(event);
    if (tracked.arn === this.#root) yield* this.#toldOfRun(event);
    yield* tracked.translator.translate(event);
  }

  /** The run begins for its readers when `session` has said which session it is, or when it ends before that. */
  *#toldOfRun(event: HistoryEvent): Generator<RunEvent> {
    if (event.executionStartedEventDetails !== undefined) {
      this.#input = parsed(event.executionStartedEventDetails.input);
      this.#began = event.timestamp;
    }
    const session = at(parsed(event.taskSucceededEventDetails?.output), 'Payload', 'b');
    const status = STATUS[event.type];
    if (!this.#startedTold && (textOf(session, 'vars', 'session_time') !== undefined || status !== undefined)) {
      this.#startedTold = true;
      yield this.#runStarted(session);
    }
    if (status === undefined) return;
    const seconds = (event.timestamp - this.#began) / 1000;
    const time = new Date(event.timestamp).toISOString();
    this.#end = { type: 'run-ended', time, status, seconds, ...whyEnded(event) };
  }

  #runStarted(session: Json | undefined): RunEvent {
    const arn = this.#root;
    const [earlier] = resumedBy(this.#input);
    return {
      type: 'run-started',
      time: new Date(this.#began).toISOString(),
      workflow: textOf(session, 'attempt', 'workflow') ?? machineName(arn),
      session_time: textOf(session, 'vars', 'session_time') ?? textOf(this.#input, 'session_time') ?? '',
      attempt: numberOf(session, 'vars', 'attempt_id') ?? 0,
      session: numberOf(session, 'vars', 'session_id') ?? 0,
      directory: '',
      execution: executionName(arn),
      link: consoleLink(arn),
      ...present({ resumes_execution: earlier }),
    };
  }
}

const STATUS: { readonly [type: string]: RunStatus } = {
  ExecutionSucceeded: 'succeeded',
  ExecutionFailed: 'failed',
  ExecutionTimedOut: 'failed',
  ExecutionAborted: 'interrupted',
};

function whyEnded(event: HistoryEvent): { readonly error?: string; readonly message?: string } {
  const { executionFailedEventDetails, executionTimedOutEventDetails, executionAbortedEventDetails } = event;
  const details = executionFailedEventDetails ?? executionTimedOutEventDetails ?? executionAbortedEventDetails;
  if (event.type === 'ExecutionSucceeded') return {};
  const error = details?.error ?? (event.type === 'ExecutionTimedOut' ? 'States.Timeout' : undefined);
  if (error === undefined && details?.cause === undefined) return {};
  const { name, message } = failureOf({ Error: error, Cause: details?.cause });
  return { error: name, message };
}

/** The execution that a state has started and waits for; reported again when it ends. */
export function startedExecution(event: HistoryEvent): string | undefined {
  const { taskSubmittedEventDetails, taskSucceededEventDetails, taskFailedEventDetails } = event;
  const details = taskSubmittedEventDetails ?? taskSucceededEventDetails ?? taskFailedEventDetails;
  if (details === undefined || details.resourceType !== 'states' || !/^startExecution/.test(details.resource))
    return undefined;
  return textOf(parsed('output' in details ? details.output : taskFailedEventDetails?.cause), 'ExecutionArn');
}
