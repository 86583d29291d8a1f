import type { Task } from '../language/workflow.ts';
import type { Expr } from './jsonata.ts';
import type { Context } from './scope.ts';

/** The text of a native operator as JSONata, where that is provably the same; else `evaluate` renders it. */
export function lowered(_context: Context, _task: Task, _text: string): Expr | undefined {
  return undefined;
}

export function loweredCondition(_context: Context, _task: Task): Expr | undefined {
  return undefined;
}
