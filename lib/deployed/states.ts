/** The questions to AWS Step Functions; states-client.ts answers them, and in tests a played service. */
import type { HistoryEvent } from '../engine/history.ts';

export interface MachineEntry {
  readonly arn: string;
  readonly name: string;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';

export interface ExecutionEntry {
  readonly arn: string;
  readonly machineArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly stopped?: number;
}

export interface ExecutionDescription extends ExecutionEntry {
  /** As JSON text, as it was given. */
  readonly input: string;
  readonly error?: string;
  readonly cause?: string;
}

export interface HistoryPage {
  readonly events: readonly HistoryEvent[];
  readonly next?: string;
}

export interface States {
  machines(): Promise<readonly MachineEntry[]>;
  tags(machineArn: string): Promise<{ readonly [key: string]: string }>;
  /** Newest first, at most so many. */
  executions(machineArn: string, most: number, status?: ExecutionStatus): Promise<readonly ExecutionEntry[]>;
  /** Undefined if there is none. */
  execution(arn: string): Promise<ExecutionDescription | undefined>;
  /** The text of the machine that an execution began with. */
  definition(executionArn: string): Promise<string>;
  history(
    executionArn: string,
    options: { readonly reverse?: boolean; readonly most?: number; readonly next?: string },
  ): Promise<HistoryPage>;
  /** The ARN of the new execution; the same name and input twice starts one. */
  start(machineArn: string, name: string, input: string): Promise<string>;
  /** What has ended already is no error. */
  stop(executionArn: string, cause: string): Promise<void>;
}
