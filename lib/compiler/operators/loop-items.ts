/** The iterations of a loop as expressions: how many, which is the k-th, and the slices that nested machines run. */

import { LIMITS } from '../../asl/limits.ts';
import type { Json, Template } from '../../asl/types.ts';
import type { LoopItem } from '../../contract/payload.ts';
import { loopItems } from '../../expression/items.ts';
import { loopOver } from '../../language/operators.ts';
import type { Task } from '../../language/workflow.ts';
import { type Expr, literal, template } from '../jsonata.ts';
import type { Unit } from '../unit.ts';

/** More iterations than this are counted, not listed, in the definition. */
const LISTED = 100;

/** Bytes of listed iterations that one machine holds, in one of its variables. */
const HELD = 0.75 * LIMITS.payloadBytes;
/** Bytes of listed iterations in the input of a nested machine, which also has the layers. */
const HANDED = 0.25 * LIMITS.payloadBytes;

/** Longer lists are cut into slices: finding each of their iterations takes time in proportion. */
export const SEARCHED = 200;

/** JSONata gives integers up to here all their digits. */
const EXACT = 1e15;

/** One iteration: its name part, and what the body sees. */
export interface Item {
  readonly n: Expr;
  readonly x: Expr;
}

/** Where the iterations come from. */
export interface Items {
  readonly count: Expr;
  /** The iteration whose index is the expression. */
  readonly at: (index: Expr) => Item;
  /** The same as a value, where finding it takes time: JSONata looks through a list for a computed place. */
  readonly pick?: (index: Expr) => Expr;
  /** A field's value giving all. */
  readonly all: Template;
  /** Variable that must hold the items before the loop starts, and what it is assigned. */
  readonly assign: { readonly [variable: string]: Template };
  /** The `index`-th of the parts that are `size` long. */
  readonly part: (index: Expr, size: Expr) => Items;
  /** What a nested machine is given, and how it finds the iterations in `$items`. */
  readonly handed: Expr;
  readonly received: () => Items;
  /** Iterations that a nested machine can be given. */
  readonly most: number;
}

/** As `evaluate` has counted them: few, of loop> only their number. */
export function dynamicItems(task: Task, variable: string): Items {
  return loopOver(task.operator) === 'count' ? counted(`$${variable}`, round) : listed(`$${variable}`);
}

/** Those of a page. */
export function pageItems(variable: string): Items {
  return listed(`$${variable}`);
}

/** The iterations of a literal loop; none, and a diagnostic, if its value is no good. */
export function literalIterations(unit: Unit, task: Task): readonly LoopItem[] {
  const made = loopItems(task.operator, task.keys);
  if (made.ok) return made.value;
  unit.report('bad-value', 'error', task.spans[`${task.operator}>`] ?? task.span, made.message);
  return [];
}

export function literalItems(task: Task, iterations: readonly LoopItem[], variable: string): Items {
  if (loopOver(task.operator) === 'count') return counted(String(iterations.length), round);
  const computed = iterations.length > LISTED && loopOver(task.operator) === 'range' ? rangeOf(iterations) : undefined;
  if (computed !== undefined) return counted(String(iterations.length), computed);
  const value = literal(iterations as Json);
  const list = listed(`$${variable}`);
  const largest = iterations.reduce((most, item) => Math.max(most, bytesOf(item)), 1);
  return {
    ...list,
    count: String(iterations.length),
    all: iterations.length > LISTED ? list.all : value,
    assign: { [variable]: value },
    most: Math.max(1, Math.min(SEARCHED, Math.floor(HANDED / largest))),
  };
}

/**
 * A list too long for one machine, cut into runs that are not, each a multiple of `unit` long; a unit that is too long itself stays one.
 * One run if it fits, or need not be listed.
 */
export function runs(task: Task, iterations: readonly LoopItem[], unit: number): (readonly LoopItem[])[] {
  if (loopOver(task.operator) !== 'lists') return [iterations];
  const found: LoopItem[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (let from = 0; from < iterations.length; from += unit) {
    const next = iterations.slice(from, from + unit);
    const bytes = next.reduce((sum, item) => sum + bytesOf(item) + 1, 0);
    held += bytes;
    if (held <= HELD) {
      found.at(-1)?.push(...next);
    } else {
      found.push(next);
      held = bytes;
    }
  }
  return found.length === 0 ? [iterations] : found;
}

function bytesOf(item: LoopItem): number {
  return Buffer.byteLength(JSON.stringify(item));
}

/** Iterations as a list that the expression gives. */
function listed(list: Expr): Items {
  const pick = (index: Expr): Expr => `${list}[${index}]`;
  return {
    count: `$count(${list})`,
    at: (index) => fieldsOf(pick(index)),
    pick,
    all: template(`[${list}]`),
    assign: {},
    part: (index, size) => listed(`$partition(${list},${size})[${index}]`),
    handed: `[${list}]`,
    received: () => listed('$items'),
    most: SEARCHED,
  };
}

/** Iterations that are made from their index; `from` is the first one's. */
function counted(count: Expr, make: (index: Expr) => Item, from?: Expr): Items {
  const at = (index: Expr): Item => make(from === undefined ? index : `(${from}+${index})`);
  const first = (index: Expr, size: Expr): Expr => `${from === undefined ? '' : `${from}+`}${index}*${size}`;
  return {
    count,
    at,
    all: template(`[$map([0..${count}-1],function($i){${itemOf(at('$i'))}})]`),
    assign: {},
    part: (index, size) => counted(`$min([${size},${count}-${index}*${size}])`, make, first(index, size)),
    handed: `{"from":${from ?? 0},"count":${count}}`,
    received: () => counted('$items.count', make, '$items.from'),
    most: Number.POSITIVE_INFINITY,
  };
}

function round(index: Expr): Item {
  return { n: `"+loop-"&$string(${index})`, x: `{"i":${index}}` };
}

/** for_range> from its first and last iteration. */
function rangeOf(iterations: readonly LoopItem[]): ((index: Expr) => Item) | undefined {
  const range = (place: number): { from: number; to: number } => iterations.at(place)?.x.range as never;
  const { from, to: next } = range(0);
  const { to } = range(-1);
  if (Math.abs(from) > EXACT || Math.abs(to) > EXACT) return undefined;
  return (index) => {
    const start = `(${from}+${index}*${next - from})`;
    const end = `$min([${start}+${next - from},${to}])`;
    return {
      n: `"+range-from="&$string${start}&"&to="&$string(${end})`,
      x: `{"range":{"from":${start},"to":${end},"index":${index}}}`,
    };
  };
}

export function fieldsOf(item: Expr): Item {
  return { n: `${item}.n`, x: `${item}.x` };
}

function itemOf(item: Item): Expr {
  return `{"n":${item.n},"x":${item.x}}`;
}
