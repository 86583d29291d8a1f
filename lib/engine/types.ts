import type { Json } from '../asl/types.ts';

/** A Task state's request to the outside world. */
export interface Call {
  /** As in the definition, without a final `.waitForTaskToken`, e.g. `arn:aws:states:::lambda:invoke`. */
  readonly resource: string;
  readonly arguments: Json;
  /** The same as written in the definition, before evaluation: it holds no data. */
  readonly written?: Json;
  /** Present for `.waitForTaskToken`: the state ends when TaskTokens gets its answer; what `invoke` returns is ignored. */
  readonly token?: string;
  readonly stateName: string;
  /** Retries so far, since the state was entered. */
  readonly retryCount: number;
  readonly executionArn: string;
  readonly executionName: string;
  /** For a job that is started and then waited for (`.sync`): called with the answer to the start. */
  readonly submitted?: (output: Json) => void;
  /** Aborted when the state times out or the execution ends or is stopped. */
  readonly signal: AbortSignal;
}

/** Throws TaskError for a named error; any other exception becomes States.TaskFailed. */
export type Invoke = (call: Call) => Promise<Json>;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds, or rejects when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export type Outcome =
  | { readonly status: 'SUCCEEDED'; readonly output: Json }
  | { readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; readonly error?: string; readonly cause?: string };
