import type { Json } from '../../../lib/asl/types.ts';
import type { Report } from '../../../lib/contract/report.ts';
import type { RunEvent } from '../../../lib/events/run-event.ts';

const START = Date.parse('2030-01-01T00:00:00.000Z');

function time(seconds: number): string {
  return new Date(START + seconds * 1000).toISOString();
}

/** Short forms of the events of a run that began at 2030-01-01T00:00:00Z; `at` is seconds since. */
export const ev = {
  now: (at: number) => START + at * 1000,
  begun: (more: { resumes?: number } = {}): RunEvent => ({
    type: 'run-started',
    time: time(0),
    workflow: 'main',
    session_time: '2030-01-01T00:00:00+00:00',
    attempt: 3,
    session: 2,
    directory: '/project/.trowel/attempts/3',
    ...more,
  }),
  ended: (at: number, status: 'succeeded' | 'failed' | 'interrupted', message?: string): RunEvent => ({
    type: 'run-ended',
    time: time(at),
    status,
    seconds: at,
    ...(message !== undefined && { message }),
  }),
  start: (task: string, at: number, operator = 'py', tries = 1): RunEvent => ({
    type: 'task-started',
    time: time(at),
    task,
    operator,
    try: tries,
  }),
  output: (task: string, text: string, at = 0): RunEvent => ({ type: 'task-output', time: time(at), task, text }),
  done: (task: string, at: number, seconds: number, more: { replayed?: true } = {}): RunEvent => ({
    type: 'task-succeeded',
    time: time(at),
    task,
    seconds,
    ...more,
  }),
  retry: (task: string, at: number, message: string): RunEvent => ({
    type: 'task-retrying',
    time: time(at),
    task,
    seconds: 5,
    error: 'Trowel.TaskFailed',
    message,
  }),
  failed: (
    task: string,
    at: number,
    message: string,
    more: { stacktrace?: string; log?: string; exit?: number } = {},
  ): RunEvent => ({
    type: 'task-failed',
    time: time(at),
    task,
    seconds: 1.5,
    error: 'Trowel.TaskFailed',
    message,
    ...more,
  }),
  report: (task: string, kind: string, data: Json, more: { level?: Report['level']; cut?: number } = {}): RunEvent => ({
    type: 'task-report',
    time: time(0),
    task,
    kind,
    level: 'info',
    data,
    ...more,
  }),
  notice: (message: string): RunEvent => ({ type: 'notice', time: time(0), message }),
};
