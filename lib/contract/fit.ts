/**
 * Makes stored parameters fit a state, which holds at most 256 KiB, together with those of all tasks that run at the same time. Values that
 * are too large go to the value store. trowel_task/store (fit.py; results.py, `_room`) has the same rules for what Python tasks store.
 */
import { isMergeable, isReference, MAP } from '../language/value-form.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { setOwn } from './merge.ts';
import type { Payload, StoreResult } from './payload.ts';
import { baseLayers, merged } from './stores.ts';
import { inTurns, type Values } from './values.ts';

/** Bytes of JSON that tasks which run at the same time may keep in one state, all together. */
export const ENVIRONMENT = 98_304;
/** Bytes of one value that a state holds. */
const INLINE = 16_384;
/** Bytes of one reference and the JSON around it: the least room that a value needs. */
export const REFERENCE = 160;
/** Bytes of a part that is small enough to be joined with others in one file, and of all parts that are read at once. */
const SMALL = 64 * 1024;
const MOST = 8 * 1024 * 1024;

/** A task's answer, within its share of the room that the other layers leave. */
export async function fitted(
  payload: Pick<Payload, 'l' | 'm' | 'w'>,
  answer: StoreResult,
  values: Pick<Values, 'write'>,
): Promise<StoreResult> {
  const { s, stored = {} } = answer;
  return s === undefined
    ? { ...answer, stored: await shrunk(stored, roomOf(payload), values) }
    : { ...answer, s: await shrunk(s, roomOf(payload), values) };
}

/**
 * What many tasks have stored, in no more than `room` bytes. It comes as long lists of parts; the small parts become one file, since
 * thousands of files would cost the next reader more.
 */
export async function gathered(stored: Mapping, room: number, values: Values): Promise<Mapping> {
  return shrunk(await compacted(stored, values, { left: MOST }), room, values);
}

function roomOf(payload: Pick<Payload, 'l' | 'm' | 'w'>): number {
  const { l, w = [] } = payload;
  const tasks = (at: number): number =>
    w.reduce((count, [from, beside]) => (from <= at ? count * Math.max(1, beside) : count), 1);
  const base = baseLayers(payload).length;
  let around = 0;
  l.slice(0, l.length - base).forEach((layer, at) => {
    if (!Array.isArray(layer)) around += bytesOf(layer) * tasks(at);
  });
  return Math.max(REFERENCE, Math.floor((ENVIRONMENT - around) / tasks(l.length)));
}

async function shrunk(stored: Mapping, room: number, values: Pick<Values, 'write'>): Promise<Mapping> {
  let total = bytesOf(stored);
  if (total <= room) return stored;
  const out: Mapping = {};
  for (const [key, value] of Object.entries(stored)) setOwn(out, key, value);
  const sizes = Object.entries(stored).flatMap(([key, value]) => (key === MAP ? [] : [{ key, size: bytesOf(value) }]));
  // If there are too many values, all of them become one file, and only large ones have a file of their own.
  const enough = sizes.reduce((sum, { key, size }) => sum + Math.min(size, REFERENCE) + key.length + 4, 0) <= room;
  for (const { key, size } of sizes.sort((a, b) => b.size - a.size)) {
    if (total <= room || size <= (enough ? 2 * REFERENCE : INLINE)) break;
    const moved = await kept(out[key] ?? null, values);
    total -= size - bytesOf(moved);
    setOwn(out, key, moved);
  }
  return total <= room ? out : ((await kept(out, values)) as Mapping);
}

/** Puts a value in a file; a mapping can still be merged afterwards. */
async function kept(value: Value, values: Pick<Values, 'write'>): Promise<Value> {
  if (isReference(value)) return value;
  const reference = await values.write(value);
  return isMergeable(value) ? { [MAP]: [reference] } : reference;
}

interface Budget {
  /** Bytes that can still be read. */
  left: number;
}

/** The mapping with its small parts read and each merged with its neighbours; the same for the mappings in it. */
async function compacted(mapping: Mapping, values: Pick<Values, 'read'>, budget: Budget): Promise<Mapping> {
  const whole = Object.hasOwn(mapping, MAP) ? await fewer(mapping, values, budget) : mapping;
  if (!Object.values(whole).some((value) => isMergeable(value))) return whole;
  const out: Mapping = {};
  for (const [key, value] of Object.entries(whole))
    setOwn(out, key, key !== MAP && isMergeable(value) ? await compacted(value, values, budget) : value);
  return out;
}

async function fewer(mapping: Mapping, values: Pick<Values, 'read'>, budget: Budget): Promise<Mapping> {
  const out: Value[] = [];
  for (const part of await flat(mapping, values, budget)) {
    const last = out.at(-1);
    if (last === undefined || isReference(last) || isReference(part)) out.push(part);
    else out[out.length - 1] = merged(last as Mapping, part as Mapping);
  }
  const [only] = out;
  return out.length === 1 && isMergeable(only) ? only : { [MAP]: out };
}

/** The parts in order, none with parts of its own. A reference stays only where the content is too large to be read. */
async function flat(part: Value, values: Pick<Values, 'read'>, budget: Budget): Promise<Value[]> {
  if (isReference(part)) {
    if (part.kind !== 'json' || part.bytes > Math.min(SMALL, budget.left)) return [part];
    budget.left -= part.bytes;
    return flat(await values.read(part), values, budget);
  }
  if (!isMergeable(part)) return [];
  const { [MAP]: parts = [], ...own } = part;
  const inner = await inTurns(parts as readonly Value[], (one) => flat(one, values, budget));
  return [...inner.flat(), ...(Object.keys(own).length === 0 ? [] : [own])];
}

function bytesOf(value: Value): number {
  return Buffer.byteLength(JSON.stringify(value));
}
