/**
 * Merges what a task stores over the layers it was given: the same in every function, and in the runner (trowel_task/contract/merge.py).
 */
import { isKept, isMergeable } from '../language/value-form.ts';
import type { Mapping } from '../language/workflow.ts';
import { merge } from './merge.ts';
import type { Layer, Payload, StoreResult } from './payload.ts';

/** Objects deeply, anything else replaces (digdag's Config.merge); content in files is not read. */
export function merged(under: Mapping, over: Mapping): Mapping {
  return merge(under, over) as Mapping;
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
 * `reset` lists keys (as `['http', 'last_content']`) to remove, which an earlier task may have stored. They are removed from the layers in
 * the answer. Where they may be in an outer layer, which the answer cannot change, or in a file, null replaces them.
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
    const covered = outer.some((layer) => mayHold(layer, group, key)) || last.some((layer) => keeps(layer, group));
    if (covered) covers = merged(covers, { [group]: { [key]: null } });
  }
  const all = [...last, covers, stored].reduce(merged, {});
  return payload.m === undefined ? { stored: all } : { s: all };
}

function mayHold(layer: Mapping, group: string, key: string): boolean {
  const held = layer[group];
  return keeps(layer, group) || (isMergeable(held) && held[key] !== undefined && held[key] !== null);
}

/** Whether part of the group is in a file, from which no key can be removed. */
function keeps(layer: Mapping, group: string): boolean {
  return isKept(layer) || isKept(layer[group]);
}

function without(layer: Mapping, reset: readonly (readonly [string, string])[]): Mapping {
  const copy: Mapping = { ...layer };
  for (const [group, key] of reset) {
    const held = copy[group];
    if (isMergeable(held) && key in held) {
      const { [key]: _gone, ...rest } = held;
      copy[group] = rest;
    }
  }
  return copy;
}
