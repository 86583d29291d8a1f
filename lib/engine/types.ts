import type { Json } from '../asl/types.ts';

/** What a Task state asks of the outside world. */
export interface Call {
  /** As in the definition, without a final `.waitForTaskToken`, e.g. `arn:aws:states:::lambda:invoke`. */
  readonly resource: string;
  readonly arguments: Json;
  /** The same as the definition has them, before anything is evaluated: what stands there is no data. */
  readonly written?: Json;
  /** Present for `.waitForTaskToken`: the state ends when TaskTokens gets its answer; what `invoke` returns is ignored. */
  readonly token?: string;
  readonly stateName: string;
  /** Retries of this entry of the state so far. */
  readonly retryCount: number;
  readonly executionArn: string;
  readonly executionName: string;
  /** For what is started and then waited for (`.sync`): the answer to the start, reported during the wait. */
  readonly submitted?: (output: Json) => void;
  /** Aborted when the state times out or the execution ends or is stopped. */
  readonly signal: AbortSignal;
}

/** Throws TaskError for a named error; any other exception becomes States.TaskFailed. */
export type Invoke = (call: Call) => Promise<Json>;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many milliseconds, or rejects when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export type Outcome =
  | { readonly status: 'SUCCEEDED'; readonly output: Json }
  | { readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; readonly error?: string; readonly cause?: string };
