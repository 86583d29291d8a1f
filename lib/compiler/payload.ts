import { isMapping } from '../asl/json.ts';
import { present } from '../asl/present.ts';
import type { Assign, Catcher, Json, Retrier, Template } from '../asl/types.ts';
import { ERRORS } from '../contract/errors.ts';
import { PROTOCOL } from '../contract/payload.ts';
import type { TaskInfo } from '../contract/task-info.ts';
import { asSeconds } from '../language/duration.ts';
import { besideOf } from '../language/operators.ts';
import type { Mapping, Task } from '../language/workflow.ts';
import { type Expr, literal, template } from './jsonata.ts';
import { CALL, CALL_ERRORS, FINAL_ERRORS, retrier, TASK_ERRORS } from './retry.ts';
import { type Context, failing, failureOfTask, layerList, shareList, taskName } from './scope.ts';
import { secretNeeds } from './task-needs.ts';

/** Seconds that a state waits beyond its task's deadline. */
const MARGIN = 3_600;

/**
 * Arguments of `state`, which has one of Trowel's functions do something for a task. `more` joins the payload that launch, evaluate, http and
 * notify share (lib/contract/payload.ts).
 */
export function ownCall(
  context: Context,
  state: string,
  fn: string,
  task: Task,
  op: string,
  more: { readonly [key: string]: Template } = {},
  m?: number,
): Json {
  const keys = ownKeys(context, task);
  context.unit.needs(state, { kind: 'function', name: fn }, ...(more.k === undefined ? secretNeeds(op, keys) : []));
  return { FunctionName: `\${${fn}}`, Payload: { ...payload(context, keys, op, m), ...more } };
}

function payload(context: Context, keys: Mapping, op: string, m?: number): { [key: string]: Template } {
  return {
    v: PROTOCOL,
    t: taskName(context),
    l: layerList(context),
    ...present({ m }),
    b: '{% $b %}',
    k: literal(keys as Json),
    op,
    ...(context.tries.length !== 0 && { r: template(triesOf(context)) }),
  };
}

/** The number of others with which the task's stores share a state, so that the runner keeps them small. */
export function shared(context: Context): { readonly w?: Template } {
  const w = shareList(context);
  return w === undefined ? {} : { w };
}

/** The counters of the enclosing retried groups; a nested machine got those outside it as `$R`. */
export function triesOf(context: Context): Expr {
  const [first, ...rest] = context.tries;
  return first === '$R' ? `$append($R,[${rest.join(',')}])` : `[${context.tries.join(',')}]`;
}

/** The task's keys, with the environment and secret mounts that enclosing levels hand down. */
export function ownKeys(context: Context, task: Task): Mapping {
  const inherited: Mapping = {};
  if (Object.keys(context.env).length > 0) inherited._env = context.env;
  if (Object.keys(context.secrets).length > 0) inherited._secrets = context.secrets;
  // First, so that the keys may use it.
  const workdir: Mapping = context.workdir === '' ? {} : { _workdir: context.workdir };
  // Only the operators' table asks for a second container.
  const { _beside: _, ...own } = task.keys;
  const beside = besideOf(task.operator);
  return { ...workdir, ...own, ...present({ _beside: beside }), ...inherited };
}

/** Retry of a state: the platform's failures, then the task's own `_retry` where the state can repeat itself. */
export function retriers(
  task: Task,
  repeatable: boolean,
  platform: readonly Retrier[],
  errors: readonly string[] = TASK_ERRORS,
): { readonly Retry: readonly Retrier[] } {
  const { retry, check } = task.directives;
  const own =
    repeatable && check === undefined && retry?.kind === 'literal' && retry.limit > 0
      ? [{ ...retrier(retry), ErrorEquals: errors }]
      : [];
  return { Retry: [...platform, ...own] };
}

/** The same for a call that Step Functions makes by itself. */
export function callRetriers(task: Task): { readonly Retry: readonly Retrier[] } {
  const own = retriers(task, true, [], CALL_ERRORS).Retry;
  return {
    Retry: [...CALL, ...(own.length === 0 ? [] : [{ ErrorEquals: FINAL_ERRORS, MaxAttempts: 0 }]), ...own],
  };
}

/** Such a call is tried again after any error, except those that a further try would not change. */
export function callCatchers(context: Context): { readonly Catch: readonly Catcher[] } {
  const { onFail, unrepeatable } = context;
  if (unrepeatable === undefined) return catchers(context);
  const caught = catcherOf(context);
  return { Catch: [caught(FINAL_ERRORS, unrepeatable), caught(['States.ALL'], onFail)] };
}

/** `errors` are those that `_retry` is for. */
export function catchers(
  context: Context,
  errors: readonly string[] = TASK_ERRORS,
): { readonly Catch: readonly Catcher[] } {
  const caught = catcherOf(context);
  const { unrepeatable } = context;
  if (unrepeatable === undefined) return { Catch: [caught(['States.ALL'], context.onFail)] };
  return { Catch: [caught(errors, context.onFail), caught(['States.ALL'], unrepeatable)] };
}

function catcherOf(context: Context): (errors: readonly string[], edge: Context['onFail']) => Catcher {
  return (errors, edge) => {
    const { Assign: assign, Next } = failing(context, edge, failureOfTask(context, '$states.errorOutput'));
    return { ErrorEquals: errors, Assign: assign as Assign, Next };
  };
}

/**
 * The state waits longer than the task may take: the runner ends it at its deadline and says so. Where an expression gives the deadline,
 * the project's longest time counts.
 */
export function stateTimeout(context: Context, task: Task): number {
  return (typeof task.timeout === 'number' ? task.timeout : context.unit.program.task.timeout) + MARGIN;
}

/** The service refuses a heartbeat that is not shorter than the timeout. */
export function stateHeartbeat(context: Context, task: Task): number {
  const { resources } = task.keys;
  const own = isMapping(resources) ? asSeconds(resources.heartbeat) : undefined;
  return Math.min(own || context.unit.program.task.heartbeat, stateTimeout(context, task) - 1);
}

/** Says which task the state is, for readers of the event stream. */
export function register(context: Context, state: string, task: Task, role?: TaskInfo['role']): string {
  const { program } = context.unit;
  program.spans.set(state, task.span);
  program.tasks[state] = {
    ...(context.name.every((piece) => typeof piece === 'string') && { task: context.path }),
    operator: task.operator,
    ...present({ role }),
    at: `${task.span.file}:${program.line(task.span)}`,
  };
  return state;
}

export function failure(message: string): { readonly Error: string; readonly Cause: string } {
  return { Error: ERRORS.taskFailed, Cause: JSON.stringify({ message }) };
}
