import type { State, Template } from '../asl/types.ts';
import type { Task } from '../language/workflow.ts';
import { put } from './frame.ts';
import { type Expr, template } from './jsonata.ts';
import { catchers, ownCall, register, retriers } from './payload.ts';
import { REPEATABLE } from './retry.ts';
import { assigned, type Context, closing, type Edge } from './scope.ts';

/**
 * A state that has `evaluate` render a task's templates before a state that cannot. Its answer is the next state's input, or goes into
 * `assign`ed variables. `more` joins the payload.
 */
export function evaluateState(
  context: Context,
  task: Task,
  op: string,
  next: Edge,
  assign: { readonly [variable: string]: Expr } = {},
  suffix = '',
  more: { readonly [key: string]: Template } = {},
): Edge {
  const name = register(context, context.unit.stateName(`${context.path}${suffix || '^eval'}`), task, 'prepares');
  const all: { readonly [variable: string]: Template } = {
    ...closing(context, next),
    ...next.assign,
    ...Object.fromEntries(Object.entries(assign).map(([variable, expr]) => [variable, template(expr)])),
  };
  put(context, name, {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: ownCall(context, name, 'evaluate', task, op, more),
    ...retriers(task, false, REPEATABLE),
    ...catchers(context),
    ...assigned(all),
    Output: '{% $states.result.Payload %}',
    Next: next.to!,
  } as State);
  return { to: name, depth: context.levels.length, assign: {} };
}
