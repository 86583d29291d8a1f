import { present } from '../asl/present.ts';
import type { Retrier, State, Template } from '../asl/types.ts';
import { ERRORS } from '../contract/errors.ts';
import type { Retry } from '../language/workflow.ts';
import { put } from './frame.ts';
import { type Expr, merge, template } from './jsonata.ts';
import { type Context, closing, type Edge } from './scope.ts';

/**
 * Errors that pass when other tasks have ended. A new account runs ten functions at once, so Lambda's own refusal belongs to it: of 2,000
 * tasks at the same time some are refused more often than a few tries bear.
 */
const SHORTAGE = [ERRORS.throttled, ERRORS.noCapacity, 'Lambda.TooManyRequestsException'] as const;
/** Passing faults of Lambda itself (AWS, "Handle transient Lambda service exceptions"). */
const LAMBDA = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
] as const;
const LOST = [ERRORS.taskLost, 'States.Timeout', 'States.HeartbeatTimeout', ...LAMBDA] as const;

/** A function's end before its answer. */
const DIED = ['Lambda.Unknown', 'Runtime.ExitError', 'Sandbox.Timedout'] as const;

/**
 * Failures of the platform, not of the user's task: tried again apart from `_retry`. A lost heartbeat is recorded as States.Timeout. The
 * pauses double, which is the language's default and so takes no bytes in every state.
 */
const LATER: Omit<Retrier, 'ErrorEquals'> = {
  IntervalSeconds: 5,
  MaxAttempts: 6,
  MaxDelaySeconds: 300,
  JitterStrategy: 'FULL',
};

/**
 * A shortage is tried for longer: RunTask takes 20 calls a second, and all of a large group may ask at once. Full jitter lets 2,000 of them
 * through with twelve tries (bench/aws/simulate.ts). What a new account may run at once is little, so there are more: for three quarters of
 * an hour on the average.
 */
export const CAPACITY: Retrier = { ...LATER, ErrorEquals: SHORTAGE, MaxAttempts: 24 };

/**
 * For evaluate, session and launch, which may be called again after they have died: a crash, out of memory, a time-out. (What acts on the
 * world, such as http>, may have done so.)
 */
export const REPEATABLE: readonly Retrier[] = [CAPACITY, { ...LATER, ErrorEquals: [...LOST, ...DIED] }];

/**
 * For a function that acts on the world (http>, mail>…): States.Timeout is the user's `_timeout`, or Lambda's own, after which it may have
 * acted.
 */
export const ACTING: readonly Retrier[] = [CAPACITY, { ...LATER, ErrorEquals: LAMBDA }];
export const ACTING_ERRORS = [ERRORS.taskFailed, ERRORS.taskTimeout, 'States.Timeout'] as const;

/** For a call that Step Functions makes by itself (aws>, lambda>, s3_wait>): there States.Timeout is the user's `_timeout`. */
export const CALL: readonly Retrier[] = [
  { ...CAPACITY, ErrorEquals: ['Lambda.TooManyRequestsException'] },
  { ...LATER, ErrorEquals: LAMBDA },
];

/** Retry of a state that calls Step Functions' own API. */
export const INFRASTRUCTURE_CALLS: Retrier = {
  ...LATER,
  ErrorEquals: [
    'States.Timeout',
    'StepFunctions.SdkClientException',
    'StepFunctions.ServiceException',
    'StepFunctions.ThrottlingException',
  ],
};

/** The user's task failed or took too long: what `_retry` is for. */
export const TASK_ERRORS = [ERRORS.taskFailed, ERRORS.taskTimeout] as const;

/** The same for such a call: its errors have the service's names, or those that the user's function gives them. */
export const CALL_ERRORS = ['States.TaskFailed', 'States.Timeout'] as const;

/** What no further try would change. */
export const FINAL_ERRORS = [ERRORS.badInput, ERRORS.secret, ERRORS.template] as const;

type Literal = Extract<Retry, { kind: 'literal' }>;

/** `_retry` of one state. The service's least interval is 1 s, so 0 becomes 1. */
export function retrier(retry: Literal): Retrier {
  return {
    ErrorEquals: TASK_ERRORS,
    IntervalSeconds: Math.max(1, retry.interval),
    MaxAttempts: retry.limit,
    BackoffRate: retry.exponential ? 2 : 1,
    ...present({ MaxDelaySeconds: retry.maxInterval }),
  };
}

/** A literal `_retry`, or the variable that `evaluate` put the rendered one into. */
export type RetrySpec = Literal | { readonly kind: 'variable'; readonly variable: string };

/**
 * Repeats a stretch of states: all failures inside lead to a Choice, which counts. Each try starts with an empty layer; what failed tries
 * stored is kept aside in `tries`, unseen by a new try and merged when the group is left.
 */
export function compileRetry(
  context: Context,
  spec: RetrySpec,
  stores: boolean,
  /** Makes the edge that is taken after the last try, in a context that sees the failed tries' stores. */
  giveUp: (inner: Context) => Edge,
  body: (inner: Context, last: Edge) => Edge,
): Edge {
  const { unit } = context;
  const id = unit.next();
  const counter = `r${id}`;
  const layer = `s${id}`;
  const tries = `x${id}`;
  const choice = unit.stateName(`${context.path}^retry`);
  const opening: { [variable: string]: Template } = stores
    ? { [layer]: {}, [tries]: {}, [counter]: 0 }
    : { [counter]: 0 };
  const levels = stores ? [...context.levels, { variable: layer, tries }] : context.levels;
  const layers = stores ? [...context.layers, `$${layer}`] : context.layers;
  const last = giveUp({
    ...context,
    levels,
    layers: stores ? [...context.layers, `$${tries}`, `$${layer}`] : context.layers,
  });
  const inner: Context = {
    ...context,
    levels,
    layers,
    tries: [...context.tries, `$${counter}`],
    onFail: { to: choice, depth: levels.length, assign: {} },
  };
  const entry = body(inner, last);
  const start = entry.to ?? choice;
  const wait = waitSeconds(spec, counter);
  let again = start;
  if (wait !== undefined) {
    again = unit.stateName(`${context.path}^wait`);
    put(context, again, { Type: 'Wait', Seconds: wait, Output: {}, Next: start });
  }
  const atLast: Context = { ...context, levels };
  put(context, choice, {
    Type: 'Choice',
    Choices: [
      {
        Condition: template(`$${counter}<${spec.kind === 'literal' ? spec.limit : `$${spec.variable}.limit`}`),
        Assign: {
          [counter]: template(`$${counter}+1`),
          ...(stores && { [tries]: template(merge([`$${tries}`, `$${layer}`])), [layer]: {} }),
          ...entry.assign,
        },
        Output: {},
        Next: again,
      },
    ],
    Default: last.to,
    ...nonEmpty({ ...closing(atLast, last), ...last.assign }),
    Output: {},
  } as State);
  return { to: entry.to, depth: Math.min(entry.depth, context.levels.length), assign: { ...opening, ...entry.assign } };
}

function nonEmpty(assign: { readonly [variable: string]: Template }): {
  Assign?: { readonly [variable: string]: Template };
} {
  return Object.keys(assign).length === 0 ? {} : { Assign: assign };
}

function waitSeconds(spec: RetrySpec, counter: string): number | string | undefined {
  if (spec.kind === 'variable') {
    const v = `$${spec.variable}`;
    const grown: Expr = `(${v}.exponential?${v}.interval*$power(2,$${counter}-1):${v}.interval)`;
    return template(`$exists(${v}.maxInterval)?$min([${grown},${v}.maxInterval]):${grown}`);
  }
  if (spec.interval === 0) return undefined;
  if (!spec.exponential) return spec.interval;
  const grown: Expr = `${spec.interval}*$power(2,$${counter}-1)`;
  return template(spec.maxInterval === undefined ? grown : `$min([${grown},${spec.maxInterval}])`);
}
