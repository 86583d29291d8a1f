import { present } from '../asl/present.ts';
import type { Processor, State, Template } from '../asl/types.ts';
import { failureOfFrame } from './failures.ts';
import { type Expr, template } from './jsonata.ts';
import { type Context, type Edge, type Frame, leave } from './scope.ts';

export interface CompiledFrame {
  readonly processor: Processor;
  readonly canFail: boolean;
}

export interface FrameOptions {
  /** Whether anything inside may store. If not, the frame has no layer. */
  readonly stores: boolean;
  /** The body is one plain state: it opens the frame itself, with an empty layer. */
  readonly single: boolean;
  /** The number of such frames that end in one state. Default: 1. */
  readonly beside?: Expr;
  /** Map: the frame's input is an item `{n, x}` that the body sees. Its expression is handed to `body`. */
  readonly item?: boolean;
}

/** Adds the state `name` to the frame under construction. */
export function put(context: Context, name: string, state: State): void {
  context.frame.states[name] = state;
}

/**
 * A Parallel branch or Map iteration. It always succeeds, with `{stored, failure?: {f, o}}`: a failed branch must not cancel
 * its siblings, and what it stored counts.
 */
export function compileFrame(
  context: Context,
  path: string,
  options: FrameOptions,
  body: (inner: Context, item: Expr) => Edge,
): CompiledFrame {
  const { unit } = context;
  const id = unit.next();
  const frame: Frame = { id, states: {}, latest: `f${id}`, first: `o${id}` };
  const layer = options.stores && !options.single ? `s${id}` : undefined;
  const failed = unit.stateName(`${path}^failed`);
  let canFail = false;
  const onFail: Edge = {
    get to() {
      canFail = true;
      return failed;
    },
    depth: 1,
    assign: {},
  };
  const item: Expr = options.single ? '$states.input' : `$i${id}`;
  const inner: Context = {
    ...context,
    frame,
    layers: layer === undefined ? context.layers : [...context.layers, `$${layer}`],
    levels: [
      {
        ...present({ variable: layer }),
        ...(options.single && options.stores && { fresh: true }),
      },
    ],
    onFail,
    handling: false,
  };
  const entry = body(inner, item);
  const opening: { [variable: string]: Template } = {
    ...(layer !== undefined && { [layer]: {} }),
    ...(options.item && !options.single && { [`i${id}`]: template('$states.input') }),
    ...entry.assign,
  };
  let start = entry.to;
  if (start === undefined || Object.keys(opening).length > 0) {
    const first = unit.stateName(`${path}^start`);
    frame.states[first] =
      start === undefined
        ? { Type: 'Pass', Output: { stored: {} }, End: true }
        : { Type: 'Pass', Assign: opening, Output: options.item ? template('$states.input') : {}, Next: start };
    start = first;
  }
  if (canFail) {
    const said = failureOfFrame(`$${frame.latest}`, `$${frame.first}`, options.beside ?? '1');
    const failure = { failure: template(said) };
    frame.states[failed] = { Type: 'Pass', ...leave(inner, { to: undefined, depth: 1, assign: {} }, failure) } as State;
  }
  return { processor: { StartAt: start, States: frame.states }, canFail };
}
