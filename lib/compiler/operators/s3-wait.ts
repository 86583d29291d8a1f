import type { State } from '../../asl/types.ts';
import { ERRORS } from '../../contract/errors.ts';
import type { Task } from '../../language/workflow.ts';
import { evaluateState } from '../evaluate.ts';
import { put } from '../frame.ts';
import { template } from '../jsonata.ts';
import type { Need } from '../needs.ts';
import type { CompileOperator } from '../operator.ts';
import { passage } from '../parallel.ts';
import { callCatchers, register } from '../payload.ts';
import { CALL } from '../retry.ts';
import { assigned, type Context, closing, failing, failureOfTask, leaveWith } from '../scope.ts';

/** Seconds between two looks: 5, doubled up to 5 minutes, as digdag. */
const POLL = 5;
const LONGEST_POLL = 300;

/** What S3 answers for an object that is not there: by the operation it has several names. */
const MISSING = ['S3.NoSuchKeyException', 'S3.NotFoundException', 'S3.NoSuchKey', 'S3.NotFound'];

/** s3_wait>: asks for the object's head until it is there; stores `s3.last_object`. */
export const compileS3Wait: CompileOperator = (context, task, exit) => {
  const { unit } = context;
  if (unit.program.target === 'aws') checkDeployed(context, task);
  const id = unit.next();
  const keys = `k${id}`;
  const pause = `w${id}`;
  const since = `z${id}`;
  const name = register(context, unit.stateName(context.path), task, 'polls');
  const late = register(context, unit.stateName(`${context.path}^late`), task, 'polls');
  const wait = unit.stateName(`${context.path}^wait`);
  const head = leaveWith(
    context,
    exit,
    '{"s3":{"last_object":{"metadata":$sift($states.result,function($v,$k){$k!="Metadata"}),"user_metadata":$states.result.Metadata?$states.result.Metadata:{}}}}',
  );
  unit.needs(name, objectOf(task));
  put(context, name, {
    Type: 'Task',
    Resource: 'arn:aws:states:::aws-sdk:s3:headObject',
    Arguments: template(`$${keys}.request`),
    Retry: CALL,
    Catch: [{ ErrorEquals: MISSING, Output: {}, Next: late }, ...callCatchers(context).Catch],
    ...head,
  } as State);
  const done = exit.to ?? passage(context, exit);
  const doneAssign = exit.to === undefined ? {} : { ...closing(context, exit), ...exit.assign };
  const message = `{"message":"s3_wait>: no object s3://"&$${keys}.request.Bucket&"/"&$${keys}.request.Key&" within "&$string($${keys}.timeout)&" s"}`;
  const failed = failing(
    context,
    context.onFail,
    failureOfTask(context, `{"Error":"${ERRORS.taskFailed}","Cause":$string(${message})}`),
  );
  const over = `$exists($${keys}.timeout) and $toMillis($states.context.State.EnteredTime)-$${since}>=$${keys}.timeout*1000`;
  put(context, late, {
    Type: 'Choice',
    Choices: [
      {
        Condition: template(`${over} and $${keys}.continue_on_timeout`),
        ...assigned(doneAssign),
        Output: { over: true },
        Next: done,
      },
      { Condition: template(over), Assign: failed.Assign, Output: {}, Next: failed.Next },
    ],
    Default: wait,
    Output: {},
  } as State);
  put(context, wait, {
    Type: 'Wait',
    Seconds: template(`$${pause}`),
    Assign: { [pause]: template(`$min([$${pause}*2,${LONGEST_POLL}])`) },
    Output: {},
    Next: name,
  });
  const entry = { to: name, depth: context.levels.length, assign: {} };
  return evaluateState(context, task, task.operator, entry, {
    [keys]: '$states.result.Payload',
    [pause]: String(POLL),
    [since]: '$toMillis($states.context.State.EnteredTime)',
  });
};

function objectOf({ operator, keys }: Task): Need {
  const path = keys[`${operator}>`] ?? keys._command;
  const [bucket, key] =
    typeof path === 'string' && path !== ''
      ? [path.split('/')[0], path.split('/').slice(1).join('/') || keys.key]
      : [keys.bucket, keys.key];
  const version = keys.version_id !== undefined && keys.version_id !== null;
  if (typeof bucket !== 'string' || bucket === '' || bucket.includes('$')) return { kind: 'object', version };
  return { kind: 'object', path: `${bucket}/${String(key ?? '*').replaceAll(/\$\{[^}]*\}/g, '*')}`, version };
}

/** Deployed, Step Functions itself asks S3: with the role of the state machine, in its region. */
function checkDeployed({ unit }: Context, task: Task): void {
  for (const key of ['endpoint', 'path_style_access', 'region']) {
    const value = task.keys[key];
    if (value === undefined || value === null || value === false) continue;
    const region = key === 'region';
    unit.report(
      'deployed-only-here',
      region ? 'warning' : 'error',
      task.spans[key] ?? task.span,
      region
        ? `${key} has no effect when deployed: s3_wait> asks in the region of the stack`
        : `${key} works here, and cannot be deployed: Step Functions itself asks Amazon S3`,
      'For another store or region ask in Python: py> with boto3, `_retry` and an interval.',
    );
  }
}
