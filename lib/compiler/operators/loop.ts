import type { Json } from '../../asl/types.ts';
import type { LoopItem } from '../../contract/payload.ts';
import type { Task } from '../../language/workflow.ts';
import { evaluateState } from '../evaluate.ts';
import type { CompileOperator } from '../operator.ts';
import { compileBranches } from '../parallel.ts';
import type { Context, Edge } from '../scope.ts';
import { compilePart } from '../split.ts';
import { ending } from './if.ts';
import { dynamicItems, literalItems, literalIterations, runs, SEARCHED } from './loop-items.ts';
import { asMany } from './loop-pages.ts';
import { type Loop, whole } from './loop-rounds.ts';
import { inSlices } from './loop-slices.ts';

/**
 * loop>, for_each>, for_range>. In sequence: a Choice that counts, for a Map could not hand stores to the next iteration. In
 * parallel: a Map. In chunks of N: the Choice over Maps.
 */
export const compileLoop: CompileOperator = (context, task, exit, compileNode) => {
  const body = task.body;
  if (body === undefined) return exit;
  const { unit } = context;
  const stores = unit.program.stores(body);
  const slices = unit.program.slices(task);
  if (slices?.counted !== undefined) {
    const variable = `it${unit.next()}`;
    const loop: Loop = { context, task, body, stores, items: dynamicItems(task, variable), compileNode };
    const entry = asMany(loop, exit, `$${variable}`, slices.counted.inPlace);
    const assign = {
      [variable]: '$states.result.Payload.items',
      ...(task.parallel.kind === 'expression' && { [`${variable}w`]: '$states.result.Payload.parallel' }),
    };
    const plan: Json = {
      few: slices.counted.inPlace,
      size: Math.min(slices.size, SEARCHED),
      fan: slices.counted.fan,
      width: widthOf(task),
    };
    return evaluateState(context, task, task.operator, ending(context, entry), assign, '', { i: plan });
  }
  const run = (at: Context, iterations: readonly LoopItem[], how: Task, end: Edge): Edge => {
    const variable = `it${at.unit.next()}`;
    const items = literalItems(how, iterations, variable);
    const loop: Loop = { context: at, task: how, body, stores, items, compileNode };
    return slices === undefined ? whole(loop, end) : inSlices(loop, end, Math.min(slices.size, items.most));
  };
  const iterations = literalIterations(unit, task);
  if (runs(task, iterations, 1).length === 1) return run(context, iterations, task, exit);
  return compileParts(context, task, iterations, stores, run, exit);
};

type Run = (at: Context, iterations: readonly LoopItem[], how: Task, end: Edge) => Edge;

/** A list too long for one machine: nested machines hold a part each, and run one after the other if the iterations do. */
function compileParts(
  context: Context,
  task: Task,
  iterations: readonly LoopItem[],
  stores: boolean,
  run: Run,
  exit: Edge,
): Edge {
  const { parallel } = task;
  const path = `${context.path}^part`;
  const partOf = (at: Context, part: readonly LoopItem[], how: Task, end: Edge): Edge =>
    compilePart(at, path, stores, (inner, innerEnd) => run(inner, part, how, innerEnd), end);
  const unit = parallel.kind === 'parallel' ? iterations.length : parallel.kind === 'limit' ? parallel.limit : 1;
  let next = exit;
  for (const part of runs(task, iterations, unit).reverse()) {
    const pieces = runs(task, part, 1);
    const together: Task = { ...task, parallel: { kind: 'parallel' } };
    const branches = pieces.map((piece) => ({
      path,
      stores,
      single: false,
      body: (inner: Context, end: Edge) => partOf(inner, piece, together, end),
    }));
    next = pieces.length === 1 ? partOf(context, part, task, next) : compileBranches(context, branches, next);
  }
  return next;
}

/** As `evaluate` has it. */
function widthOf({ parallel }: Task): number {
  return parallel.kind === 'limit' ? parallel.limit : parallel.kind === 'parallel' ? -1 : 0;
}
