import { LIMITS } from '../asl/limits.ts';

/** An error with a name, thrown by an Invoke; Retry and Catch match the name. Longer texts are cut to what the service keeps. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly error: string;
  /** Free text; by custom JSON. */
  readonly causeText: string;

  constructor(error: string, cause = '', options?: ErrorOptions) {
    super(cause === '' ? error : `${error}: ${cause}`, options);
    this.error = error.slice(0, LIMITS.errorChars);
    this.causeText = cause.slice(0, LIMITS.causeChars);
  }
}

/** A state failed. Inside the engine failures travel as this exception up to the state, frame or execution that deals with them. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly error: string | undefined;
  readonly causeText: string | undefined;
  /** More names that Retry and Catch can match. */
  readonly aliases: readonly string[];
  /** If true, no Retry and no Catch applies, e.g. for an output that is too large at the transition. */
  readonly final: boolean;
  /** Id of the last event of the thread that failed. */
  readonly eventId: number;

  constructor(
    error: string | undefined,
    cause: string | undefined,
    at: { eventId: number; aliases?: readonly string[]; final?: boolean },
  ) {
    super(`${error ?? 'failed'}: ${cause ?? ''}`);
    this.error = error?.slice(0, LIMITS.errorChars);
    this.causeText = cause?.slice(0, LIMITS.causeChars);
    this.aliases = at.aliases ?? [];
    this.final = at.final ?? false;
    this.eventId = at.eventId;
  }

  /** The same failure under one more name. */
  also(alias: string): StateError {
    return this.#copy(this.eventId, [...this.aliases, alias]);
  }

  /** The same failure, with another event as the last one that recorded it. */
  at(eventId: number): StateError {
    return this.#copy(eventId, this.aliases);
  }

  #copy(eventId: number, aliases: readonly string[]): StateError {
    return new StateError(this.error, this.causeText, { aliases, final: this.final, eventId });
  }
}

/** Thrown where a wait or a loop notices that its frame was stopped: by a failing sibling, a timeout or the user. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/**
 * Whether a retrier's or catcher's ErrorEquals matches. `States.TaskFailed` stands for every error but States.Timeout; States.Runtime
 * always ends the execution. States.ALL matches a task's States.DataLimitExceeded, as recorded executions show; the documentation says it
 * does not.
 */
export function matchesError(errorEquals: readonly string[], failure: StateError): boolean {
  if (failure.final || failure.error === 'States.Runtime') return false;
  return errorEquals.some((name) => {
    if (name === 'States.ALL') return true;
    if (name === 'States.TaskFailed') return failure.error !== 'States.Timeout';
    return name === failure.error || failure.aliases.includes(name);
  });
}
