import type { State } from '../../asl/types.ts';
import { executionPrefix } from '../../contract/deployed-names.ts';
import { ERRORS } from '../../contract/errors.ts';
import { evaluateState } from '../evaluate.ts';
import { put } from '../frame.ts';
import { type Expr, template } from '../jsonata.ts';
import type { CompileOperator } from '../operator.ts';
import { passage } from '../parallel.ts';
import { catchers, register } from '../payload.ts';
import { INFRASTRUCTURE_CALLS } from '../retry.ts';
import { assigned, closing, failing, failureOfTask } from '../scope.ts';

/** Seconds between two looks at a required workflow that somebody else started. */
const POLL = 10;

/**
 * require>: starts the other workflow's machine under a name made from workflow and session, so that it runs once, and waits. The
 * input holds nothing of the caller: a start of the same name and input joins the execution that runs already.
 */
export const compileRequire: CompileOperator = (context, task, exit) => {
  const { unit } = context;
  const { command } = task;
  const target = typeof command === 'string' ? command.replace(/\.dig$/, '') : '';
  const workflow = unit.program.workflows.get(target);
  if (workflow === undefined) {
    const span = task.spans[`${task.operator}>`] ?? task.span;
    const { project_id, project_name } = task.keys;
    const note =
      'require> starts only workflows of its own project. For a workflow of another project, use aws>: states:startExecution.sync:2.';
    const notes = project_id === undefined && project_name === undefined ? [] : [note];
    unit.report(
      'require-not-found',
      'error',
      span,
      `There is no workflow '${String(command)}' in this project`,
      ...notes,
    );
    return exit;
  }
  unit.program.required.add(target);
  const id = unit.next();
  const keys = `k${id}`;
  const tries = `n${id}`;
  const base = context.path;
  const start = register(context, unit.stateName(base), task, 'polls');
  const describe = unit.stateName(`${base}^describe`);
  const status = register(context, unit.stateName(`${base}^status`), task, 'polls');
  const wait = unit.stateName(`${base}^wait`);
  const name: Expr = `$substring(${JSON.stringify(executionPrefix(target))}&"-"&$string($${keys}.session_unixtime)&($${tries}=0?"":"-"&$string($${tries})),0,80)`;
  const done = exit.to ?? passage(context, exit);
  const doneAssign = exit.to === undefined ? {} : { ...closing(context, exit), ...exit.assign };
  const assignDone = assigned(doneAssign);
  const rerun = `$${keys}.rerun_on`;
  const failed = failing(
    context,
    context.onFail,
    failureOfTask(
      context,
      `{"Error":${JSON.stringify(ERRORS.taskFailed)},"Cause":$string({"message":"Dependent workflow failed: ${target}, execution "&${name}})}`,
    ),
  );
  const ended = { ...assignDone, Output: { over: true }, Next: done };
  const ignored = { Condition: template(`$${keys}.ignore_failure`), ...ended };
  const child = register(context, unit.stateName(`${base}^failed`), task, 'polls');
  unit.needs(start, { kind: 'machine', name: target, waits: true });
  put(context, start, {
    Type: 'Task',
    Resource: 'arn:aws:states:::states:startExecution.sync:2',
    Arguments: {
      StateMachineArn: `\${sm_${target}}`,
      Name: template(name),
      Input: template(`$sift($${keys},function($v,$k){$k in ["session_time","params","encoded"]})`),
    },
    Retry: [INFRASTRUCTURE_CALLS],
    Catch: [
      { ErrorEquals: ['StepFunctions.ExecutionAlreadyExistsException'], Output: {}, Next: describe },
      { ErrorEquals: ['States.ALL'], Output: {}, Next: child },
    ],
    ...assignDone,
    Output: {},
    Next: done,
  } as State);
  put(context, child, {
    Type: 'Choice',
    Choices: [ignored],
    Default: failed.Next,
    Assign: failed.Assign,
    Output: {},
  } as State);
  unit.needs(describe, { kind: 'execution', workflow: target, action: 'describe' });
  put(context, describe, {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:sfn:describeExecution',
    Arguments: { ExecutionArn: template(`"\${arn_${target}}:"&${name}`) },
    Retry: [INFRASTRUCTURE_CALLS],
    ...catchers(context),
    Output: '{% {"status":$states.result.Status} %}',
    Next: status,
  } as State);
  const again = { Assign: { [tries]: template(`$${tries}+1`) }, Output: {}, Next: start };
  put(context, status, {
    Type: 'Choice',
    Choices: [
      { Condition: '{% $states.input.status="RUNNING" %}', Output: {}, Next: wait },
      {
        Condition: template(`$states.input.status="SUCCEEDED" and ${rerun}!="all"`),
        ...ended,
      },
      { Condition: template(`${rerun}="all" or (${rerun}="failed" and $states.input.status!="SUCCEEDED")`), ...again },
      ignored,
    ],
    Default: failed.Next,
    Assign: failed.Assign,
    Output: {},
  } as State);
  put(context, wait, { Type: 'Wait', Seconds: POLL, Output: {}, Next: describe });
  const entry = { to: start, depth: context.levels.length, assign: {} };
  return evaluateState(context, task, task.operator, entry, { [keys]: '$states.result.Payload', [tries]: '0' });
};
