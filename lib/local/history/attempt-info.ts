/** What is known of an attempt: when it is made, and afterwards from its `meta.json`. */
import type { RunStatus } from '../../events/run-event.ts';
import type { Mapping } from '../../language/workflow.ts';

export interface AttemptMeta {
  readonly attempt: number;
  readonly session: number;
  readonly workflow: string;
  readonly session_time: string;
  readonly params: Mapping;
  /** The attempt that this one resumes. */
  readonly resumes?: number;
  /** ISO 8601. */
  readonly started: string;
  /** Process id while it runs. */
  readonly pid: number;
  /** When that process began, as the system counts it: another with the same id began at another time. */
  readonly process?: string;
  readonly status?: RunStatus;
  readonly ended?: string;
  readonly error?: string;
}

/** `killed`: it ended without a word. */
export type AttemptStatus = RunStatus | 'running' | 'killed';

export interface AttemptInfo extends Omit<AttemptMeta, 'status' | 'pid' | 'process'> {
  readonly status: AttemptStatus;
  readonly directory: string;
}

export interface NewAttempt {
  readonly workflow: string;
  readonly session_time: string;
  readonly params: Mapping;
  readonly resumes?: number;
}
