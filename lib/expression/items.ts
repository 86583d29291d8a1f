/** The iterations of loop>, for_each> and for_range>: the same for a literal value at compile time and a rendered one at run time. */

import { setOwn } from '../contract/merge.ts';
import type { LoopItem } from '../contract/payload.ts';
import { loopOver } from '../language/operators.ts';
import { exactText } from '../language/value-form.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { bad, good, type Result, toInteger, toList, toMapping } from './coerce.ts';
import type { List } from './json-list.ts';
import { seen } from './mask.ts';

/**
 * The most iterations of a loop, to protect memory (digdag's limit is 1,000). The compiler splits a list of items that does not fit a
 * state.
 */
export const MAX_ITEMS = 100_000;

/** The most characters of a key, and of a value, in an iteration's name. */
export const TAG_LENGTH = 8;

/** Iterations, made when they are asked for. */
export interface Iterations {
  readonly length: number;
  at(index: number): LoopItem;
}

/** `keys`: the task's own, rendered, in wire form; the command under `_command` or `loop>`. */
export function loopItems(operator: string, keys: Mapping): Result<LoopItem[]> {
  const made = iterationsOf(operator, keys);
  if (!made.ok) return made;
  const { length, at } = made.value;
  return good(Array.from({ length }, (_, index) => at(index)));
}

/** `listOf` reads a list of for_each>. */
export function iterationsOf(
  operator: string,
  keys: Mapping,
  listOf: (value: Value | undefined, key: string) => Result<List> = listed,
): Result<Iterations> {
  const command = commandOf(operator, keys);
  switch (loopOver(operator)) {
    case 'count':
      return countItems(operator, keys.count ?? command);
    case 'lists':
      return eachItems(operator, command, listOf);
    case 'range':
      return rangeItems(operator, command);
    case undefined:
      return bad(`${operator}> is no loop`);
  }
}

export function listed(value: Value | undefined, key: string): Result<List> {
  const list = toList(value, key);
  return list.ok ? good({ length: list.value.length, at: (index) => list.value[index] ?? null }) : list;
}

/** The value of `op>:`, or `_command`. */
export function commandOf(operator: string, keys: Mapping): Value | undefined {
  return keys._command === undefined ? keys[`${operator}>`] : keys._command;
}

function tooMany(operator: string, count: number): { readonly ok: false; readonly message: string } {
  return bad(`Too many ${operator} subtasks (${count}). Limit: ${MAX_ITEMS}`);
}

function countItems(operator: string, value: Value | undefined): Result<Iterations> {
  const count = toInteger(value, '_command', 'int');
  if (!count.ok) return count;
  if (count.value > MAX_ITEMS) return tooMany(operator, count.value);
  return good({ length: Math.max(count.value, 0), at: (i) => ({ n: `+loop-${i}`, x: { i } }) });
}

/**
 * The cross product, the first key outermost. (If a list before others is empty, digdag leaves that key out and repeats for the others;
 * here nothing is repeated.)
 */
function eachItems(
  operator: string,
  value: Value | undefined,
  listOf: (value: Value | undefined, key: string) => Result<List>,
): Result<Iterations> {
  const map = toMapping(value, '_command');
  if (!map.ok) return map;
  const keys = Object.keys(map.value);
  const lists: List[] = [];
  for (const key of keys) {
    const list = listOf(map.value[key], key);
    if (!list.ok) return list;
    lists.push(list.value);
  }
  const total = keys.length === 0 ? 0 : lists.reduce((product, list) => product * list.length, 1);
  if (total > MAX_ITEMS) return tooMany(operator, total);
  return good({ length: total, at: (index) => combination(keys, lists, index) });
}

/** The `index`-th of all combinations. */
function combination(keys: readonly string[], lists: readonly List[], index: number): LoopItem {
  const chosen: [key: string, place: number, element: Value][] = [];
  let left = index;
  for (let number = keys.length - 1; number >= 0; number -= 1) {
    const list = lists[number]!;
    const place = left % list.length;
    left = (left - place) / list.length;
    chosen.unshift([keys[number] ?? '', place, list.at(place)]);
  }
  const x: Mapping = {};
  const tags = chosen.map(([key, place, element], number) => {
    setOwn(x, key, element);
    return `${number}=${nameTag(key)}=${place}=${nameTag(element)}`;
  });
  return { n: `+for-${tags.join('&')}`, x };
}

/** A value as part of a name, encoded as by java.net.URLEncoder, but with `%20` for a space. */
function nameTag(value: Value): string {
  const text = seen.mask(typeof value === 'string' ? value : exactText(value)).slice(0, TAG_LENGTH);
  const hex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '?')).replace(/[!'()~]/g, hex);
}

function rangeItems(operator: string, value: Value | undefined): Result<Iterations> {
  const range = toMapping(value, '_command');
  if (!range.ok) return range;
  const from = toInteger(range.value.from, 'from', 'long');
  if (!from.ok) return from;
  const to = toInteger(range.value.to, 'to', 'long');
  if (!to.ok) return to;
  const step = stepOf(operator, range.value, to.value - from.value);
  if (!step.ok) return step;
  const count = Math.max(Math.ceil((to.value - from.value) / step.value), 0);
  if (count > MAX_ITEMS) return tooMany(operator, count);
  const at = (index: number): LoopItem => {
    const start = from.value + index * step.value;
    const end = Math.min(start + step.value, to.value);
    return { n: `+range-from=${start}&to=${end}`, x: { range: { from: start, to: end, index } } };
  };
  return good({ length: count, at });
}

function stepOf(operator: string, range: Mapping, distance: number): Result<number> {
  const given = (key: 'step' | 'slices'): Result<number | undefined> => {
    const value = range[key];
    return value === undefined || value === null ? good(undefined) : toInteger(value, key, 'long');
  };
  const step = given('step');
  if (!step.ok) return step;
  const slices = given('slices');
  if (!slices.ok) return slices;
  if (step.value !== undefined && slices.value !== undefined)
    return bad(`Setting both step and slices options to ${operator} is invalid`);
  if (step.value !== undefined) {
    return step.value > 0 ? good(step.value) : bad(`step option must be same or greater than 1 but got ${step.value}`);
  }
  if (slices.value === undefined) return bad(`step or slices option is required for ${operator}`);
  if (slices.value <= 0) return bad(`slices option must be same or greater than 1 but got ${slices.value}`);
  return good(Math.max(Math.ceil(distance / slices.value), 1));
}
