/**
 * `sla:` of a deployed workflow: a separate machine waits next to the session until it is late, and looks whether it still runs. Then it
 * alerts, runs the tasks of `sla:`, and with `fail: true` stops the session. A branch next to the workflow's tasks would keep the session
 * from ending before its time; this machine costs five transitions a session and ends by itself.
 */
import { present } from '../asl/present.ts';
import type { State, StateMachine, Template } from '../asl/types.ts';
import { ERRORS } from '../contract/errors.ts';
import { PROTOCOL } from '../contract/payload.ts';
import type { Group, Node, Sla, Workflow } from '../language/workflow.ts';
import { put } from './frame.ts';
import { template } from './jsonata.ts';
import type { CompileNode } from './operator.ts';
import { catchers } from './payload.ts';
import { INFRASTRUCTURE_CALLS, REPEATABLE } from './retry.ts';
import { type Context, type Edge, layerList } from './scope.ts';

/** Seconds that the alert may take: Lambda's own limit. */
const LONGEST = 900;

/** The machine's name in `${sm_NAME}`. */
export function slaMachineName(workflow: string): string {
  return `${workflow}_part_sla`;
}

/** The state after `Start` that starts the machine: it does not wait for it. */
export function startSla(context: Context, { name }: Workflow, entry: Edge): Edge {
  const path = `+${name}^sla`;
  const state = context.unit.stateName(path);
  const next = { Output: {}, Next: entry.to ?? 'Done' };
  const { Catch } = catchers({ ...context, name: [path] });
  context.unit.needs(state, { kind: 'machine', name: slaMachineName(name), waits: false });
  put(context, state, {
    Type: 'Task',
    Resource: 'arn:aws:states:::states:startExecution',
    Arguments: {
      StateMachineArn: `\${sm_${slaMachineName(name)}}`,
      // So it is started once, however often this state is tried.
      Name: '{% $states.context.Execution.Name %}',
      Input: { v: PROTOCOL, l: layerList(context), b: '{% $b %}' },
    },
    Retry: [INFRASTRUCTURE_CALLS],
    Catch: [{ ErrorEquals: ['StepFunctions.ExecutionAlreadyExistsException'], ...next }, ...Catch],
    ...next,
  } as State);
  return { ...entry, to: state };
}

/** The input for the states of the machine. */
interface Watch {
  /** Tasks that are states of the machine itself have its name. */
  readonly context: Context;
  readonly path: string;
  readonly workflow: Workflow;
  readonly sla: Sla;
}

/** `context` is that of a new unit whose layers are the session's parameters and one of its own, and whose failure leads to `Failed`. */
export function compileSla(
  context: Context,
  workflow: Workflow,
  sla: Sla,
  compileNode: CompileNode,
): Pick<StateMachine, 'StartAt' | 'States'> {
  const path = `+${workflow.name}^sla`;
  const watch: Watch = { context: { ...context, name: [path] }, path, workflow, sla };
  // What fails here fails this execution, which is watched as a workflow's; but it does not keep a late session alive.
  const end = putStop(watch, '^fail', 'Done');
  const onFail = putStop(watch, '^fail^failed', 'Failed');
  const tasks = sla.body === undefined ? end : compileNode({ ...context, onFail }, around(workflow, sla.body), end);
  const late = sla.alert ? putAlert(watch, tasks, onFail) : tasks;
  const wait = putWait(watch, putLook(watch, putChoice(watch, late)));
  const start = nameOf(watch, '^start');
  return { StartAt: start, States: { [start]: startState(context, wait), ...context.frame.states } };
}

function nameOf({ context, path }: Watch, part: string): string {
  return context.unit.stateName(`${path}${part}`);
}

function executionOf({ workflow }: Watch): Template {
  return template(`"\${arn_${workflow.name}}:"&$split($b.attempt.execution,":")[-1]`);
}

/** With `fail: true`, a state that stops the session; gives the edge that leads through it. */
function putStop(watch: Watch, part: string, to: string): Edge {
  const { context, workflow, sla } = watch;
  if (!sla.fail) return { to, depth: 1, assign: {}, ...(to === 'Done' && { drop: true }) };
  const state = nameOf(watch, part);
  context.unit.needs(state, { kind: 'execution', workflow: workflow.name, action: 'stop' });
  put(context, state, {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:sfn:stopExecution',
    Arguments: {
      ExecutionArn: executionOf(watch),
      Error: ERRORS.sla,
      Cause: JSON.stringify({ message: `SLA violation: ${limitOf(sla)}` }),
    },
    Retry: [INFRASTRUCTURE_CALLS],
    ...catchers(context),
    Output: {},
    Next: to,
  } as State);
  return { to: state, depth: 1, assign: {} };
}

/** The tasks of `sla:`, in a group that has what the workflow's root gives to its tasks. */
function around({ root }: Workflow, body: Node): Group {
  const { export: exported, env, secrets } = root.directives;
  return {
    ...root,
    directives: {
      ...present({ export: exported, env, secrets }),
    },
    parallel: { kind: 'sequential' },
    children: [body],
  };
}

function putAlert(watch: Watch, next: Edge, onFail: Edge): Edge {
  const { context, path, sla } = watch;
  const alert = nameOf(watch, '^alert');
  context.unit.needs(alert, { kind: 'function', name: 'notify' });
  put(context, alert, {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: {
      FunctionName: '${notify}',
      Payload: {
        v: PROTOCOL,
        t: `${path}^alert`,
        l: [],
        b: '{% $b %}',
        k: { ...slaClock(sla), fail: sla.fail },
        op: 'sla',
      },
    },
    TimeoutSeconds: LONGEST,
    Retry: REPEATABLE,
    ...catchers({ ...context, onFail }),
    Assign: next.assign,
    Output: {},
    Next: next.to,
  } as State);
  return { to: alert, depth: 1, assign: {} };
}

/** Whether the session still runs. */
function putChoice(watch: Watch, late: Edge): string {
  const name = nameOf(watch, '^late');
  put(watch.context, name, {
    Type: 'Choice',
    Choices: [
      { Condition: '{% $states.input.status="RUNNING" %}', Assign: late.assign, Output: {}, Next: late.to ?? 'Done' },
    ],
    Default: 'Done',
    Output: {},
  } as State);
  return name;
}

function putLook(watch: Watch, next: string): string {
  const { context, workflow } = watch;
  const name = nameOf(watch, '^look');
  context.unit.needs(name, { kind: 'execution', workflow: workflow.name, action: 'describe' });
  put(context, name, {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:sfn:describeExecution',
    Arguments: { ExecutionArn: executionOf(watch) },
    Retry: [INFRASTRUCTURE_CALLS],
    ...catchers(context),
    Output: '{% {"status":$states.result.Status} %}',
    Next: next,
  } as State);
  return name;
}

function putWait(watch: Watch, next: string): string {
  const name = nameOf(watch, '^wait');
  put(watch.context, name, { Type: 'Wait', Timestamp: '{% $b.attempt.sla %}', Output: {}, Next: next } as State);
  return name;
}

/** The first state: takes what the machine was started with. */
function startState({ unit, levels }: Context, next: string): State {
  const [level] = levels;
  return {
    Type: 'Pass',
    Assign: {
      L: template('$states.input.l'),
      b: template('$states.input.b'),
      t: unit.templates as never,
      ...(level?.variable !== undefined && { [level.variable]: {} }),
    },
    Output: {},
    Next: next,
  };
}

/** The part of `sla:` from which `session` computes the time. */
export function slaClock({ time, duration }: Sla): { readonly time?: string; readonly duration?: string } {
  return present({ time, duration });
}

/** As written in the file. */
function limitOf({ time, duration }: Sla): string {
  return time === undefined ? `not ended after ${duration}` : `not ended by ${time}`;
}
