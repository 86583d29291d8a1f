import type { Json } from '../asl/types.ts';

/** Values in the engine are JSON and never changed in place, so a size stays valid once it is computed. */
const sizes = new WeakMap<object, number>();

/** Bytes of the value as JSON text in UTF-8, which is what the service counts. */
export function sizeOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return Buffer.byteLength(JSON.stringify(value));
  let size = sizes.get(value);
  if (size === undefined) {
    size = Buffer.byteLength(JSON.stringify(value));
    sizes.set(value, size);
  }
  return size;
}

/** Thrown for a value that JSON cannot hold: a function, a non-finite number. */
export class NotJson extends Error {}

/**
 * Turns an expression's result into plain JSON. JSONata's sequences are arrays with hidden marks that would change how the next expression
 * reads them; they become plain arrays. A value that is already plain is returned unchanged.
 */
export function toJson(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new NotJson();
      return value;
    case 'object':
      if (value === null) return null;
      return Array.isArray(value) ? arrayToJson(value) : objectToJson(value as { [key: string]: unknown });
    default:
      throw new NotJson();
  }
}

function arrayToJson(array: readonly unknown[]): Json {
  let plain = !('sequence' in array || 'cons' in array || 'keepSingleton' in array || 'tupleStream' in array);
  const items: Json[] = new Array(array.length);
  for (let index = 0; index < array.length; index += 1) {
    const item = toJson(array[index]);
    plain &&= item === array[index];
    items[index] = item;
  }
  return plain ? (array as readonly Json[]) : items;
}

function objectToJson(object: { [key: string]: unknown }): Json {
  // JSONata's own lambdas and built-in functions are objects with such a mark.
  if ('_jsonata_lambda' in object || '_jsonata_function' in object) throw new NotJson();
  let plain = true;
  const copy: { [key: string]: Json } = {};
  for (const key of Object.keys(object)) {
    const item = toJson(object[key]);
    plain &&= item === object[key];
    setKey(copy, key, item);
  }
  return plain ? (object as { [key: string]: Json }) : copy;
}

/** A copy, for code that might change it. */
export function cloneJson(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneJson);
  const copy: { [key: string]: Json } = {};
  const object = value as { readonly [key: string]: Json };
  for (const key of Object.keys(object)) {
    setKey(copy, key, cloneJson(object[key] ?? null));
  }
  return copy;
}

/** Sets a key that may be `__proto__`, which JSON allows; a plain assignment would set the prototype. */
export function setKey(object: { [key: string]: Json }, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}

/** The type's name as in JSONata's `$type` and the service's messages. */
export function typeName(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
