import type { State } from '../../asl/types.ts';
import { executionPrefix } from '../../contract/deployed-names.ts';
import { ERRORS } from '../../contract/errors.ts';
import type { Task } from '../../language/workflow.ts';
import { evaluateState } from '../evaluate.ts';
import { put } from '../frame.ts';
import { type Expr, template } from '../jsonata.ts';
import type { CompileOperator } from '../operator.ts';
import { passage } from '../parallel.ts';
import { catchers, register } from '../payload.ts';
import { INFRASTRUCTURE_CALLS } from '../retry.ts';
import { assigned, type Context, closing, type Edge, failing, failureOfTask } from '../scope.ts';

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
  if (unit.program.workflows.get(target) === undefined) {
    reportUnknown(context, task);
    return exit;
  }
  unit.program.required.add(target);
  const required = requiredOf(context, task, exit, target);
  const { keys, tries, start } = required;
  putStart(context, required);
  putFailed(context, required);
  putDescribe(context, required);
  putStatus(context, required);
  put(context, required.wait, { Type: 'Wait', Seconds: POLL, Output: {}, Next: required.describe });
  const entry = { to: start, depth: context.levels.length, assign: {} };
  return evaluateState(context, task, task.operator, entry, { [keys]: '$states.result.Payload', [tries]: '0' });
};

function reportUnknown({ unit }: Context, task: Task): void {
  const { project_id, project_name } = task.keys;
  const note =
    'require> starts only workflows of its own project. For a workflow of another project, use aws>: states:startExecution.sync:2.';
  unit.report(
    'require-not-found',
    'error',
    task.spans[`${task.operator}>`] ?? task.span,
    `There is no workflow '${String(task.command)}' in this project`,
    ...(project_id === undefined && project_name === undefined ? [] : [note]),
  );
}

/** What the states of one `require>` share. */
interface Required {
  readonly target: string;
  /** Variables: the values of the task, and how often the workflow was started again. */
  readonly keys: string;
  readonly tries: string;
  /** The name of the execution. */
  readonly name: Expr;
  /** Names of states. */
  readonly start: string;
  readonly describe: string;
  readonly status: string;
  readonly wait: string;
  readonly childFailed: string;
  /** How the states are left when the workflow has succeeded, and when it has failed. */
  readonly done: ReturnType<typeof assigned> & { readonly Next: string };
  readonly failed: Pick<ReturnType<typeof failing>, 'Assign'> & { readonly Default: string };
  /** The choice of `ignore_failure`. */
  readonly ignored: object;
}

function requiredOf(context: Context, task: Task, exit: Edge, target: string): Required {
  const { unit, path } = context;
  const id = unit.next();
  const keys = `k${id}`;
  const tries = `n${id}`;
  const name: Expr = `$substring(${JSON.stringify(executionPrefix(target))}&"-"&$string($${keys}.session_unixtime)&($${tries}=0?"":"-"&$string($${tries})),0,80)`;
  const start = register(context, unit.stateName(path), task, 'polls');
  const describe = unit.stateName(`${path}^describe`);
  const status = register(context, unit.stateName(`${path}^status`), task, 'polls');
  const wait = unit.stateName(`${path}^wait`);
  const to = exit.to ?? passage(context, exit);
  const assign = exit.to === undefined ? {} : { ...closing(context, exit), ...exit.assign };
  const done = { ...assigned(assign), Next: to };
  const message = `{"message":"Dependent workflow failed: ${target}, execution "&${name}}`;
  const failure = `{"Error":${JSON.stringify(ERRORS.taskFailed)},"Cause":$string(${message})}`;
  const { Assign, Next } = failing(context, context.onFail, failureOfTask(context, failure));
  const childFailed = register(context, unit.stateName(`${path}^failed`), task, 'polls');
  return {
    ...{ target, keys, tries, name, start, describe, status, wait, childFailed, done },
    failed: { Default: Next, Assign },
    ignored: { Condition: template(`$${keys}.ignore_failure`), ...ended(done) },
  };
}

function ended({ Next, ...done }: Required['done']): object {
  return { ...done, Output: { over: true }, Next };
}

function putStart(context: Context, { target, keys, name, start, describe, childFailed, done }: Required): void {
  const { Next, ...assign } = done;
  context.unit.needs(start, { kind: 'machine', name: target, waits: true });
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
      { ErrorEquals: ['States.ALL'], Output: {}, Next: childFailed },
    ],
    ...assign,
    Output: {},
    Next,
  } as State);
}

function putFailed(context: Context, { childFailed, ignored, failed }: Required): void {
  put(context, childFailed, { Type: 'Choice', Choices: [ignored], ...failed, Output: {} } as State);
}

/** Looks at the execution of the same name that somebody else has started. */
function putDescribe(context: Context, { target, name, describe, status }: Required): void {
  context.unit.needs(describe, { kind: 'execution', workflow: target, action: 'describe' });
  put(context, describe, {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:sfn:describeExecution',
    Arguments: { ExecutionArn: template(`"\${arn_${target}}:"&${name}`) },
    Retry: [INFRASTRUCTURE_CALLS],
    ...catchers(context),
    Output: '{% {"status":$states.result.Status} %}',
    Next: status,
  } as State);
}

/** Waits while it runs; then takes its end for the task's own, or starts it again as `rerun_on` says. */
function putStatus(context: Context, { keys, tries, start, status, wait, done, failed, ignored }: Required): void {
  const rerun = `$${keys}.rerun_on`;
  const again = { Assign: { [tries]: template(`$${tries}+1`) }, Output: {}, Next: start };
  put(context, status, {
    Type: 'Choice',
    Choices: [
      { Condition: '{% $states.input.status="RUNNING" %}', Output: {}, Next: wait },
      { Condition: template(`$states.input.status="SUCCEEDED" and ${rerun}!="all"`), ...ended(done) },
      { Condition: template(`${rerun}="all" or (${rerun}="failed" and $states.input.status!="SUCCEEDED")`), ...again },
      ignored,
    ],
    ...failed,
    Output: {},
  } as State);
}
