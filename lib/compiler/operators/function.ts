import type { State } from '../../asl/types.ts';
import { functionOf, mayStore, sends } from '../../language/operators.ts';
import { put } from '../frame.ts';
import type { CompileOperator } from '../operator.ts';
import { catchers, ownCall, register, retriers, shared } from '../payload.ts';
import { ACTING, ACTING_ERRORS } from '../retry.ts';
import { leave, leaveStoring } from '../scope.ts';
import { mailNeed } from '../task-needs.ts';

/** Longest call of a function: seconds, Lambda's own limit. */
const LONGEST = 900;

/** http>, mail>, slack>, notify>, http_call>: a function renders the task's keys and does it, with a plain answer. */
export const compileFunction: CompileOperator = (context, task, exit) => {
  const stores = mayStore(task.operator);
  const leaving = stores ? leaveStoring(context, exit, '$states.result.Payload') : { fields: leave(context, exit) };
  const name = register(context, context.unit.stateName(context.path), task);
  if (sends(task.operator) === 'mail') context.unit.needs(name, mailNeed(task.keys, context.mail));
  const timeout = typeof task.timeout === 'number' ? Math.min(task.timeout, LONGEST) : LONGEST;
  put(context, name, {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: ownCall(
      context,
      name,
      String(functionOf(task.operator)),
      task,
      task.operator,
      stores ? shared(context) : {},
      leaving.m,
    ),
    TimeoutSeconds: timeout,
    ...retriers(task, true, ACTING, ACTING_ERRORS),
    ...catchers(context, ACTING_ERRORS),
    ...leaving.fields,
  } as State);
  return { to: name, depth: context.levels.length, assign: {} };
};
