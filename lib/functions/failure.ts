import { ERRORS } from '../contract/errors.ts';

/** A failure with one of the names that Retry and Catch match; a function that throws it fails with that name on AWS too. */
export class Failed extends Error {
  constructor(name: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}

/** What digdag calls a ConfigException: its text ends with `(config)`. */
export function badInput(message: string): Failed {
  return new Failed(ERRORS.badInput, `${message} (config)`);
}

export function taskFailed(message: string, cause?: unknown): Failed {
  return new Failed(ERRORS.taskFailed, message, cause === undefined ? undefined : { cause });
}
