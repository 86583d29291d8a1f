/**
 * Nested machines, for what is too large for one. The machine is started with the layers it sees as values, and answers as a branch does:
 * `{stored, failure?}`.
 */
import { present } from '../asl/present.ts';
import type { Json, State, StateMachine, Template } from '../asl/types.ts';
import { PROTOCOL } from '../contract/payload.ts';
import type { Node } from '../language/workflow.ts';
import { checkHistory } from './check-limits.ts';
import { compileFrame, put } from './frame.ts';
import { type Expr, quote, template } from './jsonata.ts';
import type { CompileNode } from './operator.ts';
import { join } from './parallel.ts';
import { triesOf } from './payload.ts';
import { INFRASTRUCTURE_CALLS } from './retry.ts';
import { type Context, type Edge, layerList, shareList, taskName } from './scope.ts';
import { type Program, Unit } from './unit.ts';

export function compileDetached(context: Context, node: Node, exit: Edge, compileNode: CompileNode): Edge {
  const stores = context.unit.program.stores(node);
  checkHistory(context.unit.program, node);
  const body = (inner: Context, end: Edge): Edge => compileNode(inner, node, end);
  return compilePart(context, `${context.path}${node.name}`, stores, body, exit);
}

/** Compiles `body` into a separate machine; in its place are a state that starts it and a Choice that raises its failure. */
export function compilePart(
  context: Context,
  path: string,
  stores: boolean,
  body: (inner: Context, end: Edge) => Edge,
  exit: Edge,
): Edge {
  const nested = nestedMachine(context, path, stores, body);
  const name = context.unit.stateName(`${path}^part`);
  const stored = stores ? '$states.result.Output.stored' : undefined;
  put(context, name, {
    ...startNested(context, name, nested, {}),
    ...join(context, nested.canFail, stored, exit, '$states.result.Output'),
  } as State);
  return { to: name, depth: context.levels.length, assign: {} };
}

export interface Nested {
  /** In `${sm_NAME}`. */
  readonly name: string;
  readonly canFail: boolean;
}

interface Made {
  /** The name that `partName` gave, for a machine that is started from within itself. */
  readonly name: string;
  /** The machine of a file that `call>: ${…}` reaches; all such tasks share it. */
  readonly called?: true;
}

export function partName({ name, parts }: Program): string {
  const part = `${name}_part${parts.size + 1}`;
  parts.add(part);
  return part;
}

/**
 * `body` is compiled in a context whose outer layers, name and counters are what the execution was started with. A slice of a
 * loop finds its iterations in `$items` and the width of its chunks in `$w`.
 */
export function nestedMachine(
  context: Context,
  path: string,
  stores: boolean,
  body: (inner: Context, end: Edge) => Edge,
  made?: Made,
): Nested {
  const { program, outerCalls } = context.unit;
  const unit = new Unit(program, '$L', made?.called ? '$C' : outerCalls);
  const inner: Context = {
    ...context,
    unit,
    name: [{ expr: '$N' }],
    path,
    layers: [],
    tries: context.tries.length === 0 ? [] : ['$R'],
    shares: [],
    known: new Map([...context.known].filter(([, value]) => !/\$(?!b\.)/.test(value.expr))),
    unrepeatable: undefined,
  };
  const frame = compileFrame(inner, path, { stores, single: false }, (at) =>
    body(at, { to: undefined, depth: 1, assign: {} }),
  );
  const name = made?.name ?? partName(program);
  const enter = unit.stateName(`${path}^enter`);
  const assign: { [variable: string]: Template } = {
    L: template('$states.input.l'),
    N: template('$states.input.n'),
    b: template('$states.input.b'),
    t: unit.templates as Json,
    items: template('$exists($states.input.items)?$states.input.items:[]'),
    w: template('$exists($states.input.w)?$states.input.w:1'),
    W: template('$exists($states.input.W)?$states.input.W:[]'),
    ...(context.tries.length !== 0 && { R: template('$states.input.r') }),
    ...present({ C: unit.outerCalls === undefined ? undefined : template('$states.input.c') }),
  };
  const machine: StateMachine = {
    Comment: made?.called ? `What ${program.name} calls: ${path}` : `A part of ${program.name}: ${path}`,
    QueryLanguage: 'JSONata',
    StartAt: enter,
    States: {
      [enter]: { Type: 'Pass', Assign: assign, Output: {}, Next: frame.processor.StartAt },
      ...frame.processor.States,
    },
  };
  program.nested[name] = unit.finish(name, machine);
  return { name, canFail: frame.canFail };
}

/** The Task `state` that runs a nested machine, without where it leads. */
export function startNested(
  context: Context,
  state: string,
  nested: Nested,
  input: { readonly [key: string]: Template },
): object {
  const { unit } = context;
  const { outerCalls } = unit;
  unit.needs(state, { kind: 'machine', name: nested.name, waits: true });
  return start(context, `\${sm_${nested.name}}`, {
    ...present({ c: outerCalls === undefined ? undefined : template(outerCalls) }),
    ...input,
  });
}

/** The same for the machine of a called file, chosen from `machines` by the file's name. */
export function startCalled(
  context: Context,
  state: string,
  machines: ReadonlyMap<string, string>,
  file: Expr,
): object {
  for (const name of machines.values()) context.unit.needs(state, { kind: 'machine', name, waits: true });
  const table = [...machines].map(([name, machine]) => `${quote(name)}:'\${sm_${machine}}'`).join(',');
  return start(context, template(`$lookup({${table}},${file})`), { c: template(callList(context)) });
}

/** The files on the way to a task by call>, outermost first. */
export function callList({ unit, calls }: Context): Expr {
  const own = JSON.stringify(calls);
  return unit.outerCalls === undefined ? own : `$append(${unit.outerCalls},${own})`;
}

function start(context: Context, StateMachineArn: Template, input: { readonly [key: string]: Template }): object {
  const shares = shareList(context);
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::states:startExecution.sync:2',
    Arguments: {
      StateMachineArn,
      Input: {
        v: PROTOCOL,
        n: taskName(context),
        l: layerList(context),
        b: '{% $b %}',
        ...present({ W: shares }),
        ...(context.tries.length !== 0 && { r: template(triesOf(context)) }),
        ...input,
      },
    },
    Retry: [INFRASTRUCTURE_CALLS],
  };
}
