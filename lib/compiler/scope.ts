/**
 * What a construct sees and where it leads.
 *
 * A *frame* is the machine itself, a Parallel branch or a Map iteration: it may assign only variables of its own. In a frame,
 * *levels* are the layers that tasks may store into, innermost last; an *edge* leads to a state at some level, and
 * leaving levels merges their layers down. Everything a state needs before it starts is assigned on the edges into it.
 */
import { present } from '../asl/present.ts';
import type { State, Template } from '../asl/types.ts';
import type { Variable } from '../expression/lower.ts';
import { walk } from '../language/walk.ts';
import type { Mapping, Workflow } from '../language/workflow.ts';
import { type Expr, merge, template } from './jsonata.ts';
import type { Unit } from './unit.ts';

export interface Level {
  /** Variable that holds what was stored; absent where nothing below can store. */
  readonly variable?: string;
  /** Variable that holds what failed tries of a retried group stored. */
  readonly tries?: string;
  /** A frame of a single task: the layer is empty and has no variable yet. */
  readonly fresh?: true;
}

export interface Frame {
  readonly id: number;
  readonly states: { [name: string]: State };
  /** Variables of the latest and of the first failure, `{Error, Cause}`. */
  readonly latest: string;
  readonly first: string;
}

/** Where control goes. */
export interface Edge {
  /** A state of the frame, or the frame's end. */
  readonly to: string | undefined;
  /** The number of levels of the frame that are open at the target. */
  readonly depth: number;
  /** What the target needs assigned. */
  readonly assign: { readonly [variable: string]: Template };
  /** Set if the layers are not read any more, so that they are not merged. */
  readonly drop?: true;
}

/** Variables, by name or path (`range.from`), whose value is the same, known JSONata expression for every task here. */
export type Known = ReadonlyMap<string, Variable>;

/** What tasks of such a frame store ends up in one state with what parallel frames store. */
export interface Share {
  /** The number of layers that are not the frame's own. */
  readonly from: number;
  /** How many frames share. */
  readonly count: Expr;
}

export interface Context {
  readonly unit: Unit;
  readonly frame: Frame;
  /** Pieces of the full task name: text, or an expression inside loops. */
  readonly name: readonly (string | { readonly expr: Expr })[];
  /** The static part of the name, from which state names are made. */
  readonly path: string;
  /** Layers as expressions in wire form, near last. */
  readonly layers: readonly Expr[];
  readonly levels: readonly Level[];
  readonly onFail: Edge;
  /** A task's own `_retry` repeats only its own failures: where others lead (a bad template, a missing secret). */
  readonly unrepeatable?: Edge | undefined;
  /** Inside an `_error`: a failure does not replace the first one. */
  readonly handling: boolean;
  readonly env: Mapping;
  readonly secrets: Mapping;
  /** `mail:` of the enclosing `_export`s, as written: what a mail> has without saying it. */
  readonly mail: Mapping;
  /** Whether an enclosing node, or a parameter, may ask for Spot. */
  readonly spot: boolean;
  /** Folder of the workflow's file relative to the project, if it is not the project's root. */
  readonly workdir: string;
  /** Counters of the enclosing retried groups. */
  readonly tries: readonly Expr[];
  /** The enclosing frames that run at the same time as others, outermost first. */
  readonly shares: readonly Share[];
  /** Variables whose value has a known JSONata expression and type here. */
  readonly known: Known;
  /** Files on the way here by call>, to find recursion. */
  readonly calls: readonly string[];
}

/** The full task name as a template. */
export function taskName(context: Context): Template {
  const pieces: (string | { expr: Expr })[] = [];
  for (const piece of context.name) {
    if (piece === '') continue;
    const last = pieces.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') pieces[pieces.length - 1] = last + piece;
    else pieces.push(piece);
  }
  if (pieces.length === 1 && typeof pieces[0] === 'string') return pieces[0];
  const exprs = pieces.map((piece) => (typeof piece === 'string' ? JSON.stringify(piece) : piece.expr));
  return template(exprs.length <= 6 ? exprs.join('&') : `$join([${exprs.join(',')}])`);
}

export function childOf(context: Context, name: string): Context {
  return { ...context, name: [...context.name, name], path: context.path + name };
}

export function layerList(context: Context): Template {
  const { outerLayers } = context.unit;
  const own = `[${context.layers.join(',')}]`;
  return template(
    outerLayers === undefined ? own : context.layers.length === 0 ? outerLayers : `$append(${outerLayers},${own})`,
  );
}

/** The context within one of `count` frames side by side. */
export function sharing(context: Context, count: Expr): Context {
  if (count === '1') return context;
  return { ...context, shares: [...context.shares, { from: context.layers.length, count }] };
}

/** `[[from, count]…]` of the payload; undefined where nothing is shared. A nested machine got those outside it as `$W`. */
export function shareList(context: Context): Template | undefined {
  const { unit, shares } = context;
  const outer = unit.outerLayers === undefined ? '' : `$count(${unit.outerLayers})+`;
  const own = `[${shares.map(({ from, count }) => `[${outer}${from},${count}]`).join(',')}]`;
  if (unit.outerLayers !== undefined) return template(shares.length === 0 ? '$W' : `$append($W,${own})`);
  return shares.length === 0 ? undefined : template(own);
}

function opened(context: Context, edge: Edge): readonly Level[] {
  return context.levels.slice(edge.depth - 1).filter((level) => level.variable !== undefined || level.fresh);
}

function ref(level: Level): readonly Expr[] {
  if (level.variable === undefined) return [];
  return level.tries === undefined ? [`$${level.variable}`] : [`$${level.tries}`, `$${level.variable}`];
}

function emptied(levels: readonly Level[]): { [variable: string]: Template } {
  const assign: { [variable: string]: Template } = {};
  for (const level of levels) {
    if (level.variable !== undefined) assign[level.variable] = {};
    if (level.tries !== undefined) assign[level.tries] = {};
  }
  return assign;
}

/** The layer that is left, as an expression, with `stored` on top. */
function merged(levels: readonly Level[], stored: readonly Expr[]): Expr | undefined {
  const [target, ...rest] = levels;
  const own = target?.variable === undefined ? [] : [`$${target.variable}`];
  const all = [...own, ...rest.flatMap(ref), ...stored];
  return all.length === 0 ? undefined : merge(all);
}

/** Assign of an edge from a state that stores nothing itself. */
export function closing(context: Context, edge: Edge): { [variable: string]: Template } {
  const levels = opened(context, edge);
  if (edge.drop || levels.length <= 1) return {};
  const variable = levels[0]?.variable;
  if (variable === undefined) return {};
  return { [variable]: template(merged(levels, [])!), ...emptied(levels.slice(1)) };
}

export interface Leaving {
  readonly Assign?: { readonly [variable: string]: Template };
  readonly Output?: Template;
  readonly Next?: string;
  readonly End?: true;
}

/** The fields of a state that leaves by `edge` without having stored anything. `output` joins what the frame's end gives. */
export function leave(context: Context, edge: Edge, output: { readonly [key: string]: Template } = {}): Leaving {
  if (edge.to === undefined) {
    const stored = merged(opened(context, edge), []);
    return {
      Output: { ...present({ stored: stored === undefined ? undefined : template(stored) }), ...output },
      End: true,
    };
  }
  return going(edge.to, { ...closing(context, edge), ...edge.assign }, output);
}

/**
 * The same for a state whose answer, at `result`, has the task's stores. `m` tells the function how many of the last layers to
 * merge them upon; absent, it gives the bare stores and the merge is made here (where `tries` lie between the layers).
 */
export function leaveStoring(
  context: Context,
  edge: Edge,
  result: Expr,
): { readonly m?: number; readonly fields: Leaving } {
  if (edge.drop && edge.to !== undefined) return { fields: going(edge.to, edge.assign, {}) };
  const levels = opened(context, edge);
  const [target, ...rest] = levels;
  const simple = rest.every((level) => level.tries === undefined);
  const value = simple ? `${result}.s` : merged(levels, [`${result}.stored`])!;
  const m = simple ? { m: target?.fresh ? 0 : levels.length } : {};
  if (edge.to === undefined) {
    return { ...m, fields: { Output: { stored: template(value) }, End: true } };
  }
  const assign = target?.variable === undefined ? {} : { [target.variable]: template(value), ...emptied(rest) };
  return { ...m, fields: going(edge.to, { ...assign, ...edge.assign }, {}) };
}

/** The same for a state whose task's stores are the expression `stored`: nothing but the state itself can merge them. */
export function leaveWith(context: Context, edge: Edge, stored: Expr): Leaving {
  const levels = opened(context, edge);
  const [target, ...rest] = levels;
  const value = template(merged(levels, [stored]) ?? stored);
  if (edge.to === undefined) return { Output: { stored: value }, End: true };
  const assign = target?.variable === undefined ? {} : { [target.variable]: value, ...emptied(rest) };
  return going(edge.to, { ...assign, ...edge.assign }, {});
}

/** The Assign of a state; a state that assigns nothing has none. */
export function assigned<V>(assign: { readonly [variable: string]: V }): {
  readonly Assign?: { readonly [variable: string]: V };
} {
  return Object.keys(assign).length === 0 ? {} : { Assign: assign };
}

function going(
  to: string,
  assign: { readonly [variable: string]: Template },
  output: { readonly [key: string]: Template },
): Leaving {
  return { ...assigned(assign), Output: output, Next: to };
}

const handled = new WeakMap<ReadonlyMap<string, Workflow>, boolean>();

/** Whether any workflow has an `_error`: call>, and the parts of a machine, share failures. */
function handles(workflows: ReadonlyMap<string, Workflow>): boolean {
  const known = handled.get(workflows);
  if (known !== undefined) return known;
  const found = [...workflows.values()].some(({ root }) => [...walk(root)].some(({ directives }) => directives.error));
  handled.set(workflows, found);
  return found;
}

/** A failure as handlers' layers hold it: with the name of the task that failed. */
export function failureOfTask(context: Context, failure: Expr): Expr {
  // Without a handler, nobody reads the name, so it is left out and states stay small.
  if (!handles(context.unit.program.workflows)) return failure;
  const name = String(taskName(context));
  const expr = name.startsWith('{%') ? name.slice(2, -2).trim() : JSON.stringify(name);
  return `$merge([${failure},{"Task":${expr}}])`;
}

/** Assign and Next of a Catch or a failing Choice rule; `failure` gives `{Error, Cause}`. */
export function failing(
  context: Context,
  edge: Edge,
  latest: Expr,
  first: Expr = latest,
): { readonly Assign: { readonly [variable: string]: Template }; readonly Next: string } {
  const { frame } = context;
  return {
    Assign: {
      [frame.latest]: template(latest),
      ...(!context.handling && { [frame.first]: template(first) }),
      ...closing(context, edge),
      ...edge.assign,
    },
    Next: edge.to!,
  };
}
