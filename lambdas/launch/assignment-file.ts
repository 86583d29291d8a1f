import type { Assignment } from './compute.ts';

/** What a container reads at TROWEL_ASSIGNMENT (trowel_task/fargate.py). It holds the task's token: never logged, soon expired. */
export interface AssignmentFile {
  readonly v: 1;
  readonly token: string;
  readonly assignment: Assignment;
  /** Variables of the container by key of the secret. */
  readonly secrets_env: { readonly [key: string]: string };
  /** The function that renders templates of dynamic subtasks; without it tasks that make some fail. */
  readonly evaluate?: string;
  /** Seconds of silence after which the state gives the task up. */
  readonly heartbeat?: number;
}

/** The one variable that a container is given: the address of its AssignmentFile. */
export const POINTER = 'TROWEL_ASSIGNMENT';

/** Below it are assignments alone: what holds tokens lives shorter than values and results, and lifecycle rules know prefixes. */
export const ASSIGNMENTS = 'assignments/';

/**
 * By the job's id, which is made from the token: a repeated launch writes to the same place, and who knows `startedBy` of a container
 * finds its assignment.
 */
export function assignmentUri(bucket: string, id: string): string {
  return `s3://${bucket}/${ASSIGNMENTS}${id}.json`;
}
