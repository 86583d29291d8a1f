/**
 * Step Functions writes every member of a request or a response with a capital letter; the SDK writes some services' in lower
 * case (ecs `taskDefinition`). Which keys are members, and not a user's (a mapping of tags), only the operation's schema says,
 * which each command of the SDK carries as nested arrays: `[kind, namespace, name, traits, …]` with kind 1 a list, 2 a map, 3 (or -3,
 * 4) a structure; a member is its schema, a function that gives it, or `[schema, traits]`.
 */
import { isMapping } from '../../asl/json.ts';
import type { Json } from '../../asl/types.ts';

export type Schema = unknown;

function resolved(schema: Schema): readonly unknown[] | number | undefined {
  let at: Schema = schema;
  for (let depth = 0; depth < 10; depth++) {
    if (typeof at === 'function') at = at();
    else if (Array.isArray(at) && typeof at[1] !== 'string') at = at[0];
    else break;
  }
  return Array.isArray(at) || typeof at === 'number' ? at : undefined;
}

/** Schemas of input and output of a command; undefined for a client too old to carry them. */
export function operationSchemas(command: unknown): { input: Schema; output: Schema } | undefined {
  const schema = typeof command === 'object' && command !== null && 'schema' in command ? command.schema : undefined;
  return Array.isArray(schema) && schema[0] === 9 ? { input: schema[4], output: schema[5] } : undefined;
}

/** Arguments as the SDK wants them. */
export function toSdk(value: Json, schema: Schema): unknown {
  return convert(value, schema, (key, names) => names.find((name) => capital(name) === capital(key)) ?? key, fromText);
}

/** A response as a state sees it: JSON, with capital letters, without the SDK's own additions. */
export function fromSdk(value: unknown, schema: Schema): Json {
  return convert(value, schema, capital, (inner) => inner) as Json;
}

export function capital(key: string): string {
  return key.charAt(0).toUpperCase() + key.slice(1);
}

type Rename = (key: string, members: readonly string[]) => string;
type Scalar = (value: unknown, schema: readonly unknown[] | number | undefined) => unknown;

function convert(value: unknown, schema: Schema, rename: Rename, scalar: Scalar): unknown {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (typeof value === 'bigint') return Number(value);
  const shape = resolved(schema);
  const kind = Array.isArray(shape) ? shape[0] : undefined;
  if (Array.isArray(value)) {
    const element = kind === 1 && Array.isArray(shape) ? shape[4] : undefined;
    return value.map((inner) => convert(inner, element, rename, scalar));
  }
  if (typeof value !== 'object') return scalar(value, shape);

  const structure = Array.isArray(shape) && (kind === 3 || kind === -3 || kind === 4);
  const names: readonly string[] = structure ? (shape[4] as readonly string[]) : [];
  const members: readonly Schema[] = structure ? (shape[5] as readonly Schema[]) : [];
  const element = kind === 2 && Array.isArray(shape) ? shape[5] : undefined;
  const result: { [key: string]: unknown } = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$metadata' || inner === undefined) continue;
    const name = structure ? rename(key, names) : key;
    // Going in, `name` is the member; coming out, `key` is.
    const member = Math.max(names.indexOf(key), names.indexOf(name));
    result[name] = convert(inner, member < 0 ? element : members[member], rename, scalar);
  }
  return result;
}

/** Times and bytes are text in a state. Kinds 4 to 7 are times, 21 and 42 bytes. */
function fromText(value: unknown, shape: readonly unknown[] | number | undefined): unknown {
  const kind = Array.isArray(shape) ? shape[4] : shape;
  if (typeof kind !== 'number') return value;
  if (kind >= 4 && kind <= 7 && (typeof value === 'string' || typeof value === 'number')) {
    const time = new Date(typeof value === 'number' ? value * 1000 : value);
    return Number.isNaN(time.getTime()) ? value : time;
  }
  return (kind === 21 || kind === 42) && typeof value === 'string' ? Buffer.from(value) : value;
}

/** Turns the value at a path into text, if it is not text yet. */
export function stringifyAt(value: Json, path: readonly string[]): Json {
  const [key, ...rest] = path;
  if (key === undefined) return typeof value === 'string' ? value : JSON.stringify(value);
  if (key === '*') return Array.isArray(value) ? value.map((inner) => stringifyAt(inner, rest)) : value;
  if (!isMapping(value) || value[key] === undefined) return value;
  return { ...value, [key]: stringifyAt(value[key], rest) };
}
