import type { Report } from '../contract/report.ts';

/**
 * The stream that every reader of a run reads: the terminal, `--json`, the tests, `start --follow`, later the page. Made from the
 * engine's or AWS's history events and the worker's messages by task-events.ts. `trowel run --json` prints one a line; docs/events.md
 * documents the schema. Times are ISO 8601 with milliseconds; durations seconds; task names full (`+main+load`).
 */
export type RunEvent =
  | {
      type: 'run-started';
      time: string;
      workflow: string;
      session_time: string;
      attempt: number;
      session: number;
      /** Empty where nothing is kept here. */
      directory: string;
      resumes?: number;
      /** On AWS: names of the execution and of the one that it resumes, and where the console shows it. */
      execution?: string;
      resumes_execution?: string;
      link?: string;
    }
  | { type: 'notice'; time: string; message: string }
  | { type: 'task-started'; time: string; task: string; operator: string; at?: string; try: number }
  | { type: 'task-output'; time: string; task: string; text: string }
  | ({ type: 'task-report'; time: string; task: string } & Report)
  | { type: 'task-retrying'; time: string; task: string; seconds: number; error: string; message: string }
  | {
      type: 'task-succeeded';
      time: string;
      task: string;
      seconds: number;
      /** Taken over from the attempt that this one resumes. */
      replayed?: true;
    }
  | {
      type: 'task-failed';
      time: string;
      task: string;
      seconds: number;
      error: string;
      message: string;
      stacktrace?: string;
      log?: string;
      /** The exit code of what the task ran, if its adapter gave one. */
      exit?: number;
    }
  | { type: 'run-ended'; time: string; status: RunStatus; seconds: number; error?: string; message?: string };

export type RunStatus = 'succeeded' | 'failed' | 'interrupted';
