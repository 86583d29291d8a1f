/**
 * What a Task state reaches in a local run: the functions of lambdas/ in this process, other state machines by the engine
 * itself, and whatever else by the AWS SDK with the user's credentials.
 */
import { isMapping } from '../../asl/json.ts';
import type { Json } from '../../asl/types.ts';
import type { Call, Invoke } from '../../engine/types.ts';
import type { Executions } from './executions.ts';

/** A function of lambdas/: its payload and answer; a thrown Error fails the state under the Error's `name`. */
export type LocalFunction = (payload: Json, call: Call) => Promise<Json>;

export interface Resources {
  /** By the name in `${name}`: session, evaluate, launch, http, notify. */
  readonly functions: { readonly [name: string]: LocalFunction };
  readonly executions: Pick<Executions, 'startAndWait' | 'describe'>;
  /** Everything else; absent: an error that says so. */
  readonly aws?: Invoke;
  /** Makes the engine's error with a name and a cause. */
  readonly taskError: (name: string, cause: string) => Error;
}

const LAMBDA = 'arn:aws:states:::lambda:invoke';
const START = 'arn:aws:states:::states:startExecution.sync:2';
const DESCRIBE = 'arn:aws:states:::aws-sdk:sfn:describeExecution';

export function localInvoke(resources: Resources): Invoke {
  return async (call) => {
    const given = isMapping(call.arguments) ? call.arguments : {};
    const placeholder = (argument: string): string | undefined => placeholderIn(argument, given, call.written);
    if (call.resource === LAMBDA) {
      const name = placeholder('FunctionName');
      const fn = name === undefined ? undefined : resources.functions[name];
      if (fn !== undefined) return { Payload: await ran(fn, given.Payload ?? null, call, resources), StatusCode: 200 };
    } else if (call.resource === START) {
      const name = placeholder('StateMachineArn');
      if (name?.startsWith('sm_')) return resources.executions.startAndWait(name.slice(3), given, call);
    } else if (call.resource === DESCRIBE) {
      const found = resources.executions.describe(given);
      if (found !== undefined) return found;
    }
    if (resources.aws !== undefined) return resources.aws(call);
    throw resources.taskError('States.TaskFailed', `There is nothing here that runs ${call.resource}`);
  };
}

async function ran(fn: LocalFunction, payload: Json, call: Call, resources: Resources): Promise<Json> {
  try {
    return await fn(payload, call);
  } catch (error) {
    if (call.signal.aborted) throw error;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    // The shape that AWS Lambda gives to an exception.
    throw resources.taskError(name, JSON.stringify({ errorType: name, errorMessage: message }));
  }
}

/** `session` of `${session}`, where the machine itself says it: what a lambda> or aws> gets from an expression names no function of Trowel's. */
function placeholderIn(
  argument: string,
  given: { readonly [key: string]: Json },
  written: Json = null,
): string | undefined {
  const value = given[argument];
  const text = isMapping(written) ? written[argument] : undefined;
  if (typeof value !== 'string' || typeof text !== 'string' || !text.includes(value)) return undefined;
  return /^\$\{([^}]+)\}$/.exec(value)?.[1];
}
