/** Something wrong with a machine, as a value. */
export interface Fault {
  readonly rule: FaultRule;
  /** JSON pointer (RFC 6901) to the place, `/States/Load/Next`; empty for the machine itself. */
  readonly path: string;
  /** One sentence without a final period. */
  readonly message: string;
}

export type FaultRule =
  // Found by validateMachine: the machine cannot be run.
  | 'not-json'
  | 'not-a-machine'
  | 'query-language'
  | 'missing-field'
  | 'unknown-field'
  | 'jsonpath-field'
  | 'bad-value'
  | 'unknown-state-type'
  | 'no-transition'
  | 'unknown-target'
  | 'expression-syntax'
  | 'newer-syntax'
  // Found by lintMachine too: the service refuses it, or it fails when it runs.
  | 'too-large'
  | 'name-too-long'
  | 'duplicate-name'
  | 'unreachable-state'
  | 'no-terminal-state'
  | 'states-all'
  | 'heartbeat-over-timeout'
  | 'no-token'
  | 'unknown-function'
  | 'eval'
  | 'bare-name'
  | 'states-field'
  | 'too-deep'
  | 'undefined-variable'
  | 'out-of-scope-variable'
  | 'unassigned-variable'
  | 'outer-assignment'
  | 'variable-name'
  | 'distributed-only'
  | 'unknown-integration';

/** One step of a JSON pointer, escaped. */
export function step(key: string | number): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
