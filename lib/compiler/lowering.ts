import { lower, lowerCondition, type Variable } from '../expression/lower.ts';
import type { Task } from '../language/workflow.ts';
import type { Expr } from './jsonata.ts';
import type { Context } from './scope.ts';

/** The text of a native operator as JSONata, where that is provably the same; else `evaluate` renders it. */
export function lowered(context: Context, task: Task, text: string): Expr | undefined {
  return lower(text, knownTo(context, task))?.expression;
}

export function loweredCondition(context: Context, task: Task): Expr | undefined {
  return typeof task.command === 'string'
    ? lowerCondition(task.command, knownTo(context, task))?.expression
    : undefined;
}

/** A key of the task's own hides a variable of its name, and those below it. */
function knownTo(context: Context, task: Task): { readonly [path: string]: Variable } {
  const hidden = (path: string): boolean => Object.hasOwn(task.keys, path.split('.', 1)[0]!);
  return Object.fromEntries([...context.known].filter(([path]) => !hidden(path)));
}
