/** docs/protocol.md as types: the JSON lines between the host and a Python worker. */

import type { Json } from '../../asl/types.ts';
import type { Assignment } from '../../contract/assignment.ts';
import type { Report } from '../../contract/report.ts';
import type { Mapping } from '../../language/workflow.ts';

export type ToWorker =
  | { type: 'hello'; v: number; preload: readonly string[]; cwd: string; max_log_line?: number }
  | {
      type: 'start';
      id: string;
      assignment: Assignment;
      secrets: { readonly [key: string]: string };
      /** Of other tasks: hidden too. */
      hide?: readonly string[];
      debug?: Json;
    }
  | { type: 'kill'; id: string; grace: number }
  | { type: 'reply'; id: string; call: number; ok?: unknown; error?: { name: string; message: string } }
  | { type: 'stop'; grace: number };

export type FromWorker =
  | { type: 'ready'; v: number; python: string; pid: number }
  | { type: 'started'; id: string; pid: number }
  | { type: 'log'; id: string; text: string; task?: string }
  | ({ type: 'report'; id: string } & Report)
  | SubtaskEvent
  | { type: 'call'; id: string; call: number; fn: string; payload: Mapping }
  | { type: 'result'; id: string; result: TaskResult; seconds: number }
  | { type: 'fatal'; message: string };

/** A dynamic task (`add_subtask`) began or ended. */
export interface SubtaskEvent {
  readonly type: 'event';
  readonly id: string;
  readonly task: string;
  readonly state: 'started' | 'succeeded' | 'failed';
  readonly operator: string;
  readonly error?: TaskError;
  readonly seconds?: number;
}

export interface TaskError {
  readonly name: string;
  readonly message: string;
  readonly stacktrace?: string;
  readonly class?: string;
  /** Of what the task ran, where its adapter gave one. */
  readonly exit?: number;
}

export type TaskResult =
  | {
      readonly ok: true;
      readonly s?: Mapping;
      readonly stored?: Mapping;
      readonly seconds?: number;
      /** The function, if it returned a dict of which it stored nothing. */
      readonly returned?: string;
    }
  | { readonly ok: false; readonly error: TaskError };
