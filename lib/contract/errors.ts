/** How failures are named and described between processes. */

/** Names of errors, as Retry and Catch match them. */
export const ERRORS = {
  taskFailed: 'Trowel.TaskFailed',
  taskTimeout: 'Trowel.TaskTimeout',
  throttled: 'Trowel.Throttled',
  noCapacity: 'Trowel.NoCapacity',
  taskLost: 'Trowel.TaskLost',
  template: 'Trowel.Template',
  badInput: 'Trowel.BadInput',
  secret: 'Trowel.Secret',
  /** The session took longer than its `sla:` with `fail: true`. */
  sla: 'Trowel.Sla',
} as const;

export type ErrorName = (typeof ERRORS)[keyof typeof ERRORS];

/**
 * An error that a state machine sees under its name: the engine and the Lambda runtime both report `name`. `name` is one of ERRORS, or the
 * name that a service of AWS gives.
 */
export class TrowelError extends Error {
  constructor(name: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}

/** An error that digdag calls a ConfigException: its text ends with `(config)`. */
export function badInput(message: string): TrowelError {
  return new TrowelError(ERRORS.badInput, `${message} (config)`);
}

export function taskFailed(message: string, cause?: unknown): TrowelError {
  return new TrowelError(ERRORS.taskFailed, message, cause === undefined ? undefined : { cause });
}

/**
 * The Cause of a failure raised by Trowel is this as JSON (an AWS Lambda function's own is `{errorType, errorMessage}`; both are
 * understood by `failureOf`). `message` is what `${error.message}` gives.
 */
export type Failure = {
  message: string;
  /** The user's frames, innermost last. */
  stacktrace?: string;
  /** Where the whole log is: a path here, a log stream's link on AWS. */
  log?: string;
  task?: string;
  /** On AWS: where the traceback is, `s3://…`; `stacktrace` may be only its end. */
  traceback?: string;
  /** The exit code of the program that the task ran, if its adapter gave one. */
  exit?: number;
};
