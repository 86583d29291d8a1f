import type { Span } from '../diagnostic.ts';
import { escapedKey, exactText, integerMark, isInteger } from '../value-form.ts';
import type { Mapping, Value } from '../workflow.ts';

/** The content of a YAML file, typed as in digdag, with aliases and merge keys resolved; every node knows its place. */
export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  /** A bigint where JavaScript's numbers would not be exact. */
  readonly value: null | boolean | number | bigint | string;
  readonly span: Span;
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly span: Span;
}

export interface MapTree {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
  readonly span: Span;
}

export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: Tree;
  /** The place of the `!include` that the entry came from, and the path as written there. */
  readonly included?: { readonly span: Span; readonly path: string };
}

/** The key of an `!include : path` entry until include.ts replaces it; no file can hold it. */
export const INCLUDE_KEY = '\0!include';

/** As values travel (value-form.ts). */
export function toValue(tree: Tree): Value {
  switch (tree.kind) {
    case 'scalar':
      return typeof tree.value === 'bigint' ? integerMark(String(tree.value)) : tree.value;
    case 'list':
      return tree.items.map(toValue);
    case 'map':
      return toMapping(tree);
  }
}

export function toMapping(tree: MapTree): Mapping {
  const mapping: Mapping = {};
  for (const { key, value } of tree.entries) mapping[escapedKey(key)] = toValue(value);
  return mapping;
}

export function entryOf(tree: MapTree, key: string): Entry | undefined {
  return tree.entries.find((entry) => entry.key === key);
}

/** Spans of the values at each path below `entries`, as Task.spans wants them. An empty value is placed at its key; `path:` is the place of the key. */
export function spansOf(entries: readonly Entry[], prefix = '', into: { [path: string]: Span } = {}) {
  for (const { key, keySpan, value } of entries) {
    const path = prefix + key;
    into[path] = value.span.end > value.span.start ? value.span : keySpan;
    into[`${path}:`] = keySpan;
    addBelow(value, path, into);
  }
  return into;
}

function addBelow(tree: Tree, path: string, into: { [path: string]: Span }): void {
  if (tree.kind === 'map') spansOf(tree.entries, `${path}.`, into);
  if (tree.kind === 'list') {
    for (const [index, item] of tree.items.entries()) {
      into[`${path}.${index}`] = item.span;
      addBelow(item, `${path}.${index}`, into);
    }
  }
}

/** A tree of plain JSON, all of it at one place: for workflows that come as JSON. */
export function treeOfValue(value: Value, span: Span): Tree {
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => treeOfValue(item, span)), span };
  if (isInteger(value)) return { kind: 'scalar', value: BigInt(value.text), span };
  if (value === null || typeof value !== 'object') return { kind: 'scalar', value, span };
  const entries = Object.entries(value).map(([key, item]) => ({ key, keySpan: span, value: treeOfValue(item, span) }));
  return { kind: 'map', entries, span };
}

/** A value as a message shows it: JSON, cut to a length that fits a line. */
export function show(value: Value, max = 60): string {
  const text = exactText(value);
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
