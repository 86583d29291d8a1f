import type { Job } from '../../contract/assignment.ts';

/** What a compute has started. `launch` answers it, for readers of the history. */
export type Started = {
  /** ARN of a task of ECS. */
  readonly taskArn?: string;
};

/**
 * The one way by which `launch` reaches something that runs Python: a worker process here, a container on AWS, later a warm
 * container or a function.
 */
export interface Compute {
  /** Hands the job to something that already runs. False if nothing took it: `start` is called next. */
  offer(job: Job): Promise<boolean>;
  /** Starts something for the job. Throws an Error whose `name` is one of ERRORS where it cannot. */
  start(job: Job): Promise<Started>;
  /** Ends the task and its whole process tree; unknown and ended jobs are no error. */
  stop(id: string): Promise<void>;
}
