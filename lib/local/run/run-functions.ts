import type { Json } from '../../asl/types.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { Payload } from '../../contract/payload.ts';
import { resolveMentioned, seeingKeys } from '../../functions/launch/references.ts';
import { functionOf, makesTasks } from '../../language/operators.ts';
import type { Mapping } from '../../language/workflow.ts';
import type { LocalFunction } from '../functions/invoke.ts';
import { recorded } from '../functions/recorded.ts';
import { anew, isWithin, takenAnswer } from '../taken.ts';
import { valuesOf } from '../values.ts';
import type { RunMachines } from './run-machines.ts';
import type { RunParts } from './run-parts.ts';

export interface Functions {
  readonly [name: string]: LocalFunction;
}

/**
 * The functions that a run is given, with values by reference read for them. What a resumed attempt already did is not done again.
 * `launch` is not one of them (run-launch.ts).
 */
export function runFunctions(parts: RunParts, machines: RunMachines): Functions {
  const { options, secrets, events } = parts;
  const given = options.functions({
    secret: (key, shown) => secrets.get(key, shown),
    print: (task, text) => void events.print(task, text),
    notice: (message) => events.notice(message),
    execute: (compiled, input, signal) => machines.part(compiled, input, signal),
  });
  return Object.fromEntries(Object.entries(given).map(([name, fn]) => [name, wrapped(name, fn, parts)]));
}

function wrapped(name: string, fn: LocalFunction, parts: RunParts): LocalFunction {
  if (name === 'session') return fn;
  const resolved: LocalFunction = async (payload, call) => fn(await withValues(payload), call);
  if (name === 'evaluate') return resolved;
  return orTaken(
    recorded(resolved, (key, like) => parts.secrets.version(key, like)),
    parts,
  );
}

/** With `only`: the function is not called for another task. */
function orTaken(fn: LocalFunction, { options, missing }: RunParts): LocalFunction {
  const { only } = options;
  if (only === undefined) return fn;
  return (given, call) => {
    const payload = given as Payload;
    return isWithin(payload.t, only) ? fn(anew(payload) as Json, call) : takenAnswer(payload, missing);
  };
}

async function withValues(given: Json): Promise<Json> {
  const payload = given as Payload;
  if (!Array.isArray(payload?.l)) return given;
  const seen = await resolveMentioned(payload.l, seeingKeys(payload), valuesOf(payload));
  return seen === payload.l ? given : ({ ...payload, seen } as Json);
}

/** Answers a Python task about its dynamic subtasks: `evaluate` renders their templates, `run` runs one of another operator. */
export async function answerTask(
  functions: Functions,
  name: string,
  payload: Mapping,
  signal: AbortSignal,
): Promise<unknown> {
  const operator = String(payload.op);
  // What generates tasks of its own is compiled as a machine (fragments.ts).
  const own = makesTasks(operator) ? undefined : functionOf(operator);
  const fn = functions[name === 'run' ? (own ?? 'run') : name];
  if (fn === undefined) throw new TrowelError(ERRORS.badInput, `add_subtask cannot make a task of ${operator}> here`);
  const call = { arguments: {}, stateName: '', retryCount: 0, executionArn: '', executionName: '', resource: '' };
  return fn(payload as Json, { ...call, signal });
}
