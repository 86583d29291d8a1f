/**
 * Reads options as digdag reads them: from everything the task sees, with the object of the operator's name (`http:`, `mail:`,
 * usually from an `_export`) merged under it, and with the leniency of its JSON library: `"30"` is a number, `"true"` a Boolean,
 * for whatever comes out of `${…}` is a string.
 */
import { isMapping } from '../../asl/json.ts';
import { badInput } from '../../contract/errors.ts';
import type { Mapping, Value } from '../../language/workflow.ts';

/** Merges objects deeply; a value that is there already stays. */
export function mergeDefaults(params: Mapping, defaults: Value | undefined): Mapping {
  if (!isMapping(defaults)) return params;
  const merged: Mapping = { ...defaults };
  for (const [key, value] of Object.entries(params)) {
    merged[key] = isMapping(value) ? mergeDefaults(value, defaults[key]) : value;
  }
  return merged;
}

function shown(value: Value): string {
  const kind = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  return `${JSON.stringify(value)} (${kind})`;
}

/** A scalar as text; absent if not set or null. */
export function text(params: Mapping, key: string): string | undefined {
  const value = params[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') throw badInput(`Expected string type for key '${key}' but got ${shown(value)}`);
  return String(value);
}

export function boolean(params: Mapping, key: string, otherwise: boolean): boolean {
  const value = params[key];
  if (value === undefined || value === null) return otherwise;
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  if (value === 'false' || value === '') return false;
  throw badInput(`Expected 'true' or 'false' for key '${key}' but got ${shown(value)}`);
}

export function integer(params: Mapping, key: string): number | undefined {
  const value = params[key];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' && /^\s*-?\d+\s*$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw badInput(`Expected integer (int) type for key '${key}' but got ${shown(value)}`);
  }
  return Math.trunc(number);
}

export function mapping(params: Mapping, key: string): Mapping {
  const value = nested(params[key]);
  if (value === undefined || value === null) return {};
  if (isMapping(value)) return value;
  throw badInput(`Expected object type for key '${key}' but got ${shown(value)}`);
}

/** `${list}` gives the list as JSON text; a text that is JSON of a list or an object stands for it. */
export function nested(value: Value | undefined): Value | undefined {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    const parsed: Value = JSON.parse(value);
    return parsed;
  } catch {
    return value;
  }
}
