import type { Assignment } from './assignment.ts';

/** What a container reads at TROWEL_ASSIGNMENT (trowel_task/host/fargate.py). It holds the task's token: never logged, soon expired. */
export type AssignmentFile = {
  readonly v: 1;
  readonly token: string;
  /** By which the container reads this file. It is valid for some minutes; whoever has it may read the file until then. */
  readonly address: string;
  readonly assignment: Assignment;
  /** Variables of the container by key of the secret. */
  readonly secrets_env: { readonly [key: string]: string };
  /** The function that renders templates of dynamic subtasks; without it tasks that make some fail. */
  readonly evaluate?: string;
  /** Seconds of silence after which the state gives the task up. */
  readonly heartbeat?: number;
};

/** The one variable that a container is given: a signed address of its AssignmentFile. */
export const ASSIGNMENT = 'TROWEL_ASSIGNMENT';

/** Below it are assignments only: what holds tokens lives shorter than values and results, and lifecycle rules and roles know prefixes. */
export const ASSIGNMENTS = 'assignments/';

/**
 * By the job's id, which is made from the token: a repeated launch finds what the first one has written, and who knows `startedBy` of a
 * container finds its assignment.
 */
export function assignmentUri(bucket: string, id: string): string {
  return `s3://${bucket}/${ASSIGNMENTS}${id}.json`;
}

/** The job's id in an address of its assignment. */
export function jobIn(address: string): string | undefined {
  return /\/assignments\/(\w+)\.json(?:\?|$)/.exec(address)?.[1];
}
