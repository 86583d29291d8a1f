/**
 * Values by reference (docs/protocol.md). They travel as `{"trowel:ref": uri, kind, bytes, sha256}`; a template that names one
 * must see what it holds, everything else only passes it on.
 */
import type { Layer } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';

export interface Reference {
  readonly 'trowel:ref': string;
  readonly kind: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The content of a JSON reference, or undefined for one that is of another kind, too large or not of this run. */
export type ReadReference = (reference: Reference) => Promise<Value | undefined>;

/**
 * The layers with JSON values in place of references, for those variables alone that a template of `keys` or of an `_export` names.
 * The same array where there is nothing to do.
 */
export async function resolveMentioned(
  layers: readonly Layer[],
  keys: Mapping,
  read: ReadReference,
): Promise<readonly Layer[]> {
  if (!layers.some((layer) => isStore(layer) && holdsReference(layer))) return layers;
  const text = JSON.stringify([keys, layers.filter((layer) => Array.isArray(layer) && layer.length === 1)]);
  return Promise.all(
    layers.map(async (layer) => {
      if (!isStore(layer)) return layer;
      const copy: Mapping = {};
      for (const [name, value] of Object.entries(layer)) {
        copy[name] = text.includes(name) && holdsReference(value) ? await resolve(value, read) : value;
      }
      return copy;
    }),
  );
}

export function isReference(value: Value | undefined): value is Mapping & Reference {
  return (
    value !== null && typeof value === 'object' && !Array.isArray(value) && typeof value['trowel:ref'] === 'string'
  );
}

async function resolve(value: Value, read: ReadReference): Promise<Value> {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => resolve(item, read)));
  if (isReference(value)) return (await read(value)) ?? value;
  const copy: Mapping = {};
  for (const [name, inner] of Object.entries(value)) copy[name] = await resolve(inner, read);
  return copy;
}

function holdsReference(value: Value): boolean {
  if (value === null || typeof value !== 'object') return false;
  return isReference(value) || (Array.isArray(value) ? value : Object.values(value)).some(holdsReference);
}

function isStore(layer: Layer): layer is Mapping {
  return !Array.isArray(layer);
}
