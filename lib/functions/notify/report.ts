/** The content of a message about an attempt, before it becomes a Slack message or a mail. All texts are plain: nothing is escaped yet. */

import { present } from '../../asl/present.ts';
import type { Failure } from '../../contract/errors.ts';
import { type ErrorOutput, failureOf, plainMessage } from '../../contract/failure.ts';

export interface Report {
  readonly kind: 'failure' | 'recovery' | 'sla' | 'alarm';
  /** One line: `main failed`. */
  readonly title: string;
  /** Of whoever wrote the notify>. */
  readonly text?: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The error's message. */
  readonly error?: string;
  /** Its last lines are shown. */
  readonly traceback?: string;
  readonly links: readonly { readonly title: string; readonly url: string }[];
  /** A command line. */
  readonly retry?: string;
}

/** The parts of a failure; those that are not known are left out. */
export interface FailedAttempt {
  readonly workflow: string;
  readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly session?: string | undefined;
  /** Name of the execution, or number of the attempt. */
  readonly attempt: string;
  readonly task?: string | undefined;
  readonly failure: Failure & { readonly name: string };
  /** The whole traceback, if the failure only says where it is. */
  readonly traceback?: string | undefined;
  readonly text?: string | undefined;
  readonly execution?: string | undefined;
  readonly retry?: string | undefined;
  /** A workflow that requires this one and failed with it. */
  readonly requiredBy?: string | undefined;
}

const ENDINGS = { FAILED: 'failed', TIMED_OUT: 'timed out', ABORTED: 'was stopped' } as const;

export function failureReport(attempt: FailedAttempt): Report {
  const { workflow, status, failure, text, execution, retry } = attempt;
  const log = isUrl(failure.log) ? failure.log : undefined;
  const traceback = attempt.traceback ?? failure.stacktrace;
  return {
    kind: 'failure',
    title: `${workflow} ${ENDINGS[status]}`,
    ...present({ text }),
    fields: fields({
      Workflow: workflow,
      Session: attempt.session,
      Task: attempt.task ?? failure.task,
      Attempt: attempt.attempt,
      Error: failure.name,
      'Exit code': typeof failure.exit === 'number' ? String(failure.exit) : undefined,
      'Failed with it': attempt.requiredBy,
    }),
    error: plainMessage(failure.message),
    ...present({ traceback }),
    links: [
      ...(execution === undefined ? [] : [{ title: 'Execution', url: execution }]),
      ...(log === undefined ? [] : [{ title: 'Log', url: log }]),
    ],
    ...present({ retry }),
  };
}

/** Those that are known, in order. */
export function fields(all: { readonly [name: string]: string | undefined }): Report['fields'] {
  return Object.entries(all).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]]));
}

/**
 * Reads the error of an execution. Where it is that of an execution it waited for, its cause is the description of that one, with an
 * Error and a Cause of its own.
 */
export function innermost(output: ErrorOutput): Failure & { readonly name: string } {
  for (let at = output, depth = 0; depth < 10; depth++) {
    const inner = description(at.Cause);
    if (inner === undefined) return failureOf(at);
    at = inner;
  }
  return failureOf(output);
}

function description(cause: unknown): ErrorOutput | undefined {
  if (typeof cause !== 'string' || !cause.startsWith('{') || !cause.includes('"ExecutionArn"')) return undefined;
  try {
    const found = JSON.parse(cause) as { readonly [key: string]: unknown };
    if (found.ExecutionArn === undefined) return undefined;
    const otherwise = `States.${found.Status === 'TIMED_OUT' ? 'Timeout' : 'TaskFailed'}`;
    return { Error: found.Error ?? otherwise, Cause: found.Cause ?? '' };
  } catch {
    return undefined;
  }
}

function isUrl(text: string | undefined): text is string {
  return text !== undefined && /^https?:\/\//.test(text);
}
