/** A written loop too long for one history: nested machines run slices of it. */
import { present } from '../../asl/present.ts';
import type { State, Template } from '../../asl/types.ts';
import { answerOfFrame } from '../failures.ts';
import { compileFrame, put } from '../frame.ts';
import { type Expr, template } from '../jsonata.ts';
import { join } from '../parallel.ts';
import { type Context, type Edge, failing, sharing } from '../scope.ts';
import { type Nested, nestedMachine, startNested } from '../split.ts';
import type { Items } from './loop-items.ts';
import { at, atOnce, inChunks, inSequence, type Loop, repeat } from './loop-rounds.ts';

/** Where a slice holds whole chunks, slices run one after the other; else each chunk is cut into slices side by side. */
export function inSlices(loop: Loop, exit: Edge, size: number): Edge {
  const { items, task } = loop;
  const { parallel } = task;
  switch (parallel.kind) {
    case 'parallel':
      return { ...slicesAtOnce(loop, exit, size, items), assign: items.assign };
    case 'limit': {
      const { limit } = parallel;
      return limit <= size
        ? slicesInSequence(loop, exit, String(size - (size % limit)), String(limit))
        : inChunks(loop, exit, String(limit), (chunk, back) => slicesAtOnce(loop, back, size, chunk));
    }
    default:
      return slicesInSequence(loop, exit, String(size));
  }
}

/** Each slice in sequence, or in chunks of `chunk`. */
function slicesInSequence(loop: Loop, exit: Edge, size: Expr, chunk?: Expr): Edge {
  const { items } = loop;
  const nested = sliceMachine(loop, (slice, end) =>
    chunk === undefined ? inSequence(slice, end) : inChunks(slice, end, '$w'),
  );
  const input = (index: Expr) => ({
    items: template(items.part(index, size).handed),
    ...present({ w: chunk === undefined ? undefined : template(chunk) }),
  });
  return partsInSequence(loop, nested, (index) => `(${index}+1)*${size}<${items.count}`, input, exit, items.assign);
}

function slicesAtOnce(loop: Loop, exit: Edge, size: number, of: Items): Edge {
  const nested = sliceMachine(loop, atOnce);
  const count = `$ceil(${of.count}/${size})`;
  const input = { items: template(of.part('$states.input', String(size)).handed) };
  return partsAtOnce(loop, nested, template(`[0..${count}-1]`), count, input, exit);
}

function sliceMachine(loop: Loop, run: (slice: Loop, end: Edge) => Edge): Nested {
  const { context, stores, items } = loop;
  return nestedMachine(context, `${context.path}^slice`, stores, (inner, end) =>
    run({ ...loop, context: inner, items: items.received() }, end),
  );
}

type Input = { readonly [key: string]: Template };

/**
 * Starts a nested machine again and again.
 * @param more whether one is left, by the index of the one before
 */
export function partsInSequence(
  loop: Loop,
  nested: Nested,
  more: (index: Expr) => Expr,
  input: (index: Expr) => Input,
  exit: Edge,
  assign: Input = {},
): Edge {
  const { context } = loop;
  const round = ({ index, back }: { readonly index: string; readonly back: Edge }) => ({
    condition: more(`$${index}`),
    entry: onePart(loop, nested, input(`$${index}`), back),
  });
  return repeat(context, '^slices', round, exit, assign);
}

/** A state that runs a nested machine. */
export function onePart({ context, stores }: Loop, nested: Nested, input: Input, exit: Edge): Edge {
  const start = context.unit.stateName(`${context.path}^part`);
  put(context, start, {
    ...startNested(context, start, nested, input),
    ...join(
      context,
      nested.canFail,
      stores ? '$states.result.Output.stored' : undefined,
      exit,
      '$states.result.Output',
    ),
  } as State);
  return at(context, start);
}

/** A Map that starts a nested machine for each of `items`, which is its state's input. */
export function partsAtOnce(
  { context, stores }: Loop,
  nested: Nested,
  items: Template,
  count: Expr,
  input: Input,
  exit: Edge,
): Edge {
  const { unit } = context;
  const name = unit.stateName(`${context.path}^slices`);
  const within = stores ? sharing(context, count) : context;
  const frame = compileFrame(within, name, { stores, single: true, item: true, beside: count }, (inner) => {
    const start = unit.stateName(`${context.path}^part`);
    const answer = { ...catchAll(inner), Output: template(answerOfFrame('$states.result.Output', count)), End: true };
    put(inner, start, { ...startNested(inner, start, nested, input), ...answer } as State);
    return { to: start, depth: 1, assign: {} };
  });
  put(context, name, {
    Type: 'Map',
    Items: items,
    ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...frame.processor },
    ...join(context, frame.canFail || nested.canFail, stores ? '$states.result.stored' : undefined, exit),
  } as State);
  return at(context, name);
}

function catchAll(context: Context): object {
  return { Catch: [{ ErrorEquals: ['States.ALL'], ...failing(context, context.onFail, '$states.errorOutput') }] };
}
