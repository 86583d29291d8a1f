/** The form of an entry in the operators' table. */
import type { Mapping, Value } from '../workflow.ts';

export type ValueType =
  | 'text'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'duration'
  | 'seconds'
  | 'list'
  | 'mapping'
  | 'any'
  // Sizes of a container (fargate-sizes.ts).
  | 'cpu'
  | 'memory'
  | 'disk';

export interface OptionSpec {
  /** Any of these types; a text with `${…}` fits each, since its value is known only at run time. */
  readonly type: ValueType | readonly ValueType[];
  /** The only texts allowed. */
  readonly oneOf?: readonly string[];
  readonly default?: Value;
  readonly required?: boolean;
  /** For a Boolean: an empty text is false. */
  readonly emptyIsFalse?: boolean;
  /** Keys of a mapping; any other key is reported. */
  readonly keys?: { readonly [key: string]: OptionSpec };
  readonly description: string;
}

interface Common {
  readonly description: string;
  /** The value after `op>:`. */
  readonly command: OptionSpec;
  /** The value may be absent: without condition (an empty list), or where one of these options is set. */
  readonly commandElsewhere?: readonly string[];
  readonly options: { readonly [key: string]: OptionSpec };
  /** Parameters that the operator itself can store (its body not counted): none, any, or one variable. */
  readonly stores: 'nothing' | 'anything' | { readonly variable: string };
  /** Keys in which `${secret:KEY}` is replaced (`command`: the value), besides `_env` of processes. Elsewhere it stays as written. */
  readonly secrets?: readonly string[];
  /** A secret that the operator needs if none of these options is set. */
  readonly needsSecret?: { readonly key: string; readonly unless: readonly string[] };
  /** An object of this name in scope holds defaults of the options, as `_export: {http: {timeout: 60}}`. */
  readonly defaults?: string;
}

/** User code: a process here, a container deployed. All keys reach it as parameters. */
interface Container {
  readonly kind: 'container';
  readonly runs: 'python' | 'shell';
  readonly defaults: string;
  /** The module of trowel_task/adapters that runs it. Absent: the runner's own, which calls a function or a script as digdag does. */
  readonly adapter?: string;
  /** A second container next to the task's own: `{image, command?, env?}`, text to be evaluated but for the image. */
  readonly beside?: Mapping;
}

/** A function renders the task's keys and carries the task out. `http_call`: the answer is tasks, so it cannot be deployed. */
type Function_ = { readonly kind: 'function' } & (
  | { readonly function: 'http' | 'http_call' }
  | { readonly function: 'notify'; readonly sends: 'notification' | 'slack' | 'mail' }
);

/** Runs `_do` for each iteration. */
interface Repeat {
  readonly kind: 'repeat';
  /** The form of the value: a number of times, lists of values, or a range of integers. */
  readonly over: 'count' | 'lists' | 'range';
}

interface Other {
  readonly kind: OtherKind;
}

type OtherKind =
  /** Prints its value. */
  | 'print'
  /** Fails, with its value as the message. */
  | 'failure'
  /** Runs `_do` or `_else_do`. */
  | 'condition'
  /** Runs another workflow's tasks in its place. */
  | 'inline'
  /** Runs another workflow as a session of its own. */
  | 'session'
  | 'pause'
  /** Asks S3 until an object is there. */
  | 'poll'
  /** A request to a service of AWS, made by the machine itself. */
  | 'service'
  /** A call of the user's Lambda function, made by the machine itself. */
  | 'invocation';

/** `kind` decides how the operator is carried out; each kind has a file in lib/compiler/operators. */
export type OperatorSpec = Common & (Container | Function_ | Repeat | Other);
export type OperatorKind = OperatorSpec['kind'];
export type LoopOver = Repeat['over'];
export type Runs = Container['runs'];
export type Destination = Extract<OperatorSpec, { readonly sends: string }>['sends'];

export interface KindSpec {
  /** Becomes one state, which can open its frame itself. */
  readonly oneState: boolean;
  /** Has no single state that could repeat itself: `_retry` repeats a stretch of states. */
  readonly severalStates: boolean;
  /** Other tasks of the workflow's files run below it. */
  readonly leadsToTasks: boolean;
  /** Ends as soon as it starts, so that its start is not worth a line. */
  readonly instant: boolean;
  /** When Python adds such a task (digdag.env.add_subtask), the runner carries it out itself; for other kinds it asks the host. */
  readonly byRunner: boolean;
}

export function text(description: string, more: Partial<OptionSpec> = {}): OptionSpec {
  return { type: 'text', description, ...more };
}

export function flag(description: string, byDefault: boolean): OptionSpec {
  return { type: 'boolean', default: byDefault, description };
}
