/**
 * Order of the children of a group, from `_background`, `_parallel` and `_after`, as nested series and parallels.
 * A graph that is not series-parallel becomes levels: a level starts when the one before it has ended, which adds waits.
 */
import type { Group, Node } from '../language/workflow.ts';

export type Plan =
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'series'; readonly parts: readonly Plan[] }
  | { readonly kind: 'parallel'; readonly parts: readonly Plan[] }
  | { readonly kind: 'levels'; readonly levels: readonly (readonly LevelEntry[])[] };

export interface LevelEntry {
  readonly node: Node;
  /** Place among the group's children. */
  readonly index: number;
  /** Places of all its ancestors. */
  readonly ancestors: readonly number[];
}

/** For each child, the places of the children it waits for. */
export function upstreams(group: Group): number[][] {
  const { children, parallel } = group;
  const all = children.map((_, index) => index);
  if (parallel.kind === 'parallel') {
    const place = new Map(children.map((child, index) => [child.name, index]));
    return children.map((child) => (child.directives.after ?? []).flatMap((name) => place.get(name) ?? []));
  }
  if (parallel.kind === 'limit') {
    const { limit } = parallel;
    return all.map((index) => {
      const chunk = Math.floor(index / limit);
      return chunk === 0 ? [] : all.slice((chunk - 1) * limit, chunk * limit);
    });
  }
  let before: number[] = [];
  return children.map((child, index) => {
    if (child.directives.background) {
      before.push(index);
      return [];
    }
    const waits = before;
    before = [index];
    return waits;
  });
}

/** Children of a group whose order is a graph: their ancestors are as many as their pairs. */
export const MOST_IN_GRAPH = 1000;

/** Whether `_background` or `_after` order the children. */
export function isGraph(group: Group): boolean {
  return group.children.some(({ directives }) => directives.background || directives.after?.length);
}

/** Children of a graph that are nested exactly. */
const LONGEST_GRAPH = 100;

export function plan(group: Group): Plan {
  const { children } = group;
  if (group.parallel.kind === 'sequential' && !children.some((child) => child.directives.background)) {
    return { kind: 'series', parts: children.map((node) => ({ kind: 'node', node })) };
  }
  if (group.parallel.kind === 'parallel' && !children.some((child) => child.directives.after?.length)) {
    return { kind: 'parallel', parts: children.map((node) => ({ kind: 'node', node })) };
  }
  if (group.parallel.kind === 'limit') {
    const { limit } = group.parallel;
    const chunks: Plan[] = [];
    for (let start = 0; start < children.length; start += limit) {
      chunks.push(parallelOf(children.slice(start, start + limit).map((node) => ({ kind: 'node', node }))));
    }
    return { kind: 'series', parts: chunks };
  }
  const ancestors = closure(upstreams(group));
  // Each further `_background` may nest the machine once more; so deep nobody reads it, and levels are not far from it.
  if (children.length > LONGEST_GRAPH) {
    return {
      kind: 'levels',
      levels: layered(
        children,
        children.map((_, index) => index),
        ancestors,
      ),
    };
  }
  return decompose(
    children,
    children.map((_, index) => index),
    ancestors,
  );
}

function parallelOf(parts: readonly Plan[]): Plan {
  return parts.length === 1 ? parts[0]! : { kind: 'parallel', parts };
}

/** All ancestors of each place. */
function closure(direct: readonly (readonly number[])[]): Set<number>[] {
  const all: Set<number>[] = [];
  for (const waits of direct) {
    const set = new Set<number>();
    for (const place of waits) {
      set.add(place);
      for (const further of all[place] ?? []) set.add(further);
    }
    all.push(set);
  }
  return all;
}

function decompose(children: readonly Node[], places: readonly number[], ancestors: readonly Set<number>[]): Plan {
  if (places.length === 1) return { kind: 'node', node: children[places[0]!]! };
  const ordered = (a: number, b: number): boolean => ancestors[a]!.has(b) || ancestors[b]!.has(a);
  const apart = components(places, ordered);
  if (apart.length > 1) {
    return { kind: 'parallel', parts: apart.map((part) => decompose(children, part, ancestors)) };
  }
  const blocks = components(places, (a, b) => !ordered(a, b));
  if (blocks.length > 1) {
    const sorted = [...blocks].sort((a, b) => (ancestors[b[0]!]!.has(a[0]!) ? -1 : 1));
    return { kind: 'series', parts: sorted.map((part) => decompose(children, part, ancestors)) };
  }
  return { kind: 'levels', levels: layered(children, places, ancestors) };
}

function components(places: readonly number[], joined: (a: number, b: number) => boolean): number[][] {
  const left = new Set(places);
  const found: number[][] = [];
  for (const place of places) {
    if (!left.delete(place)) continue;
    const part = [place];
    for (const member of part) {
      for (const other of left) {
        if (joined(member, other)) {
          left.delete(other);
          part.push(other);
        }
      }
    }
    found.push(part.sort((a, b) => a - b));
  }
  return found;
}

function layered(
  children: readonly Node[],
  places: readonly number[],
  ancestors: readonly Set<number>[],
): LevelEntry[][] {
  const depth = new Map<number, number>();
  const levels: LevelEntry[][] = [];
  for (const place of places) {
    const above = places.filter((other) => ancestors[place]!.has(other));
    const level = above.reduce((deepest, other) => Math.max(deepest, depth.get(other)!), -1) + 1;
    depth.set(place, level);
    levels[level] ??= [];
    levels[level].push({ node: children[place]!, index: place, ancestors: above });
  }
  return levels;
}
