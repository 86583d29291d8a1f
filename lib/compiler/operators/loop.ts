import type { Json, State, Template } from '../../asl/types.ts';
import type { LoopItem } from '../../expression/wire.ts';
import type { Node, Task } from '../../language/workflow.ts';
import { withoutExport } from '../effects.ts';
import { answerOfFrame } from '../failures.ts';
import { compileFrame, put } from '../frame.ts';
import { gatherRules } from '../gather.ts';
import { type Expr, template } from '../jsonata.ts';
import { knownWithin, withItem } from '../known.ts';
import type { CompileNode, CompileOperator } from '../operator.ts';
import { compileBranches, isPlain, join, putChoice, putRules } from '../parallel.ts';
import { type Context, closing, type Edge, failing, sharing } from '../scope.ts';
import { compilePart, type Nested, nestedMachine, partName, startNested } from '../split.ts';
import { evaluateState } from './evaluate.ts';
import { ending } from './if.ts';
import {
  dynamicItems,
  fieldsOf,
  type Item,
  type Items,
  literalItems,
  literalIterations,
  pageItems,
  runs,
  SEARCHED,
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
  if (slices?.counted !== undefined) {
    const variable = `it${unit.next()}`;
    const loop = new Loop(context, task, body, stores, dynamicItems(task, variable), compileNode);
    const entry = loop.asMany(exit, `$${variable}`, slices.counted.inPlace);
    const assign = {
      [variable]: '$states.result.Payload.items',
      ...(task.parallel.kind === 'expression' ? { [`${variable}w`]: '$states.result.Payload.parallel' } : {}),
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
    const loop = new Loop(at, how, body, stores, items, compileNode);
    return slices === undefined ? loop.whole(end) : loop.inSlices(end, Math.min(slices.size, items.most));
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
  whole(exit: Edge, width: Expr = '0'): Edge {
    const { parallel } = this.#task;
    switch (parallel.kind) {
      case 'sequential':
        return this.sequential(exit);
      case 'parallel':
        return this.parallel(exit);
      case 'limit':
        return this.chunks(exit, String(parallel.limit));
      case 'expression': {
        const wide = `(${width}<0?$max([1,${this.items.count}]):${width})`;
        // The body stands twice, under other state names.
        return this.#choose(`${width}=0`, this.sequential(exit), this.chunks(exit, wide));
      }
    }
  }

  /**
   * A written loop too long for one history: nested machines run slices of it. Where a slice holds whole chunks, slices run one after the other;
   * else each chunk is cut into slices side by side.
   */
  inSlices(exit: Edge, size: number): Edge {
    const { parallel } = this.#task;
    switch (parallel.kind) {
      case 'parallel':
        return { ...this.#slicesAtOnce(exit, size, this.items), assign: this.items.assign };
      case 'limit': {
        const { limit } = parallel;
        return limit <= size
          ? this.#slicesInSequence(exit, String(size - (size % limit)), String(limit))
          : this.chunks(exit, String(limit), size);
      }
      default:
        return this.#slicesInSequence(exit, String(size));
    }
  }

  /**
   * A loop whose iterations `evaluate` has counted: few run here. Of more it has made pages (lib/expression/wire.ts), and one nested machine runs
   * any of these: a page of iterations as the loop that they are, a page of pages by starting itself for each.
   */
  asMany(exit: Edge, variable: Expr, few: number): Edge {
    const context = this.#context;
    const width = `${variable}w`;
    const nested = this.#pages();
    const start = context.unit.stateName(`${context.path}^part`);
    const stored = this.#stores ? '$states.result.Output.stored' : undefined;
    put(context, start, {
      ...startNested(context, nested, { items: template(`${variable}.page`), ...this.#width(width) }),
      ...join(context, nested.canFail, stored, exit, '$states.result.Output'),
    } as State);
    const many: Edge = { to: start, depth: context.levels.length, assign: {} };
    return this.#choose(`$exists(${variable}.page)`, many, few < 1 ? exit : this.whole(exit, width));
  }

  #width(width: Expr): { readonly w?: Template } {
    return this.#task.parallel.kind === 'expression' ? { w: template(width) } : {};
  }

  #pages(): Nested {
    const { unit, path } = this.#context;
    const name = partName(unit.program);
    const nested: Nested = { name, canFail: true };
    const body = (inner: Context, end: Edge): Edge => {
      const variable = `it${inner.unit.next()}`;
      const items = pageItems(variable);
      const loop = new Loop(inner, this.#task, this.#body, this.#stores, items, this.#compileNode);
      return evaluateState(
        inner,
        this.#task,
        'page',
        loop.#page(nested, variable, end),
        { [variable]: '$states.result.Payload.of' },
        '^page',
        {
          l: [],
          k: { page: '{% $items %}' },
        },
      );
    };
    nestedMachine(this.#context, `${path}^slice`, this.#stores, body, { name });
    return nested;
  }

  /** What is on a page, as `evaluate` has just read it. */
  #page(nested: Nested, variable: string, exit: Edge): Edge {
    const context = this.#context;
    const { kind } = this.#task.parallel;
    const choice = context.unit.stateName(`${context.path}^how`);
    const rules: [Expr, Edge][] = [];
    if (kind !== 'parallel') rules.push(['sequence', this.#pagesInSequence(nested, `$${variable}`, exit)]);
    if (kind !== 'sequential') rules.push(['together', this.#pagesAtOnce(nested, `$${variable}`, exit)]);
    const leaf = this.whole(exit, '$w');
    const edges = rules.map(([how, edge]) => {
      const to = ending(context, edge);
      const condition = template(`$states.input.how="${how}"`);
      return { Condition: condition, Assign: { ...closing(context, to), ...to.assign }, Output: {}, Next: to.to };
    });
    const to = ending(context, leaf);
    const assign = { ...closing(context, to), ...to.assign };
    put(context, choice, { Type: 'Choice', Choices: edges, Default: to.to, Assign: assign, Output: {} } as State);
    return { to: choice, depth: context.levels.length, assign: {} };
  }

  #pagesInSequence(nested: Nested, pages: Expr, exit: Edge): Edge {
    const context = this.#context;
    const { unit } = context;
    const index = `i${unit.next()}`;
    const name = unit.stateName(`${context.path}^slices`);
    const start = unit.stateName(`${context.path}^part`);
    const back: Edge = { to: name, depth: context.levels.length, assign: {} };
    const stored = this.#stores ? '$states.result.Output.stored' : undefined;
    put(context, start, {
      ...startNested(context, nested, { items: template(`${pages}[$${index}]`), ...this.#width('$w') }),
      ...join(context, nested.canFail, stored, back, '$states.result.Output'),
    } as State);
    const rule = { Assign: { [index]: template(`$${index}+1`) }, Next: start };
    putChoice(context, name, template(`$${index}+1<$count(${pages})`), rule, exit);
    return { to: name, depth: context.levels.length, assign: { [index]: -1 } };
  }

  #pagesAtOnce(nested: Nested, pages: Expr, exit: Edge): Edge {
    const input = { items: '{% $states.input %}', ...this.#width('$w') };
    return this.#partsAtOnce(nested, template(`[${pages}]`), `$count(${pages})`, input, exit);
  }

  #choose(condition: Expr, yes: Edge, no: Edge): Edge {
    const context = this.#context;
    const choice = context.unit.stateName(`${context.path}^how`);
    const edge = ending(context, yes);
    const rule = { Assign: { ...closing(context, edge), ...edge.assign }, Next: edge.to };
    putChoice(context, choice, template(condition), rule, no);
    return { to: choice, depth: context.levels.length, assign: {} };
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
    // What iterations store comes together here, whatever their last state is.
    const gathering = this.#stores ? gatherRules(context, choice) : [];
    const condition = template(`$${index}<${this.items.count}-1`);
    putRules(context, choice, [...gathering, { Condition: condition, Output: {}, ...rule }], exit);
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
    const nested = this.#slice((slice, end) => slice.parallel(end));
    const count = `$ceil(${of.count}/${size})`;
    const input = { items: template(of.part('$states.input', String(size)).handed) };
    return this.#partsAtOnce(nested, template(`[0..${count}-1]`), count, input, exit);
  }

  /** A Map that starts a nested machine for each of `items`, which is its state's input. */
  #partsAtOnce(
    nested: Nested,
    items: Template,
    count: Expr,
    input: { readonly [key: string]: Template },
    exit: Edge,
  ): Edge {
    const context = this.#context;
    const { unit } = context;
    const name = unit.stateName(`${context.path}^slices`);
    const options = { stores: this.#stores, single: true, item: true, beside: count };
    const within = this.#stores ? sharing(context, count) : context;
    const frame = compileFrame(within, name, options, (inner) => {
      const start = unit.stateName(`${context.path}^part`);
      const answer = { ...catchAll(inner), Output: template(answerOfFrame('$states.result.Output', count)), End: true };
      put(inner, start, { ...startNested(inner, nested, input), ...answer } as State);
      return { to: start, depth: 1, assign: {} };
    });
    put(context, name, {
      Type: 'Map',
      Items: items,
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
    const single = isPlain(this.#body, context.unit.program);
    const options = { stores: this.#stores, single, item: true, beside: count };
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
