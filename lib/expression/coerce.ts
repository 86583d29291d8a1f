/**
 * How operators read a value: digdag's Config.get with Jackson's coercions (a rendered `${…}` is always text, so "2" is an integer
 * and "true" a Boolean), and its messages.
 */
import { isMapping } from '../asl/json.ts';
import { exactText, isLeaf, parseExact } from '../language/value-form.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { seen } from './mask.ts';

/** `message` is one sentence that shows the bad value, without digdag's final " (config)". */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export function good<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function bad(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

/** `true`, `false`, and text of either; empty text is false, and so is 0. No truthiness of JavaScript. */
export function toBoolean(value: Value | undefined, key: string): Result<boolean> {
  if (typeof value === 'boolean') return good(value);
  if (typeof value === 'number' && Number.isInteger(value)) return good(value !== 0);
  if (typeof value === 'string') {
    const text = value.trim();
    if (text === 'true' || text === 'True') return good(true);
    if (text === 'false' || text === 'False' || text === '') return good(false);
  }
  return missing(value, key) ?? expected("'true' or 'false'", value, key);
}

/** Integers and their text; a number is cut, empty text is 0. `int` is 32 bits, `long` what a JavaScript number holds exactly. */
export function toInteger(value: Value | undefined, key: string, size: 'int' | 'long'): Result<number> {
  const type = `integer (${size}) type`;
  let number = Number.NaN;
  if (typeof value === 'number') number = Math.trunc(value);
  else if (typeof value === 'string' && /^\s*([+-]?\d+)?\s*$/.test(value)) number = Number(value);
  if (Number.isNaN(number)) return missing(value, key) ?? expected(type, value, key);
  const fits = size === 'int' ? number >= -(2 ** 31) && number < 2 ** 31 : Number.isSafeInteger(number);
  return fits ? good(number) : expected(type, value, key);
}

/** Text, also of numbers and Booleans. */
export function toText(value: Value | undefined, key: string): Result<string> {
  if (typeof value === 'string') return good(value);
  if (typeof value === 'number' || typeof value === 'boolean') return good(String(value));
  if (isLeaf(value)) return good(value.text);
  return missing(value, key) ?? expected('string type', value, key);
}

/** A mapping, or JSON text of one, in wire form. */
export function toMapping(value: Value | undefined, key: string): Result<Mapping> {
  const parsed = parseJson(value);
  if (isMapping(parsed)) return good(parsed);
  return missing(value, key) ?? expected('object type', value, key);
}

/** A list, or JSON text of one, in wire form. */
export function toList(value: Value | undefined, key: string): Result<readonly Value[]> {
  const parsed = parseJson(value);
  if (Array.isArray(parsed)) return good(parsed);
  return missing(value, key) ?? expected('array type', value, key);
}

export function expected(
  type: string,
  value: Value | undefined,
  key: string,
): { readonly ok: false; readonly message: string } {
  return bad(`Expected ${type} for key '${key}' but got ${sample(value)} (${typeName(value)})`);
}

function missing(value: Value | undefined, key: string): { readonly ok: false; readonly message: string } | undefined {
  if (value !== undefined && value !== null) return undefined;
  return bad(`Parameter '${key}' is required but ${value === null ? 'null' : 'not set'}`);
}

function parseJson(value: Value | undefined): Value | undefined {
  if (typeof value !== 'string') return value;
  try {
    return parseExact(value);
  } catch {
    return value;
  }
}

/** At most 100 characters of JSON, as digdag cuts it. */
export function sample(value: Value | undefined): string {
  const json = seen.mask(exactText(value ?? null));
  return json.length < 100 ? json : `${json.slice(0, 97)}...`;
}

function typeName(value: Value | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (isLeaf(value)) return 'number';
  return Array.isArray(value) ? 'array' : typeof value;
}
