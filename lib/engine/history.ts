import type { Json } from '../asl/types.ts';

/**
 * The events of an execution, named as in GetExecutionHistory. Differences: input, output, parameters and assigned variables are JSON
 * values, not JSON text (so nothing is ever truncated); timestamp is milliseconds; and the fields marked "ours".
 *
 * `previousEventId` is the event that this one follows in its own thread (a branch, an iteration), 0 for the first of an execution.
 */
export interface HistoryEvent {
  /** Counts from 1 in each execution. */
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: HistoryEventType;
  /** Ours: the id of the StateEntered event of the state that this event belongs to (absent on that event itself and outside of states). */
  readonly stateEntry?: number;
  /** Ours: set on events of a distributed Map's child executions, which are histories of their own. */
  readonly execution?: ChildExecution;

  readonly executionStartedEventDetails?: { readonly input: Json; readonly roleArn: string };
  readonly executionSucceededEventDetails?: { readonly output: Json };
  readonly executionFailedEventDetails?: Failure;
  readonly executionTimedOutEventDetails?: Failure;
  readonly executionAbortedEventDetails?: Failure;
  readonly stateEnteredEventDetails?: { readonly name: string; readonly input: Json };
  readonly stateExitedEventDetails?: {
    readonly name: string;
    readonly output: Json;
    readonly assignedVariables?: { readonly [name: string]: Json };
  };
  readonly evaluationFailedEventDetails?: Failure & { readonly state: string; readonly location?: string };
  readonly taskScheduledEventDetails?: Resource & {
    readonly parameters: Json;
    readonly timeoutInSeconds?: number;
    readonly heartbeatInSeconds?: number;
    readonly taskCredentials?: { readonly roleArn: Json };
  };
  readonly taskStartedEventDetails?: Resource;
  readonly taskSubmittedEventDetails?: Resource & { readonly output: Json };
  readonly taskSucceededEventDetails?: Resource & { readonly output: Json };
  readonly taskFailedEventDetails?: Resource & Failure;
  readonly taskTimedOutEventDetails?: Resource & Failure;
  readonly lambdaFunctionScheduledEventDetails?: Direct & { readonly taskCredentials?: { readonly roleArn: Json } };
  readonly lambdaFunctionSucceededEventDetails?: { readonly output: Json };
  readonly lambdaFunctionFailedEventDetails?: Failure;
  readonly lambdaFunctionTimedOutEventDetails?: Failure;
  readonly activityScheduledEventDetails?: Direct & { readonly heartbeatInSeconds?: number };
  readonly activityStartedEventDetails?: { readonly workerName?: string };
  readonly activitySucceededEventDetails?: { readonly output: Json };
  readonly activityFailedEventDetails?: Failure;
  readonly activityTimedOutEventDetails?: Failure;
  readonly mapStateStartedEventDetails?: { readonly length: number };
  readonly mapIterationStartedEventDetails?: Iteration;
  readonly mapIterationSucceededEventDetails?: Iteration;
  readonly mapIterationFailedEventDetails?: Iteration;
  readonly mapIterationAbortedEventDetails?: Iteration;
  readonly mapRunStartedEventDetails?: { readonly mapRunArn: string };
  readonly mapRunFailedEventDetails?: Failure;
  /** Ours: see RetryScheduled. */
  readonly retryScheduledEventDetails?: Failure & {
    readonly name: string;
    /** The retry that follows, from 1. */
    readonly attempt: number;
    readonly seconds: number;
  };
}

interface Failure {
  readonly error?: string;
  readonly cause?: string;
}

interface Resource {
  /** `lambda`, `ecs`, `aws-sdk:s3` … */
  readonly resourceType: string;
  /** `invoke`, `runTask.waitForTaskToken` … */
  readonly resource: string;
}

/** A Lambda function or an activity that a Resource names by its ARN. */
interface Direct {
  readonly resource: string;
  readonly input: Json;
  readonly timeoutInSeconds?: number;
}

interface Iteration {
  readonly name: string;
  readonly index: number;
}

export interface ChildExecution {
  readonly arn: string;
  readonly mapRunArn: string;
  /** The number of the item, or of the batch of items. */
  readonly index: number;
  /** `stateEntry` of the Map state in the execution around it. */
  readonly mapStateEntry: number;
}

type StateType = 'Pass' | 'Task' | 'Choice' | 'Wait' | 'Succeed' | 'Fail' | 'Parallel' | 'Map';

export type HistoryEventType =
  | `Execution${'Started' | 'Succeeded' | 'Failed' | 'TimedOut' | 'Aborted'}`
  | `${StateType}StateEntered`
  | `${Exclude<StateType, 'Fail'>}StateExited`
  | `${'Task' | 'Wait' | 'Parallel' | 'Map'}StateAborted`
  | `${'Parallel' | 'Map'}State${'Started' | 'Succeeded' | 'Failed'}`
  | `MapIteration${'Started' | 'Succeeded' | 'Failed' | 'Aborted'}`
  | `MapRun${'Started' | 'Succeeded' | 'Failed' | 'Aborted'}`
  | `Task${'Scheduled' | 'Started' | 'Submitted' | 'Succeeded' | 'Failed' | 'TimedOut'}`
  | `${'LambdaFunction' | 'Activity'}${'Scheduled' | 'Started' | 'Succeeded' | 'Failed' | 'TimedOut'}`
  | 'EvaluationFailed'
  /** Ours, for readers that show retries: it comes after the failure, has the same id, and does not exist in the service's history. */
  | 'RetryScheduled';

export type EventDetails = Omit<HistoryEvent, 'id' | 'previousEventId' | 'timestamp' | 'type' | 'execution'>;

/** Events a reader may be behind before the execution waits for it. */
const BACKLOG = 1000;

/**
 * The stream of events, to any number of readers. Only events that a reader has not yet taken are kept: the execution waits at the next
 * state while a reader is more than BACKLOG behind. Without a reader, events are dropped.
 */
export class EventStream {
  readonly #readers = new Set<Reader>();
  #ended = false;
  #waiting: (() => void)[] = [];

  push(event: HistoryEvent): void {
    for (const reader of this.#readers) {
      reader.push(event);
    }
  }

  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) {
      reader.end();
    }
  }

  /** Undefined when the execution may go on; otherwise settles once every reader has caught up. */
  pressure(): Promise<void> | undefined {
    return this.#behind() ? new Promise((resolve) => this.#waiting.push(resolve)) : undefined;
  }

  read(): AsyncIterator<HistoryEvent> {
    const reader = new Reader(() => this.#relieve());
    if (this.#ended) {
      reader.end();
    } else {
      this.#readers.add(reader);
    }
    return {
      next: () => reader.next(),
      return: async () => {
        this.#readers.delete(reader);
        this.#relieve();
        return { done: true, value: undefined };
      },
    };
  }

  #behind(): boolean {
    for (const reader of this.#readers) {
      if (reader.backlog >= BACKLOG) return true;
    }
    return false;
  }

  #relieve(): void {
    if (this.#waiting.length > 0 && !this.#behind()) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const go of waiting) {
        go();
      }
    }
  }
}

class Reader {
  #queue: HistoryEvent[] = [];
  #head = 0;
  #asked: ((result: IteratorResult<HistoryEvent>) => void)[] = [];
  #ended = false;
  readonly #taken: () => void;

  constructor(taken: () => void) {
    this.#taken = taken;
  }

  get backlog(): number {
    return this.#queue.length - this.#head;
  }

  push(event: HistoryEvent): void {
    const asked = this.#asked.shift();
    if (asked === undefined) {
      this.#queue.push(event);
    } else {
      asked({ done: false, value: event });
    }
  }

  end(): void {
    this.#ended = true;
    for (const asked of this.#asked.splice(0)) {
      asked({ done: true, value: undefined });
    }
  }

  next(): Promise<IteratorResult<HistoryEvent>> {
    const event = this.#queue[this.#head];
    if (event === undefined) {
      return this.#ended
        ? Promise.resolve({ done: true, value: undefined })
        : new Promise((resolve) => this.#asked.push(resolve));
    }
    this.#head += 1;
    // Cut now and then: shift() on every event would cost the length of the queue.
    if (this.#head === this.#queue.length || this.#head >= BACKLOG) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#taken();
    return Promise.resolve({ done: false, value: event });
  }
}
