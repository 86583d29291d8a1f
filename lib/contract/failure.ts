import type { Mapping } from '../language/workflow.ts';
import type { Failure } from './errors.ts';

/** `errorOutput` of a state; a Catch puts it in `$f0`. */
export interface ErrorOutput {
  readonly Error?: unknown;
  readonly Cause?: unknown;
  /** Full name of the task that failed, as the compiled machine adds it. */
  readonly Task?: unknown;
}

/**
 * Reads a state's error. The cause is JSON of `Failure`, a Lambda function's `{errorType, errorMessage, trace}`, or plain text
 * (also JSON that was cut, at the service's 32,768 characters or where many failures came together).
 */
export function failureOf(output: ErrorOutput): Failure & { name: string } {
  const name = typeof output.Error === 'string' ? output.Error : 'States.TaskFailed';
  const cause = typeof output.Cause === 'string' ? output.Cause : '';
  const parsed = parseObject(cause);
  if (typeof parsed?.message === 'string') return { ...(parsed as Failure), name };
  if (typeof parsed?.errorMessage === 'string') return { name, message: parsed.errorMessage };
  return { name, message: cutMessage(cause) ?? (cause === '' ? (SAID[name] ?? name) : cause) };
}

/** Messages for errors that come from Step Functions without a cause. */
const SAID: { readonly [error: string]: string } = {
  'States.Timeout': 'The task took longer than it may, or its container fell silent (States.Timeout)',
  'States.HeartbeatTimeout': 'The container of the task fell silent (States.HeartbeatTimeout)',
};

/**
 * The variable `error` of an `_error` handler: digdag's `{message, stacktrace}`, with the failed task's name. `stacktrace` is empty if the
 * user's code gave none, so that a handler can always read it.
 */
export function errorVariable(output: ErrorOutput, handler: string): Mapping {
  const { message, stacktrace, task = output.Task } = failureOf(output);
  return {
    message,
    // The cause may be JSON that is not Trowel's.
    stacktrace: typeof stacktrace === 'string' ? stacktrace : '',
    // `+main+load^error+say` handles a failure of `+main+load`, or in it.
    task: typeof task === 'string' ? task : handler.replace(/\^error.*$/s, ''),
  };
}

/**
 * A failure's message as people read it: without digdag's marks `(config)` and `(runtime)`, and for a Python task only the exception, since
 * the frames are in the traceback. `${error.message}` has all of it, as in digdag.
 */
export function plainMessage(message: string): string {
  const python = /(?:^|\n)Error messages from python: ([\s\S]*?)(?:\n\tfrom [\s\S]*)?$/.exec(message);
  return (python?.[1] ?? message).replace(/ \((?:runtime|config)\)(?=$| in | Packages of )/gm, '').trimEnd();
}

/** The rest of the message in JSON that was cut: the message comes first there. */
function cutMessage(cause: string): string | undefined {
  const [, text, end] = CUT.exec(cause) ?? [];
  if (text === undefined) return undefined;
  const message = JSON.parse(`"${text}"`) as string;
  return end === '"' ? message : `${message.trimEnd()} …`;
}

const CUT =
  /^\{(?:"errorType":"[^"]*",)?"(?:message|errorMessage)":"((?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})+)("?)(?!.*\}$)/su;

function parseObject(text: string): Mapping | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Mapping;
  } catch {
    return undefined;
  }
}
