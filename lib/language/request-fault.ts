/**
 * `usage`: the request makes no sense. `failed`: something that it names is missing or wrong. `environment`: this machine or AWS lacks
 * something. `interrupted`: the user has stopped it.
 */
export type FaultKind = 'usage' | 'failed' | 'environment' | 'interrupted';

/** A request that cannot be carried out. The user sees the message, never a stack trace. */
export class RequestFault extends Error {
  override readonly name: string = 'RequestFault';
  readonly kind: FaultKind;
  /** What to do about it, a line each. */
  readonly notes: readonly string[];

  constructor(kind: FaultKind, message: string, notes: readonly string[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.notes = notes;
  }
}

export function usageFault(message: string, ...notes: string[]): RequestFault {
  return new RequestFault('usage', message, notes);
}
