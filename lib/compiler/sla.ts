/**
 * `sla:` of a deployed workflow: a separate machine waits next to the session until it is late, and looks whether it still runs. Then it
 * alerts, runs the tasks of `sla:`, and with `fail: true` stops the session. A branch next to the workflow's tasks would keep the session
 * from ending before its time; this machine costs five transitions a session and ends by itself.
 */
import type { State, StateMachine } from '../asl/types.ts';
import { ERRORS } from '../contract/errors.ts';
import { PROTOCOL } from '../contract/payload.ts';
import type { Group, Sla, Workflow } from '../language/workflow.ts';
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

/** `context` is that of a new unit whose layers are the session's parameters and one of its own, and whose failure leads to `Failed`. */
export function compileSla(
  context: Context,
  workflow: Workflow,
  sla: Sla,
  compileNode: CompileNode,
): Pick<StateMachine, 'StartAt' | 'States'> {
  const { unit, frame } = context;
  const [level] = context.levels;
  const path = `+${workflow.name}^sla`;
  const own = { ...context, name: [path] };
  const name = (part: string): string => unit.stateName(`${path}${part}`);
  const execution = template(`"\${arn_${workflow.name}}:"&$split($b.attempt.execution,":")[-1]`);
  // What fails here fails this execution, which is watched as a workflow's; but it does not keep a late session alive.
  const stop = (part: string, to: string): Edge => {
    if (!sla.fail) return { to, depth: 1, assign: {}, ...(to === 'Done' && { drop: true }) };
    const state = name(part);
    unit.needs(state, { kind: 'execution', workflow: workflow.name, action: 'stop' });
    put(context, state, {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:sfn:stopExecution',
      Arguments: {
        ExecutionArn: execution,
        Error: ERRORS.sla,
        Cause: JSON.stringify({ message: `SLA violation: ${limitOf(sla)}` }),
      },
      Retry: [INFRASTRUCTURE_CALLS],
      ...catchers(own),
      Output: {},
      Next: to,
    } as State);
    return { to: state, depth: 1, assign: {} };
  };
  let next = stop('^fail', 'Done');
  const failing = { ...context, onFail: stop('^fail^failed', 'Failed') };
  if (sla.body !== undefined) {
    const { export: exported, env, secrets } = workflow.root.directives;
    const around: Group = {
      ...workflow.root,
      directives: {
        ...(exported !== undefined && { export: exported }),
        ...(env !== undefined && { env }),
        ...(secrets !== undefined && { secrets }),
      },
      parallel: { kind: 'sequential' },
      children: [sla.body],
    };
    next = compileNode(failing, around, next);
  }
  if (sla.alert) {
    const alert = name('^alert');
    unit.needs(alert, { kind: 'function', name: 'notify' });
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
      ...catchers({ ...own, onFail: failing.onFail }),
      Assign: next.assign,
      Output: {},
      Next: next.to,
    } as State);
    next = { to: alert, depth: 1, assign: {} };
  }
  const choice = name('^late');
  put(context, choice, {
    Type: 'Choice',
    Choices: [
      { Condition: '{% $states.input.status="RUNNING" %}', Assign: next.assign, Output: {}, Next: next.to ?? 'Done' },
    ],
    Default: 'Done',
    Output: {},
  } as State);
  const look = name('^look');
  unit.needs(look, { kind: 'execution', workflow: workflow.name, action: 'describe' });
  put(context, look, {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:sfn:describeExecution',
    Arguments: { ExecutionArn: execution },
    Retry: [INFRASTRUCTURE_CALLS],
    ...catchers(own),
    Output: '{% {"status":$states.result.Status} %}',
    Next: choice,
  } as State);
  const wait = name('^wait');
  put(context, wait, { Type: 'Wait', Timestamp: '{% $b.attempt.sla %}', Output: {}, Next: look } as State);
  const start = name('^start');
  const first: State = {
    Type: 'Pass',
    Assign: {
      L: template('$states.input.l'),
      b: template('$states.input.b'),
      t: unit.templates as never,
      ...(level?.variable !== undefined && { [level.variable]: {} }),
    },
    Output: {},
    Next: wait,
  };
  return { StartAt: start, States: { [start]: first, ...frame.states } };
}

/** What `session` computes the time from. */
export function slaClock({ time, duration }: Sla): { readonly time?: string; readonly duration?: string } {
  return { ...(time !== undefined && { time }), ...(duration !== undefined && { duration }) };
}

/** As written in the file. */
function limitOf({ time, duration }: Sla): string {
  return time === undefined ? `not ended after ${duration}` : `not ended by ${time}`;
}
