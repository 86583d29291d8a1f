/**
 * The thread that evaluates: QuickJS in WebAssembly, with no file, network, process or module, and 64 MB. What an evaluation leaves
 * behind is undone by putting the memory back as it was after loading, so that nothing of one is seen by the next.
 * sandbox.ts starts the thread from one text (sandbox-code.ts) and ends it where an evaluation takes too long.
 */
import { existsSync, readlinkSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import quickjsVariant from '@jitl/quickjs-wasmfile-release-sync';
import wasm from '@jitl/quickjs-wasmfile-release-sync/wasm';
import moment from 'moment/min/moment.min.js';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
} from 'quickjs-emscripten-core';
import type { Evaluated } from './sandbox.ts';
import { DATE_SOURCE, EVALUATE_SOURCE, MATH_SOURCE, STRING_SOURCE } from './sandbox-prelude.ts';
import { offsetAt, toInstant } from './zone.ts';

/** The first message: the thread is loaded. */
export interface Ready {
  /** The file in which Linux counts the thread's processor time, in nanoseconds; elsewhere absent. */
  readonly usage: string | undefined;
}

export interface Request {
  /** The body of a function. */
  readonly source: string;
  /** JSON: the function's `this`. */
  readonly scope: string;
  /** Of `Date` and `moment`. */
  readonly timezone: string;
}

export interface Answer {
  readonly result: Evaluated;
  /** False: the thread evaluates nothing more. WebAssembly's memory never shrinks, and after a crash it is in no known state. */
  readonly usable: boolean;
}

/**
 * QuickJS's own limit counts allocations, not their sizes, in WebAssembly; so the instance's memory is limited: 16 MB that it
 * starts with, and 64 MB.
 */
const MEMORY_LIMIT_MB = 64;
const PAGE_BYTES = 65_536;
const INITIAL_PAGES = 256;
/** The last steps of growth are larger than what is left. */
const PAGES_TO_SPARE = 128;
const MAXIMUM_PAGES = INITIAL_PAGES + (MEMORY_LIMIT_MB * 1024 * 1024) / PAGE_BYTES;
/** Deeper, the host's own stack would overflow first, which QuickJS does not survive. */
const STACK_LIMIT_BYTES = 128 * 1024;

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Node's types leave this out. */
const { Memory } = (
  globalThis as unknown as {
    WebAssembly: { Memory: new (size: { initial: number; maximum: number }) => WasmMemory };
  }
).WebAssembly;

let timezone = 'UTC';

async function load(): Promise<(request: Request) => Answer> {
  const memory = new Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  const wasmBinary = wasm.slice().buffer as ArrayBuffer;
  // The package's types describe its CommonJS form.
  const variant = newVariant(quickjsVariant as unknown as QuickJSSyncVariant, { wasmBinary, wasmMemory: memory });
  const quickjs = await newQuickJSWASMModuleFromVariant(variant);
  const runtime = quickjs.newRuntime();
  runtime.setMaxStackSize(STACK_LIMIT_BYTES);
  const context = runtime.newContext();
  const evaluate = prepare(context);
  const restore = snapshot(memory);

  return ({ source, scope, timezone: zone }) => {
    timezone = zone;
    let result: Evaluated;
    let usable = true;
    try {
      result = run(context, evaluate, source, scope);
      restore();
    } catch (error) {
      // The host threw inside the instance: its own stack ran out, an assertion.
      result = { ok: false, message: `InternalError: ${error instanceof Error ? error.message : String(error)}` };
      usable = false;
    }
    const pages = memory.buffer.byteLength / PAGE_BYTES;
    // Without memory there is often none for the error either.
    const isFull = pages > MAXIMUM_PAGES - PAGES_TO_SPARE;
    if (!result.ok && (isFull || result.message === 'InternalError: out of memory'))
      result = { ok: false, message: `it needs more than ${MEMORY_LIMIT_MB} MB of memory` };
    return { result, usable: usable && pages === INITIAL_PAGES };
  };
}

/** Gives the context its zone, digdag's methods of strings and moment; answers the function that evaluates. */
function prepare(context: QuickJSContext): QuickJSHandle {
  const { global } = context;
  const number = (value: QuickJSHandle | undefined): number =>
    value === undefined ? Number.NaN : context.getNumber(value);
  const host = (name: string, answer: (value: number) => number): QuickJSHandle =>
    context.newFunction(name, (value) => context.newNumber(answer(number(value))));
  invoke(context, DATE_SOURCE, [
    global,
    host('offsetAt', (instant) => offsetAt(timezone, instant)),
    host('toInstant', (wall) => toInstant(timezone, wall)),
  ]);
  invoke(context, MATH_SOURCE, [host('random', () => Math.random())]);
  invoke(context, STRING_SOURCE, []);
  context.unwrapResult(context.evalCode(moment, 'moment.min.js')).dispose();
  return invoke(context, EVALUATE_SOURCE, []);
}

function invoke(context: QuickJSContext, source: string, arguments_: QuickJSHandle[]): QuickJSHandle {
  const callee = context.unwrapResult(context.evalCode(source, 'trowel.js'));
  return context.unwrapResult(context.callFunction(callee, context.undefined, ...arguments_));
}

/** No handle is disposed of: their memory is put back with the rest. */
function run(context: QuickJSContext, evaluate: QuickJSHandle, source: string, scope: string): Evaluated {
  const arguments_ = [context.newString(source), context.newString(scope)];
  const result = context.callFunction(evaluate, context.undefined, ...arguments_);
  if (result.error !== undefined) return { ok: false, message: errorText(context, result.error) };
  return { ok: true, text: JSON.parse(context.getString(result.value)) as string };
}

function errorText(context: QuickJSContext, error: QuickJSHandle): string {
  const shown = context.dump(error) as unknown;
  if (typeof shown === 'object' && shown !== null && 'message' in shown) {
    const { name = 'Error', message } = shown as { name?: unknown; message: unknown };
    return `${String(name)}: ${String(message)}`;
  }
  return typeof shown === 'string' ? shown : JSON.stringify(shown);
}

/** Bytes of nothing by which the stack, not yet used, is known. It lies between the static data and the heap. */
const STACK_GAP = 1024 * 1024;

/**
 * Remembers the memory as it is; the answer puts it back: static data (with all that the allocator knows of) and heap. What comes
 * after counts as free then, and the stack is empty between two evaluations.
 */
function snapshot(memory: WasmMemory): () => void {
  const bytes = new Uint8Array(memory.buffer);
  const parts = usedParts(bytes).map(([from, to]) => ({ from, bytes: bytes.slice(from, to) }));
  return () => {
    const now = new Uint8Array(memory.buffer);
    for (const part of parts) now.set(part.bytes, part.from);
  };
}

/** Where anything is, but for gaps. */
function usedParts(bytes: Uint8Array): [from: number, to: number][] {
  const words = new BigUint64Array(bytes.buffer);
  const parts: [from: number, to: number][] = [];
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === 0n) continue;
    const last = parts.at(-1);
    if (last !== undefined && at * 8 - last[1] < STACK_GAP) last[1] = at * 8 + 8;
    else parts.push([at * 8, at * 8 + 8]);
  }
  return parts;
}

function usageFile(): string | undefined {
  try {
    const file = `/proc/${readlinkSync('/proc/thread-self')}/schedstat`;
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

// Not awaited at the top: the code is run as CommonJS.
void load().then((answer) => {
  parentPort?.on('message', (request: Request) => parentPort?.postMessage(answer(request)));
  parentPort?.postMessage({ usage: usageFile() } satisfies Ready);
});
