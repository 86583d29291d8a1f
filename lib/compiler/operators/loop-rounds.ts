/** The rounds of a loop that one machine holds: one after the other, at once, or in chunks. */
import type { State, Template } from '../../asl/types.ts';
import type { Node, Task } from '../../language/workflow.ts';
import { withoutExport } from '../effects.ts';
import { compileFrame, put } from '../frame.ts';
import { gatherRules } from '../gather.ts';
import { type Expr, template } from '../jsonata.ts';
import { knownWithin, withItem } from '../known.ts';
import type { CompileNode } from '../operator.ts';
import { isPlain, join, putChoice, putRules } from '../parallel.ts';
import { type Context, closing, type Edge, sharing } from '../scope.ts';
import { ending } from './if.ts';
import { fieldsOf, type Item, type Items } from './loop-items.ts';

/** A loop, in the machine where its rounds or its slices are started. */
export interface Loop {
  readonly context: Context;
  readonly task: Task;
  readonly body: Node;
  readonly stores: boolean;
  readonly items: Items;
  readonly compileNode: CompileNode;
}

/** `width` gives an expression's `_parallel`: 0 in sequence, -1 all at once, N in chunks. */
export function whole(loop: Loop, exit: Edge, width: Expr = '0'): Edge {
  const { parallel } = loop.task;
  switch (parallel.kind) {
    case 'sequential':
      return inSequence(loop, exit);
    case 'parallel':
      return atOnce(loop, exit);
    case 'limit':
      return inChunks(loop, exit, String(parallel.limit));
    case 'expression': {
      const wide = `(${width}<0?$max([1,${loop.items.count}]):${width})`;
      // The body is there twice, under different state names.
      return choose(loop.context, `${width}=0`, inSequence(loop, exit), inChunks(loop, exit, wide));
    }
  }
}

export function inSequence(loop: Loop, exit: Edge): Edge {
  const { items, stores } = loop;
  const round = ({ index, id, back }: Turn) => {
    const layer = stores ? `s${id}` : undefined;
    const { pick } = items;
    const item = pick === undefined ? items.at(`$${index}`) : fieldsOf(`$c${id}`);
    const entry = iteration(loop, loop.context, item, layer, back);
    const assign = {
      ...(pick !== undefined && { [`c${id}`]: template(pick(`$${index}+1`)) }),
      ...(layer !== undefined && { [layer]: {} }),
      ...entry.assign,
    };
    // What iterations store comes together here, whatever their last state is.
    const before = stores ? gatherRules(loop.context, back.to!) : [];
    return { condition: `$${index}<${items.count}-1`, entry: { ...entry, assign }, before };
  };
  return repeat(loop.context, '^loop', round, exit, items.assign);
}

export function atOnce(loop: Loop, exit: Edge): Edge {
  const { all, count, assign } = loop.items;
  const entry = map(loop, exit, all, count);
  // Items written in the state itself need no variable.
  return typeof all === 'string' ? { ...entry, assign: { ...assign, ...entry.assign } } : entry;
}

/**
 * A chunk sees what the chunks before it stored, and starts only if none of them failed: MaxConcurrency would give neither.
 * @param run how a chunk runs; its rounds at once, if absent
 */
export function inChunks(
  loop: Loop,
  exit: Edge,
  size: Expr,
  run = (chunk: Items, back: Edge): Edge => map(loop, back, chunk.all, size),
): Edge {
  const { items } = loop;
  const round = ({ index, back }: Turn) => ({
    condition: `($${index}+1)*${size}<${items.count}`,
    entry: run(items.part(`$${index}`, size), back),
  });
  return repeat(loop.context, '^loop', round, exit, items.assign);
}

/** What is done next time, and rules that come before it. */
interface Round {
  readonly condition: Expr;
  readonly entry: Edge;
  readonly before?: ReturnType<typeof gatherRules>;
}

interface Turn {
  /** Variable that counts from -1: `condition` sees the turn before. */
  readonly index: string;
  readonly id: string | number;
  readonly back: Edge;
}

/** A Choice that counts, for a Map could not hand stores to the next turn. */
export function repeat(
  context: Context,
  suffix: '^loop' | '^slices',
  round: (turn: Turn) => Round,
  exit: Edge,
  assign: { readonly [variable: string]: Template },
): Edge {
  const { unit } = context;
  const id = unit.next();
  const index = `i${id}`;
  const name = unit.stateName(`${context.path}${suffix}`);
  const { condition, entry, before = [] } = round({ index, id, back: at(context, name) });
  const rule = {
    Condition: template(condition),
    Output: {},
    Assign: { [index]: template(`$${index}+1`), ...entry.assign },
    Next: entry.to ?? name,
  };
  putRules(context, name, [...before, rule], exit);
  return { ...at(context, name), assign: { ...assign, [index]: -1 } };
}

export function choose(context: Context, condition: Expr, yes: Edge, no: Edge): Edge {
  const choice = context.unit.stateName(`${context.path}^how`);
  const edge = ending(context, yes);
  const rule = { Assign: { ...closing(context, edge), ...edge.assign }, Next: edge.to };
  putChoice(context, choice, template(condition), rule, no);
  return at(context, choice);
}

/** An edge to a state of this level. */
export function at(context: Context, state: string): Edge {
  return { to: state, depth: context.levels.length, assign: {} };
}

/** @param count how many at the most */
function map(loop: Loop, exit: Edge, items: Template, count: Expr): Edge {
  const { context, stores } = loop;
  const name = context.unit.stateName(`${context.path}^map`);
  const single = isPlain(loop.body, context.unit.program);
  const options = { stores, single, item: true, beside: count };
  const within = stores ? sharing(context, count) : context;
  const frame = compileFrame(within, `${context.path}^sub`, options, (inner, item) =>
    iteration(loop, inner, fieldsOf(item), undefined, { to: undefined, depth: 1, assign: {} }),
  );
  put(context, name, {
    Type: 'Map',
    Items: items,
    ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...frame.processor },
    ...join(context, frame.canFail, stores ? '$states.result.stored' : undefined, exit),
  } as State);
  return at(context, name);
}

/**
 * The body as a level of its own. Layers: around it, the body's own `_export`, the item, then what the iteration stores: a loop
 * variable beats an `_export` of the body.
 */
function iteration(loop: Loop, context: Context, item: Item, layer: string | undefined, back: Edge): Edge {
  const { body, task, stores } = loop;
  const around = loop.context.layers;
  const exported = body.directives.export;
  const layers = [
    ...around,
    ...(exported === undefined ? [] : [context.unit.exportLayer(exported)]),
    `[${item.x},0]`,
    ...context.layers.slice(around.length),
    ...(layer === undefined ? [] : [`$${layer}`]),
  ];
  const inner: Context = {
    ...context,
    name: [...context.name, '^sub', { expr: item.n }],
    path: `${context.path}^sub`,
    layers,
    levels: layer === undefined ? context.levels : [...context.levels, { variable: layer }],
    known: withItem(knownWithin(context.known, exported ?? {}, stores), task, item.x, stores),
    unrepeatable: undefined,
  };
  const bare: Node = { ...withoutExport(body), name: '' };
  const { detached } = context.unit.program;
  if (detached.has(body)) detached.add(bare);
  const entry = loop.compileNode(inner, bare, back);
  return { ...entry, depth: Math.min(entry.depth, context.levels.length) };
}
