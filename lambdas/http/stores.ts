import type { Layer, Payload, StoreResult } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';
import { isMapping } from './options.ts';

/** Deep merge, the later wins; null, arrays and values by reference (`trowel:ref`, not opened here) replace. */
export function deepMerge(under: Mapping, over: Mapping): Mapping {
  const merged: Mapping = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(under, key) ? under[key] : undefined;
    merged[key] = merges(value) && merges(below) ? deepMerge(below, value) : value;
  }
  return merged;
}

function merges(value: Value | undefined): value is Mapping {
  return isMapping(value) && !Object.hasOwn(value, 'trowel:ref');
}

/**
 * The answer of a task that stored something: merged upon the last `m` layers of stored values if the state asks for that.
 *
 * `reset` are keys (as `['http', 'last_content']`) that an earlier task may have stored and that must be gone: they are taken out
 * of the layers that are answered, and covered with null where a layer farther away, which the answer cannot change, holds one.
 */
export function storeResult(
  payload: Payload,
  stored: Mapping,
  reset: readonly (readonly [string, string])[] = [],
): StoreResult {
  const layers = payload.l.filter(isStored);
  const own = payload.m === undefined ? 0 : payload.m;
  const outer = layers.slice(0, Math.max(0, layers.length - own));
  const last = layers.slice(outer.length).map((layer) => without(layer, reset));

  let covers: Mapping = {};
  for (const [group, key] of reset) {
    const covered = outer.some((layer) => {
      const held = layer[group];
      return isMapping(held) && held[key] !== undefined && held[key] !== null;
    });
    if (covered) covers = deepMerge(covers, { [group]: { [key]: null } });
  }
  const merged = [...last, covers, stored].reduce(deepMerge, {});
  return payload.m === undefined ? { stored: merged } : { s: merged };
}

function isStored(layer: Layer): layer is Mapping {
  return !Array.isArray(layer);
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
