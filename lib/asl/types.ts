/**
 * The types of the Amazon States Language, JSONata side (https://states-language.net/).
 *
 * A string of the form `{% … %}` is a JSONata expression wherever the language allows one; `Template` marks those places. Everything is
 * readonly: a machine is made once, by the compiler or by `JSON.parse`.
 */
import type { Json } from './json.ts';

export type { Json } from './json.ts';

/** JSON in which strings may be `{% … %}`. */
export type Template = Json;

export type Assign = { readonly [variable: string]: Template };

export interface StateMachine {
  readonly Comment?: string;
  readonly QueryLanguage: 'JSONata';
  readonly StartAt: string;
  readonly States: { readonly [name: string]: State };
  readonly TimeoutSeconds?: number;
  readonly Version?: string;
}

export type State =
  | PassState
  | TaskState
  | ChoiceState
  | WaitState
  | SucceedState
  | FailState
  | ParallelState
  | MapState;

interface Common {
  readonly Comment?: string;
  readonly QueryLanguage?: 'JSONata';
}

/** A state that is not terminal by its type has exactly one of Next and End. */
interface Transition {
  readonly Next?: string;
  readonly End?: true;
}

interface Result {
  readonly Assign?: Assign;
  readonly Output?: Template;
}

interface Recovery {
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  /** Seconds before the first retry, default 1. */
  readonly IntervalSeconds?: number;
  /** Default 3; 0 means never. */
  readonly MaxAttempts?: number;
  /** Default 2. */
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export interface Catcher extends Result {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
}

export interface PassState extends Common, Transition, Result {
  readonly Type: 'Pass';
}

export interface TaskState extends Common, Transition, Result, Recovery {
  readonly Type: 'Task';
  readonly Resource: string;
  readonly Arguments?: Template;
  readonly TimeoutSeconds?: number | string;
  readonly HeartbeatSeconds?: number | string;
  readonly Credentials?: Template;
}

export interface ChoiceRule extends Result {
  readonly Comment?: string;
  /** `{% … %}` giving a Boolean, or a literal Boolean. */
  readonly Condition: string | boolean;
  readonly Next: string;
}

/** Assign and Output of the state itself apply only to Default; a rule that is taken has its own. */
export interface ChoiceState extends Common, Result {
  readonly Type: 'Choice';
  readonly Choices: readonly ChoiceRule[];
  readonly Default?: string;
}

export interface WaitState extends Common, Transition, Result {
  readonly Type: 'Wait';
  readonly Seconds?: number | string;
  readonly Timestamp?: string;
}

export interface SucceedState extends Common {
  readonly Type: 'Succeed';
  readonly Output?: Template;
}

export interface FailState extends Common {
  readonly Type: 'Fail';
  readonly Error?: string;
  readonly Cause?: string;
}

export interface Processor {
  readonly StartAt: string;
  readonly States: { readonly [name: string]: State };
  readonly ProcessorConfig?: {
    readonly Mode?: 'INLINE' | 'DISTRIBUTED';
    readonly ExecutionType?: 'STANDARD' | 'EXPRESS';
  };
}

export interface ParallelState extends Common, Transition, Result, Recovery {
  readonly Type: 'Parallel';
  readonly Arguments?: Template;
  readonly Branches: readonly Processor[];
}

export interface MapState extends Common, Transition, Result, Recovery {
  readonly Type: 'Map';
  /** An array or an object, or an expression that gives one; default the state's input, which must be an array. */
  readonly Items?: Template;
  readonly ItemSelector?: Template;
  readonly ItemProcessor: Processor;
  readonly MaxConcurrency?: number | string;
  readonly ToleratedFailurePercentage?: number | string;
  readonly ToleratedFailureCount?: number | string;
  readonly ItemBatcher?: {
    readonly MaxItemsPerBatch?: number | string;
    readonly MaxInputBytesPerBatch?: number | string;
    readonly BatchInput?: Template;
  };
  readonly ItemReader?: Template;
  readonly ResultWriter?: Template;
  readonly Label?: string;
}
