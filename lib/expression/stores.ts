/** What a task stores, merged upon the layers it was given: the same in every function, and in the runner (trowel_task/merge.py). */
import type { Mapping, Value } from '../language/workflow.ts';
import type { Layer, Payload, StoreResult } from './wire.ts';

/** Objects deeply, anything else replaces (digdag's Config.merge). A value by reference is no object: it is not opened here. */
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
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !Object.hasOwn(value, 'trowel:ref');
}

function storedLayers(payload: Pick<Payload, 'l'>): Mapping[] {
  return payload.l.filter((layer: Layer): layer is Mapping => !Array.isArray(layer));
}

/** The layers that a result is merged upon. */
export function baseLayers(payload: Pick<Payload, 'l' | 'm'>): Mapping[] {
  return payload.m === undefined || payload.m === 0 ? [] : storedLayers(payload).slice(-payload.m);
}

/**
 * The answer of a task that stored something: merged upon the last `m` layers if the state asks for that.
 *
 * `reset` are keys (as `['http', 'last_content']`) that an earlier task may have stored and that must be gone: they are taken out
 * of the layers that are answered, and covered with null where a layer farther away, which the answer cannot change, holds one.
 */
export function storeResult(
  payload: Pick<Payload, 'l' | 'm'>,
  stored: Mapping,
  reset: readonly (readonly [string, string])[] = [],
): StoreResult {
  const last = baseLayers(payload).map((layer) => without(layer, reset));
  const outer = storedLayers(payload).slice(0, -last.length || undefined);
  let covers: Mapping = {};
  for (const [group, key] of reset) {
    const covered = outer.some((layer) => {
      const held = layer[group];
      return isMapping(held) && held[key] !== undefined && held[key] !== null;
    });
    if (covered) covers = merged(covers, { [group]: { [key]: null } });
  }
  const all = [...last, covers, stored].reduce(merged, {});
  return payload.m === undefined ? { stored: all } : { s: all };
}

function without(layer: Mapping, reset: readonly (readonly [string, string])[]): Mapping {
  const copy: Mapping = { ...layer };
  for (const [group, key] of reset) {
    const held = copy[group];
    if (isMapping(held) && key in held) {
      const { [key]: _gone, ...rest } = held;
      copy[group] = rest;
    }
  }
  return copy;
}
