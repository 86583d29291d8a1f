/**
 * What the states of a workflow need from AWS and from the project. The compiler notes it where it makes a state, so that it never has to
 * be read from a state again: lib/cloud makes rights and task definitions of it, and lib/deployed checks whether an account has it.
 */
import type { Mapping } from '../language/workflow.ts';

export type Need =
  /** Calls a function of Trowel. */
  | { readonly kind: 'function'; readonly name: string }
  /** Starts a state machine of the project: a workflow, or a part of one. */
  | { readonly kind: 'machine'; readonly name: string; readonly waits: boolean }
  /** Asks for, or stops, an execution that another state machine started. */
  | { readonly kind: 'execution'; readonly workflow: string; readonly action: 'describe' | 'stop' }
  /** aws> or lambda>: a `Resource` of the States Language, and its arguments as they are written, with `${…}` in them. */
  | { readonly kind: 'call'; readonly resource: string; readonly arguments: Mapping }
  /** s3_wait>: `bucket/key`, with `*` for what an expression gives. Absent: an expression names the bucket. */
  | { readonly kind: 'object'; readonly path?: string; readonly version: boolean }
  /** Runs in a container: what its task definition has to have. */
  | ({ readonly kind: 'container' } & Container)
  /** Its container, or one in a file that it calls, asks for Spot, or may: by an expression, an `_export` or a parameter. */
  | { readonly kind: 'spot' }
  /** Replaces a secret in its keys; one that only an expression names is not among these. */
  | { readonly kind: 'secret'; readonly key: string }
  /** mail>: `from` as it is written. */
  | { readonly kind: 'mail'; readonly from?: string; readonly server: boolean };

export interface Container {
  /** Key of the task definition in the payload; the same for the same images and secrets. */
  readonly definition: string;
  /** Absent: the project's. */
  readonly image?: string;
  /** Sorted. */
  readonly secrets: readonly string[];
  /** Image of a second container next to the runner's. */
  readonly beside?: string;
}

/** A need, and the state that has it: the table of tasks has the state's task and its place in the file. */
export type StateNeed = Need & {
  /** The workflow's name, or that of its part. */
  readonly machine: string;
  readonly state: string;
};

/** The needs of a workflow and its parts, in the order of the file. */
export type Needs = readonly StateNeed[];

export function ofKind<K extends Need['kind']>(needs: Needs, kind: K): (StateNeed & { readonly kind: K })[] {
  return needs.filter((need): need is StateNeed & { readonly kind: K } => need.kind === kind);
}
