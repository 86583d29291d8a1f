import type { Payload } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';

/** The layers that a result is merged upon, data alone. */
export function baseLayers(payload: Pick<Payload, 'l' | 'm'>): Mapping[] {
  if (payload.m === undefined || payload.m === 0) return [];
  return payload.l.filter((layer): layer is Mapping => !Array.isArray(layer)).slice(-payload.m);
}

/** Objects deeply, anything else replaces (digdag's Config.merge). A value by reference is no object. */
export function merged(under: Mapping, over: Mapping): Mapping {
  const result = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const before = Object.hasOwn(result, key) ? result[key] : undefined;
    const both = isMapping(before) && isMapping(value) ? merged(before, value) : value;
    // A key named __proto__ is data like any other.
    Object.defineProperty(result, key, { value: both, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

export function isMapping(value: Value | undefined): value is Mapping {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !('trowel:ref' in value);
}
