/**
 * Values in files of their own (docs/protocol.md): a template that names one must see what it holds, everything else only passes it on.
 */

import type { Layer, Payload } from '../../contract/payload.ts';
import { merged } from '../../contract/stores.ts';
import { bytesKept, inTurns, opened, type Values } from '../../contract/values.ts';
import { commandOf } from '../../expression/items.ts';
import { loopOver } from '../../language/operators.ts';
import { isKept, isMergeable, isReference } from '../../language/value-form.ts';
import type { Mapping, Value } from '../../language/workflow.ts';

/** Bytes; a larger value is not read for a template, which fails if it needs it. */
const LARGEST = 16 * 1024 * 1024;

/**
 * The layers as a renderer needs them: layers in files are opened, and references are replaced by their JSON values, but only for variables
 * that a template of `keys` or of an `_export` names. If there is nothing to do, the result is the same array.
 */
export async function resolveMentioned(
  layers: readonly Layer[],
  keys: Mapping,
  values: Pick<Values, 'read'>,
): Promise<readonly Layer[]> {
  if (!layers.some((layer) => isData(layer) && holdsKept(contentOf(layer)))) return layers;
  const text = JSON.stringify([keys, layers.filter((layer) => !isData(layer))]);
  return inTurns(layers, async (layer): Promise<Layer> => {
    if (!isData(layer) || !holdsKept(contentOf(layer))) return layer;
    const copy: Mapping = {};
    const content = (await opened(contentOf(layer), values)).reduce(merged, {});
    for (const [name, value] of Object.entries(content)) {
      const read = text.includes(name) && holdsKept(value) ? await resolve(value, values) : value;
      Object.defineProperty(copy, name, { value: read, writable: true, enumerable: true, configurable: true });
    }
    return Array.isArray(layer) ? [copy, 0] : copy;
  });
}

/** A template that is the name of one variable. */
const NAME = /^\$\{\s*[A-Za-z_$][\w$]*\s*\}$/;

/** The keys of a task that are to see what values in files hold: all but the lists of for_each>, which `evaluate` reads element by element. */
export function seeingKeys({ op, k }: Pick<Payload, 'op' | 'k'>): Mapping {
  if (loopOver(op) !== 'lists') return k;
  const command = commandOf(op, k);
  if (!isMergeable(command)) return k;
  const others = Object.entries(command).filter(([, value]) => typeof value !== 'string' || !NAME.test(value));
  const { [`${op}>`]: _, _command, ...keys } = k;
  return { ...keys, others: others.map(([, value]) => value) };
}

async function resolve(value: Value, values: Pick<Values, 'read'>): Promise<Value> {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return holdsKept(value) ? inTurns(value, (item) => resolve(item, values)) : value;
  if (isReference(value)) {
    if (value.kind !== 'json' || value.bytes > LARGEST) return value;
    return resolve(await values.read(value), values);
  }
  if (!holdsKept(value)) return value;
  if (isKept(value)) {
    if (bytesKept(value) > LARGEST) return value;
    const parts = await opened(value, values);
    return resolve(parts.reduce(merged, {}), values);
  }
  const names = Object.keys(value);
  const items = await inTurns(names, (name) => resolve(value[name] ?? null, values));
  const copy: Mapping = {};
  names.forEach((name, at) => {
    Object.defineProperty(copy, name, { value: items[at], writable: true, enumerable: true, configurable: true });
  });
  return copy;
}

function holdsKept(value: Value): boolean {
  if (value === null || typeof value !== 'object') return false;
  return isKept(value) || (Array.isArray(value) ? value : Object.values(value as Mapping)).some(holdsKept);
}

/** Stores, and data that is no store. */
function isData(layer: Layer): boolean {
  return !Array.isArray(layer) || layer.length === 2;
}

function contentOf(layer: Layer): Mapping {
  return Array.isArray(layer) ? layer[0] : layer;
}
