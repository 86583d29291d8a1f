import type { Assignment, Job } from './compute.ts';

/** What a container reads at TROWEL_ASSIGNMENT (trowel_task/fargate.py). It holds the task's token: never logged, soon expired. */
export interface AssignmentFile {
  readonly v: 1;
  readonly token: string;
  readonly assignment: Assignment;
  /** Variables of the container by key of the secret. */
  readonly secrets_env: { readonly [key: string]: string };
  /** The function that renders templates of dynamic subtasks; without it tasks that make some fail. */
  readonly evaluate?: string;
}

/** The one variable that a container is given: the address of its AssignmentFile. */
export const POINTER = 'TROWEL_ASSIGNMENT';

/** Made from the token, so that a repeated launch writes to the same place. */
export function assignmentUri(job: Pick<Job, 'id' | 'assignment'>): string {
  return `${job.assignment.root}/assignments/${job.id}.json`;
}
