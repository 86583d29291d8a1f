import { OPTIMIZED, WAITED_FOR } from '../../asl/integrations.ts';
import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import type { Json, State, Template } from '../../asl/types.ts';
import { decode, findMark, isInteger } from '../../language/value-form.ts';
import type { Mapping, Task, Value } from '../../language/workflow.ts';
import { evaluateState } from '../evaluate.ts';
import { put } from '../frame.ts';
import { asData, type Expr, literal, template } from '../jsonata.ts';
import type { CompileOperator } from '../operator.ts';
import { fitting } from '../parallel.ts';
import { callCatchers, callRetriers, register } from '../payload.ts';
import { type Context, type Edge, type Leaving, leave, leaveWith } from '../scope.ts';

function checkWaiting({ unit }: Context, task: Task): void {
  const [, service = '', action = ''] = /^([\w-]+):(\w+)\.sync/.exec(String(task.command)) ?? [];
  if (service === '' || (Object.hasOwn(WAITED_FOR, service) && WAITED_FOR[service]?.includes(action))) return;
  unit.report(
    'bad-value',
    'error',
    task.spans[`${task.operator}>`] ?? task.span,
    `Step Functions does not wait for ${service}:${action}`,
    `It waits for ${Object.entries(WAITED_FOR)
      .flatMap(([name, actions]) => actions.map((each) => `${name}:${each}`))
      .join(', ')}. Call it without .sync, and look with py> and _retry.`,
  );
}

/** What the file has goes to the service as Step Functions' JSON, whose numbers are those of JavaScript. */
function checkIntegers({ unit }: Context, task: Task, keys: readonly string[]): void {
  for (const key of keys) {
    findMark(task.keys[key] ?? null, (mark, path) => {
      if (!isInteger(mark)) return false;
      const place = [key, ...path].join('.');
      unit.report(
        'bad-value',
        'error',
        task.spans[place] ?? task.spans[`${task.operator}>`] ?? task.span,
        `\`${place}\` is an integer beyond 2^53, which Step Functions would round`,
        `Write it as text, "${mark.text}", if the service takes that; else call the service from py>.`,
      );
      return false;
    });
  }
}

/** Literals as data of their own. */
function written(value: Json): Template {
  return literal(decode(value as Value) as Json);
}

/** The answer is stored unless the task says `store_result: false`, for answers that are large. */
function answered(context: Context, task: Task, exit: Edge, stored: Expr): Leaving {
  if (task.keys.store_result === false) return leave(context, exit);
  const shares = context.shares.length > 0 || context.unit.outerLayers !== undefined;
  // Of answers that come together in one state, each is made to fit; what the service answers, nobody else can keep small.
  const to = shares ? fitting(context, exit, false) : undefined;
  return leaveWith(context, to === undefined ? exit : { to, depth: context.levels.length, assign: {} }, stored);
}

/** `service:action` or `service:action.sync` as a resource of the States Language. */
function resourceOf(command: string): string {
  const [service = '', ...rest] = command.split(':');
  // `.sync:2` has a colon of its own.
  const action = rest.join(':');
  const optimized = OPTIMIZED[service]?.includes(action.replace(/\.sync(:2)?$/, '')) === true;
  return `arn:aws:states:::${optimized ? '' : 'aws-sdk:'}${service}:${action}`;
}

/** aws>: an SDK integration, with the user's `arguments`; the answer is stored as `aws.last_result`. */
export const compileAws: CompileOperator = (context, task, exit) => {
  checkWaiting(context, task);
  checkIntegers(context, task, ['arguments']);
  const given = (task.keys.arguments ?? {}) as Json;
  const dynamic = JSON.stringify(given).includes('$');
  const name = register(context, context.unit.stateName(context.path), task);
  const resource = resourceOf(String(task.command));
  context.unit.needs(name, { kind: 'call', resource, arguments: isMapping(given as Value) ? (given as Mapping) : {} });
  put(context, name, {
    Type: 'Task',
    Resource: resource,
    // A text that an expression gives is JSON.
    Arguments: dynamic
      ? '{% $type($states.input.k.arguments)="string"?$parse($states.input.k.arguments):$states.input.k.arguments %}'
      : written(given),
    ...present({ TimeoutSeconds: typeof task.timeout === 'number' ? task.timeout : undefined }),
    ...callRetriers(task),
    ...callCatchers(context),
    ...answered(context, task, exit, `{"aws":{"last_result":${asData('$states.result')}}}`),
  } as State);
  const entry = { to: name, depth: context.levels.length, assign: {} };
  return dynamic ? evaluateState(context, task, task.operator, entry) : entry;
};

const INVOKE = 'arn:aws:states:::lambda:invoke';

/** Arguments of the integration, by the keys of lambda>. */
const LAMBDA = {
  FunctionName: '_command',
  Payload: 'payload',
  Qualifier: 'qualifier',
  InvocationType: 'invocation_type',
} as const;

/** lambda>: invokes a function of the user's; its answer is stored as `lambda.last_result`. */
export const compileLambda: CompileOperator = (context, task, exit) => {
  checkIntegers(context, task, Object.values(LAMBDA));
  const given = Object.entries(LAMBDA).flatMap(([argument, key]) => {
    const value = key === '_command' ? task.command : (task.keys[key] ?? (key === 'payload' ? {} : undefined));
    return value === undefined || value === null ? [] : [{ argument, key, value: value as Json }];
  });
  const dynamic = JSON.stringify(given).includes('$');
  const name = register(context, context.unit.stateName(context.path), task);
  const qualifier = task.keys.qualifier ?? undefined;
  context.unit.needs(name, {
    kind: 'call',
    resource: INVOKE,
    arguments: { FunctionName: task.command, ...present({ Qualifier: qualifier }) },
  });
  put(context, name, {
    Type: 'Task',
    Resource: INVOKE,
    Arguments: Object.fromEntries(
      given.map(({ argument, key, value }) => [
        argument,
        JSON.stringify(value).includes('$') ? template(`$states.input.k.${key}`) : written(value),
      ]),
    ),
    ...present({ TimeoutSeconds: typeof task.timeout === 'number' ? task.timeout : undefined }),
    ...callRetriers(task),
    ...callCatchers(context),
    ...answered(context, task, exit, `{"lambda":{"last_result":${asData('$states.result.Payload')}}}`),
  } as State);
  const entry = { to: name, depth: context.levels.length, assign: {} };
  return dynamic ? evaluateState(context, task, task.operator, entry) : entry;
};
