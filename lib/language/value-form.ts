/**
 * The form of values between tasks (docs/protocol.md, "Values"): JSON in which a key that starts with `trowel:` is Trowel's own mark. A key
 * of the user's data that starts so gets one more colon, so that data never looks like a mark. trowel_task/contract/wire.py is the same in
 * Python.
 */
import { isMapping } from '../asl/json.ts';
import type { Mapping, Value } from './workflow.ts';

/** A value in its own file. In a merge it replaces the other value, or is replaced. */
export const REF = 'trowel:ref';
/** A value that JavaScript's JSON cannot hold: `{"trowel:leaf": KIND, "text": TEXT}`. */
export const LEAF = 'trowel:leaf';
/**
 * A mapping with a list of parts (mappings, or references to mappings), which are merged in order; then its other keys are merged over
 * them.
 */
export const MAP = 'trowel:map';

const PREFIX = 'trowel:';

/** `trowel:ref` is the sha256 of the content; the file's place follows from the hash, `kind` and `name` (lib/contract/values.ts). */
export interface Reference {
  readonly 'trowel:ref': string;
  readonly kind: string;
  readonly bytes: number;
  /** Name of the file, if the value is a file. */
  readonly name?: string;
}

export function isReference(value: unknown): value is Mapping & Reference {
  return isMapping(value) && Object.hasOwn(value, REF);
}

/** Whether a mark stands for a frame, bytes or a file, and not for JSON. */
export function hasNoText(mark: Mapping): mark is Mapping & Reference {
  return isReference(mark) && mark.kind !== 'json';
}

export function isLeaf(value: unknown): value is Mapping & { readonly 'trowel:leaf': string; readonly text: string } {
  return isMapping(value) && Object.hasOwn(value, LEAF);
}

/** Whether a value merges with another mapping: an object that is no mark of a single value. */
export function isMergeable(value: unknown): value is Mapping {
  return isMapping(value) && !Object.hasOwn(value, REF) && !Object.hasOwn(value, LEAF);
}

/** An integer beyond those that JavaScript holds exactly. */
export function integerMark(digits: string): Mapping {
  return { [LEAF]: 'int', text: digits };
}

export function isInteger(value: unknown): value is Mapping & { readonly text: string } {
  return isLeaf(value) && value[LEAF] === 'int';
}

/** A key of user data in wire form. */
export function escapedKey(key: string): string {
  return key.startsWith(PREFIX) ? `${PREFIX}:${key.slice(PREFIX.length)}` : key;
}

function plainKey(key: string): string {
  return key.startsWith(`${PREFIX}:`) ? PREFIX + key.slice(PREFIX.length + 1) : key;
}

/** Puts data from outside into wire form; returns the same object if nothing changes. */
export function encode<T extends Value>(value: T): T {
  return holdsPrefix(value) ? (mapped(value, escapedKey) as T) : value;
}

/**
 * Turns wire form into data: integers become numbers (rounded beyond 2^53, unless `integer` decides otherwise), other leaves their text,
 * and references what `kept` returns.
 */
export function decode(
  value: Value,
  kept: (mark: Mapping) => Value = (mark) => mark,
  integer: (digits: string) => Value = Number,
): Value {
  if (!holdsPrefix(value)) return value;
  return mapped(value, plainKey, (mark) => {
    if (!isLeaf(mark)) return kept(mark);
    return mark[LEAF] === 'int' ? integer(mark.text) : mark.text;
  });
}

/** JSON text of a value in wire form, integers with all their digits. */
export function exactText(value: Value): string {
  if (!holdsPrefix(value)) return JSON.stringify(value);
  if (isLeaf(value)) return value[LEAF] === 'int' ? value.text : JSON.stringify(value.text);
  if (Array.isArray(value)) return `[${value.map(exactText).join()}]`;
  const entries = Object.entries(value as Mapping);
  return `{${entries.map(([key, item]) => `${JSON.stringify(plainKey(key))}:${exactText(item)}`).join()}}`;
}

/** Reads a JSON text into wire form, integers with all their digits. Throws SyntaxError. */
export function parseExact(text: string): Value {
  // A key may be written with escapes.
  if (!/"trowel:|\\u|\d{16}/.test(text)) return JSON.parse(text) as Value;
  const exact = text.replace(/("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token, word, colon) => {
    if (word === undefined)
      return /^-?\d{16,}$/.test(token) && !isExact(token) ? JSON.stringify(integerMark(token)) : token;
    return colon === undefined ? token : JSON.stringify(escapedKey(JSON.parse(word) as string)) + colon;
  });
  return JSON.parse(exact) as Value;
}

function isExact(digits: string): boolean {
  return Number.isSafeInteger(Number(digits));
}

/** Whether a value contains a mark or an escaped key, at any depth. */
export function holdsPrefix(value: unknown): boolean {
  if (!isMapping(value)) return Array.isArray(value) && value.some(holdsPrefix);
  for (const key in value) if (key.startsWith(PREFIX) || holdsPrefix(value[key])) return true;
  return false;
}

/** The first mark in a value, at any depth, for which `wanted` is true, and the path to it. */
export function findMark(
  value: Value,
  wanted: (mark: Mapping, path: readonly string[]) => boolean,
  path: readonly string[] = [],
): { readonly mark: Mapping; readonly path: readonly string[] } | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  if (!Array.isArray(value) && isMark(value)) return wanted(value, path) ? { mark: value, path } : undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = findMark(item, wanted, [...path, plainKey(key)]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a value is in a file, or not merged yet: its content must first be read. */
export function isKept(value: unknown): value is Mapping {
  return isMapping(value) && (Object.hasOwn(value, REF) || Object.hasOwn(value, MAP));
}

function isMark(value: Mapping): boolean {
  return isKept(value) || isLeaf(value);
}

function mapped(value: Value, key: (key: string) => string, mark?: (mark: Mapping) => Value): Value {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item) => mapped(item, key, mark));
  if (mark !== undefined && isMark(value)) return mark(value);
  const copy: Mapping = {};
  for (const [name, item] of Object.entries(value)) setOwn(copy, key(name), mapped(item, key, mark));
  return copy;
}

/** Sets an own property even if the key is `__proto__`. */
function setOwn(target: Mapping, key: string, value: Value): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
