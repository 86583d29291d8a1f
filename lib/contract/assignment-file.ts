import type { Assignment } from './assignment.ts';

/** What a container reads at TROWEL_ASSIGNMENT (trowel_task/host/fargate.py). It holds the task's token: never logged, soon expired. */
export type AssignmentFile = {
  readonly v: 1;
  readonly token: string;
  /** A signed address of this file, for the container. It is valid for some minutes; whoever has it can read the file until then. */
  readonly address: string;
  readonly assignment: Assignment;
  /** Variables of the container by key of the secret. */
  readonly secrets_env: { readonly [key: string]: string };
  /** The function that renders templates of dynamic subtasks; without it tasks that make some fail. */
  readonly evaluate?: string;
  /** Seconds without a sign of life after which the state fails the task. */
  readonly heartbeat?: number;
};

/** The one variable that a container is given: a signed address of its AssignmentFile. */
export const ASSIGNMENT = 'TROWEL_ASSIGNMENT';

/**
 * This prefix is for assignments only. They hold tokens and so are deleted sooner than values and results; lifecycle rules and roles work
 * by prefix.
 */
export const ASSIGNMENTS = 'assignments/';

/**
 * The address has the job's id, which is made from the token: a repeated launch finds what the first one wrote, and the assignment of a
 * container is found from its `startedBy`.
 */
export function assignmentUri(bucket: string, id: string): string {
  return `s3://${bucket}/${ASSIGNMENTS}${id}.json`;
}

/** The job's id in an address of its assignment. */
export function jobIn(address: string): string | undefined {
  return /\/assignments\/(\w+)\.json(?:\?|$)/.exec(address)?.[1];
}
