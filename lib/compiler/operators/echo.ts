import type { State } from '../../asl/types.ts';
import { exactText, isLeaf } from '../../language/value-form.ts';
import type { Task } from '../../language/workflow.ts';
import { put } from '../frame.ts';
import { literal, template } from '../jsonata.ts';
import { lowered } from '../lowering.ts';
import type { CompileOperator } from '../operator.ts';
import { catchers, failure, ownCall, register, retriers } from '../payload.ts';
import { REPEATABLE } from '../retry.ts';
import { type Context, failing, failureOfTask, leave, taskName } from '../scope.ts';

/** The text as a field's value, where no function is needed to give it. */
function textOf(context: Context, task: Task): { readonly text: string; readonly literal: boolean } | undefined {
  const { command } = task;
  const text =
    typeof command === 'string' ? command : command === null ? '' : isLeaf(command) ? command.text : exactText(command);
  if (!text.includes('$')) return { text, literal: true };
  const expr = lowered(context, task, text);
  return expr === undefined ? undefined : { text: expr, literal: false };
}

/** echo>: a Pass whose output has the text; `evaluate` gives it where an expression must run. */
export const compileEcho: CompileOperator = (context, task, exit) => {
  const name = register(context, context.unit.stateName(context.path), task);
  const text = textOf(context, task);
  if (text !== undefined) {
    const output = { t: taskName(context), echo: text.literal ? literal(text.text) : template(text.text) };
    put(context, name, { Type: 'Pass', ...leave(context, exit, output) } as State);
  } else {
    const output = { t: taskName(context), echo: '{% $states.result.Payload.text %}' };
    put(context, name, {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: ownCall(context, name, 'evaluate', task, task.operator),
      ...retriers(task, false, REPEATABLE),
      ...catchers(context),
      ...leave(context, exit, output),
    } as State);
  }
  return { to: name, depth: context.levels.length, assign: {} };
};

/** fail>: an edge to the handler. A Fail state could not be caught and would cancel the siblings. */
export const compileFail: CompileOperator = (context, task) => {
  const name = register(context, context.unit.stateName(context.path), task);
  const text = textOf(context, task);
  if (text === undefined) {
    // `evaluate` answers op `fail` with the failure itself: nothing but the Catch is ever taken, but what is read after must be assigned.
    put(context, name, {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: ownCall(context, name, 'evaluate', task, task.operator),
      ...retriers(task, false, REPEATABLE),
      ...catchers(context),
      ...failing(context, context.onFail, '$states.result'),
    } as State);
    return { to: name, depth: context.levels.length, assign: {} };
  }
  const { Error: error, Cause } = failure(text.literal ? text.text : '');
  const made = text.literal
    ? `{"Error":${JSON.stringify(error)},"Cause":${JSON.stringify(Cause)}}`
    : `{"Error":${JSON.stringify(error)},"Cause":$string({"message":${text.text}})}`;
  put(context, name, {
    Type: 'Pass',
    Output: { t: taskName(context), fail: text.literal ? literal(text.text) : template(text.text) },
    ...failing(context, context.onFail, failureOfTask(context, made)),
  } as State);
  return { to: name, depth: context.levels.length, assign: {} };
};
