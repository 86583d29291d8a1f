import type { State, Template } from '../../asl/types.ts';
import type { LoopItem } from '../../expression/wire.ts';
import type { Node, Task } from '../../language/workflow.ts';
import { withoutExport } from '../effects.ts';
import { compileFrame, put } from '../frame.ts';
import { type Expr, template } from '../jsonata.ts';
import { knownWithin, withItem } from '../known.ts';
import type { CompileNode, CompileOperator } from '../operator.ts';
import { compileBranches, isPlain, join, putChoice } from '../parallel.ts';
import { type Context, closing, type Edge, failing, sharing } from '../scope.ts';
import { compilePart, type Nested, nestedMachine, startNested } from '../split.ts';
import { evaluateState } from './evaluate.ts';
import { ending } from './if.ts';
import {
  dynamicItems,
  fieldsOf,
  type Item,
  type Items,
  isDynamic,
  literalItems,
  literalIterations,
  runs,
} from './loop-items.ts';

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
  const loopOf = (at: Context, items: Items, variable: string, how: Task, end: Edge): Edge => {
    const loop = new Loop(at, how, body, stores, items, compileNode);
    const width = `$${variable}w`;
    if (slices === undefined) return loop.whole(end, width);
    const size = Math.min(slices.size, items.most);
    return slices.inPlace === undefined
      ? loop.inSlices(end, size, width)
      : loop.asMany(end, slices.inPlace, size, width);
  };
  if (isDynamic(task)) {
    const variable = `it${unit.next()}`;
    const entry = loopOf(context, dynamicItems(task, variable), variable, task, exit);
    return evaluateState(context, task, task.operator, ending(context, entry), {
      [variable]: '$states.result.Payload.items',
      ...(task.parallel.kind === 'expression' ? { [`${variable}w`]: '$states.result.Payload.parallel' } : {}),
    });
  }
  const run = (at: Context, iterations: readonly LoopItem[], how: Task, end: Edge): Edge => {
    const variable = `it${at.unit.next()}`;
    return loopOf(at, literalItems(how, iterations, variable), variable, how, end);
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

function catchAll(context: Context): object {
  return { Catch: [{ ErrorEquals: ['States.ALL'], ...failing(context, context.onFail, '$states.errorOutput') }] };
}

class Loop {
  readonly items: Items;
  readonly #context: Context;
  readonly #task: Task;
  readonly #body: Node;
  readonly #stores: boolean;
  readonly #compileNode: CompileNode;

  constructor(context: Context, task: Task, body: Node, stores: boolean, items: Items, compileNode: CompileNode) {
    this.#context = context;
    this.#task = task;
    this.#body = body;
    this.#stores = stores;
    this.items = items;
    this.#compileNode = compileNode;
  }

  /** In one machine. `width` gives an expression's `_parallel`: 0 in sequence, -1 all at once, N in chunks. */
  whole(exit: Edge, width: Expr): Edge {
    const { parallel } = this.#task;
    switch (parallel.kind) {
      case 'sequential':
        return this.sequential(exit);
      case 'parallel':
        return this.parallel(exit);
      case 'limit':
        return this.chunks(exit, String(parallel.limit));
      case 'expression':
        // The body stands twice, under other state names.
        return this.#choose(`${width}=0`, this.sequential(exit), this.chunks(exit, this.#wide(width)));
    }
  }

  /**
   * A loop too long for one history: nested machines run slices of it. Where a slice holds whole chunks, slices run one after the other;
   * else each chunk is cut into slices side by side.
   */
  inSlices(exit: Edge, size: number, width: Expr): Edge {
    const { parallel } = this.#task;
    switch (parallel.kind) {
      case 'sequential':
        return this.#slicesInSequence(exit, String(size));
      case 'parallel':
        return { ...this.#slicesAtOnce(exit, size, this.items), assign: this.items.assign };
      case 'limit': {
        const { limit } = parallel;
        return limit <= size
          ? this.#slicesInSequence(exit, String(size - (size % limit)), String(limit))
          : this.chunks(exit, String(limit), size);
      }
      case 'expression': {
        const chunk = `$max([1,${width}])`;
        const few = this.#slicesInSequence(exit, `(${size}-${size}%${chunk})`, chunk);
        return this.#choose(`${width}>=0 and ${width}<=${size}`, few, this.chunks(exit, this.#wide(width), size));
      }
    }
  }

  /** A loop whose iterations are counted when it starts: `few` run here, more in slices. */
  asMany(exit: Edge, few: number, size: number, width: Expr): Edge {
    const sliced = this.inSlices(exit, size, width);
    return few < 1 ? sliced : this.#choose(`${this.items.count}<=${few}`, this.whole(exit, width), sliced);
  }

  #choose(condition: Expr, yes: Edge, no: Edge): Edge {
    const context = this.#context;
    const choice = context.unit.stateName(`${context.path}^how`);
    const edge = ending(context, yes);
    const rule = { Assign: { ...closing(context, edge), ...edge.assign }, Next: edge.to };
    putChoice(context, choice, template(condition), rule, no);
    return { to: choice, depth: context.levels.length, assign: {} };
  }

  #wide(width: Expr): Expr {
    return `(${width}<0?$max([1,${this.items.count}]):${width})`;
  }

  sequential(exit: Edge): Edge {
    const context = this.#context;
    const { unit } = context;
    const id = unit.next();
    const index = `i${id}`;
    const layer = this.#stores ? `s${id}` : undefined;
    const choice = unit.stateName(`${context.path}^loop`);
    const back: Edge = { to: choice, depth: context.levels.length, assign: {} };
    const { at, pick } = this.items;
    const item = pick === undefined ? at(`$${index}`) : fieldsOf(`$c${id}`);
    const entry = this.#iteration(context, item, layer, back);
    const rule = {
      Assign: {
        [index]: template(`$${index}+1`),
        ...(pick === undefined ? {} : { [`c${id}`]: template(pick(`$${index}+1`)) }),
        ...(layer === undefined ? {} : { [layer]: {} }),
        ...entry.assign,
      },
      Next: entry.to ?? choice,
    };
    putChoice(context, choice, template(`$${index}<${this.items.count}-1`), rule, exit);
    return { to: choice, depth: context.levels.length, assign: { ...this.items.assign, [index]: -1 } };
  }

  /** Each slice in sequence, or in chunks of `chunk`. */
  #slicesInSequence(exit: Edge, size: Expr, chunk?: Expr): Edge {
    const context = this.#context;
    const { unit } = context;
    const nested = this.#slice((slice, end) => (chunk === undefined ? slice.sequential(end) : slice.chunks(end, '$w')));
    const index = `i${unit.next()}`;
    const name = unit.stateName(`${context.path}^slices`);
    const start = unit.stateName(`${context.path}^part`);
    const back: Edge = { to: name, depth: context.levels.length, assign: {} };
    const stored = this.#stores ? '$states.result.Output.stored' : undefined;
    put(context, start, {
      ...startNested(context, nested, {
        items: template(this.items.part(`$${index}`, size).handed),
        ...(chunk === undefined ? {} : { w: template(chunk) }),
      }),
      ...join(context, nested.canFail, stored, back, '$states.result.Output'),
    } as State);
    const rule = { Assign: { [index]: template(`$${index}+1`) }, Next: start };
    putChoice(context, name, template(`($${index}+1)*${size}<${this.items.count}`), rule, exit);
    return { to: name, depth: context.levels.length, assign: { ...this.items.assign, [index]: -1 } };
  }

  #slicesAtOnce(exit: Edge, size: number, of: Items): Edge {
    const context = this.#context;
    const { unit } = context;
    const nested = this.#slice((slice, end) => slice.parallel(end));
    const name = unit.stateName(`${context.path}^slices`);
    const options = { stores: this.#stores, single: true, item: true };
    const within = this.#stores ? sharing(context, `$ceil(${of.count}/${size})`) : context;
    const frame = compileFrame(within, name, options, (inner) => {
      const start = unit.stateName(`${context.path}^part`);
      const items = template(of.part('$states.input', String(size)).handed);
      const answer = { ...catchAll(inner), Output: '{% $states.result.Output %}', End: true };
      put(inner, start, { ...startNested(inner, nested, { items }), ...answer } as State);
      return { to: start, depth: 1, assign: {} };
    });
    put(context, name, {
      Type: 'Map',
      Items: template(`[0..$ceil(${of.count}/${size})-1]`),
      ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...frame.processor },
      ...join(context, frame.canFail || nested.canFail, this.#stores ? '$states.result.stored' : undefined, exit),
    } as State);
    return { to: name, depth: context.levels.length, assign: {} };
  }

  #slice(run: (slice: Loop, end: Edge) => Edge): Nested {
    return nestedMachine(this.#context, `${this.#context.path}^slice`, this.#stores, (inner, end) =>
      run(new Loop(inner, this.#task, this.#body, this.#stores, this.items.received(), this.#compileNode), end),
    );
  }

  parallel(exit: Edge): Edge {
    const entry = this.#map(exit, this.items.all, this.items.count);
    // Items that stand in the state itself need no variable.
    return typeof this.items.all === 'string' ? { ...entry, assign: { ...this.items.assign, ...entry.assign } } : entry;
  }

  /** A chunk sees what the chunks before it stored, and starts only if none of them failed: MaxConcurrency would give neither. */
  chunks(exit: Edge, size: Expr, slices?: number): Edge {
    const context = this.#context;
    const { unit } = context;
    const index = `i${unit.next()}`;
    const choice = unit.stateName(`${context.path}^loop`);
    const chunk = this.items.part(`$${index}`, size);
    const back: Edge = { to: choice, depth: context.levels.length, assign: {} };
    const map = slices === undefined ? this.#map(back, chunk.all, size) : this.#slicesAtOnce(back, slices, chunk);
    const rule = { Assign: { [index]: template(`$${index}+1`), ...map.assign }, Next: map.to! };
    putChoice(context, choice, template(`($${index}+1)*${size}<${this.items.count}`), rule, exit);
    return { to: choice, depth: context.levels.length, assign: { ...this.items.assign, [index]: -1 } };
  }

  /** @param count how many at the most */
  #map(exit: Edge, items: Template, count: Expr): Edge {
    const context = this.#context;
    const name = context.unit.stateName(`${context.path}^map`);
    const options = { stores: this.#stores, single: isPlain(this.#body, context.unit.program), item: true };
    const within = this.#stores ? sharing(context, count) : context;
    const frame = compileFrame(within, `${context.path}^sub`, options, (inner, item) =>
      this.#iteration(inner, fieldsOf(item), undefined, { to: undefined, depth: 1, assign: {} }),
    );
    put(context, name, {
      Type: 'Map',
      Items: items,
      ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...frame.processor },
      ...join(context, frame.canFail, this.#stores ? '$states.result.stored' : undefined, exit),
    } as State);
    return { to: name, depth: context.levels.length, assign: {} };
  }

  /**
   * The body as a level of its own. Layers: around it, the body's own `_export`, the item, then what the iteration stores: a loop
   * variable beats an `_export` of the body.
   */
  #iteration(context: Context, item: Item, layer: string | undefined, back: Edge): Edge {
    const body = this.#body;
    const exported = body.directives.export;
    const own = context.layers.slice(this.#context.layers.length);
    const layers = [
      ...this.#context.layers,
      ...(exported === undefined ? [] : [context.unit.exportLayer(exported)]),
      `[${item.x},0]`,
      ...own,
      ...(layer === undefined ? [] : [`$${layer}`]),
    ];
    const inner: Context = {
      ...context,
      name: [...context.name, '^sub', { expr: item.n }],
      path: `${context.path}^sub`,
      layers,
      levels: layer === undefined ? context.levels : [...context.levels, { variable: layer }],
      known: withItem(knownWithin(context.known, exported ?? {}, this.#stores), this.#task, item.x, this.#stores),
      unrepeatable: undefined,
    };
    const bare: Node = { ...withoutExport(body), name: '' };
    const { detached } = context.unit.program;
    if (detached.has(body)) detached.add(bare);
    const entry = this.#compileNode(inner, bare, back);
    return { ...entry, depth: Math.min(entry.depth, context.levels.length) };
  }
}
