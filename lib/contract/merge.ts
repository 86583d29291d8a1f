import { isMapping } from '../asl/json.ts';
import { isMergeable, MAP } from '../language/value-form.ts';
import type { Value } from '../language/workflow.ts';

/** A text to evaluate. Strings that are data stay plain strings, so the two can meet in one mapping. */
export class Template {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Marked = null | boolean | number | string | Template | readonly Marked[] | MarkedMapping;
export type MarkedMapping = { [key: string]: Marked };

export function isMarkedMapping(value: Marked | undefined): value is MarkedMapping {
  return isMapping(value) && !(value instanceof Template);
}

/** Sets an own property even where the key is `__proto__`. */
export function setOwn<T>(target: { [key: string]: T }, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[key] = value;
  }
}

export function getOwn<T>(target: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(target, key) ? target[key] : undefined;
}

/** Marks every text with a dollar sign below a value as a template. */
export function markTemplates(value: Value): Marked {
  if (typeof value === 'string') return value.includes('$') ? new Template(value) : value;
  if (Array.isArray(value)) return value.map(markTemplates);
  return isMapping(value) ? mapValues(value, markTemplates) : value;
}

/** Turns templates back into their text. */
export function unmark(value: Marked): Value {
  if (value instanceof Template) return value.text;
  if (Array.isArray(value)) return value.map(unmark);
  return isMarkedMapping(value) ? mapValues(value, unmark) : value;
}

export function mapValues<A, B>(mapping: { readonly [key: string]: A }, map: (value: A) => B): { [key: string]: B } {
  const result: { [key: string]: B } = {};
  for (const key of Object.keys(mapping)) setOwn(result, key, map(mapping[key] as A));
  return result;
}

/**
 * digdag's Config.merge: mappings merge deeply, anything else replaces; a key keeps the place where it was first seen. Content in files is
 * not read: the list of a mapping's parts becomes longer instead. Neither argument is changed.
 */
export function merge(base: MarkedMapping, over: MarkedMapping): MarkedMapping {
  if (Object.hasOwn(over, MAP)) {
    const { [MAP]: parts, ...own } = over;
    return { [MAP]: [...partsOf(base), ...(parts as Marked[])], ...own };
  }
  const result = mapValues(base, (value) => value);
  for (const key of Object.keys(over)) {
    const below = getOwn(result, key);
    const value = over[key] as Marked;
    setOwn(result, key, merges(below) && merges(value) ? merge(below, value) : value);
  }
  return result;
}

function merges(value: Marked | undefined): value is MarkedMapping {
  return isMarkedMapping(value) && isMergeable(value);
}

/** A mapping as the parts that make it, in order. */
export function partsOf(mapping: MarkedMapping): Marked[] {
  const { [MAP]: parts = [], ...own } = mapping;
  return Object.keys(own).length === 0 ? (parts as Marked[]) : [...(parts as Marked[]), own];
}
