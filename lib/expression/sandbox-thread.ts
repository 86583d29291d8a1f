/**
 * The thread that evaluates: QuickJS in WebAssembly, with no file, network, process or module, and 64 MB. After each evaluation the memory
 * is put back as it was after loading, so that an evaluation sees nothing of the one before. That memory is the image from which further
 * threads begin: loading moment takes ten times as long as the rest. sandbox.ts starts the thread and ends it where an evaluation takes too
 * long.
 */
import { existsSync, readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import quickjsVariant from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
} from 'quickjs-emscripten-core';
import { type Image, imageOf, readImage, restore, type WasmMemory } from './sandbox-image.ts';
import type { Answer, Evaluated, Ready, Request, SandboxParts } from './sandbox-messages.ts';
import { DATE_SOURCE, EVALUATE_SOURCE, MATH_SOURCE, STRING_SOURCE } from './sandbox-prelude.ts';
import { offsetAt, toInstant } from './zone.ts';

/**
 * QuickJS's own limit counts allocations, not their sizes, in WebAssembly; so the instance's memory is limited: 16 MB at the start, and 64
 * MB more.
 */
const MEMORY_LIMIT_MB = 64;
const PAGE_BYTES = 65_536;
const INITIAL_PAGES = 256;
/** Near the limit, memory grows in steps larger than the room that is left, so it counts as full this many pages before the end. */
const PAGES_TO_SPARE = 128;
const MAXIMUM_PAGES = INITIAL_PAGES + (MEMORY_LIMIT_MB * 1024 * 1024) / PAGE_BYTES;
/** With a larger limit the host's own stack would overflow first, which crashes QuickJS. */
const STACK_LIMIT_BYTES = 128 * 1024;

/** Node's types leave this out. */
declare const WebAssembly: { readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory };

let timezone = 'UTC';

/** An evaluation, and what it begins from. */
interface Loaded {
  readonly answer: (request: Request) => Answer;
  readonly image: Uint8Array | undefined;
}

async function load({ wasm, begin }: Omit<SandboxParts, 'code'>): Promise<Loaded> {
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  const wasmBinary = wasm.slice().buffer as ArrayBuffer;
  // The package's types describe its CommonJS form.
  const variant = newVariant(quickjsVariant as unknown as QuickJSSyncVariant, { wasmBinary, wasmMemory: memory });
  const quickjs = await newQuickJSWASMModuleFromVariant(variant);
  const runtime = quickjs.newRuntime();
  runtime.setMaxStackSize(STACK_LIMIT_BYTES);
  const context = runtime.newContext();
  // The steps before an image is loaded are the same in each thread, so that everything is at the same addresses.
  const host = hostFunctions(context);
  const kept = context.newObject();
  if ('moment' in begin) context.setProp(kept, 'evaluate', prepare(context, host, begin.moment));
  const address = kept.value as number;
  const image = 'moment' in begin ? imageOf(memory, address) : readImage(begin.image, address);
  restore(memory, image);
  return { answer: answering(memory, image, context, kept), image: 'moment' in begin ? image.bytes : undefined };
}

function answering(
  memory: WasmMemory,
  image: Image,
  context: QuickJSContext,
  kept: QuickJSHandle,
): (request: Request) => Answer {
  return ({ source, scope, timezone: zone }) => {
    timezone = zone;
    let result: Evaluated;
    let usable = true;
    try {
      result = run(context, kept, source, scope);
      restore(memory, image);
    } catch (error) {
      // The host threw inside the instance: its own stack ran out, an assertion.
      result = { ok: false, message: `InternalError: ${error instanceof Error ? error.message : String(error)}` };
      usable = false;
    }
    const pages = memory.buffer.byteLength / PAGE_BYTES;
    // When memory is full, there is often none left for the error either.
    const isFull = pages > MAXIMUM_PAGES - PAGES_TO_SPARE;
    if (!result.ok && (isFull || result.message === 'InternalError: out of memory'))
      result = { ok: false, message: `it needs more than ${MEMORY_LIMIT_MB} MB of memory` };
    return { result, usable: usable && pages === INITIAL_PAGES };
  };
}

interface HostFunctions {
  readonly offsetAt: QuickJSHandle;
  readonly toInstant: QuickJSHandle;
  readonly random: QuickJSHandle;
}

/** An image refers to these functions by number, so each thread makes the same ones in the same order. */
function hostFunctions(context: QuickJSContext): HostFunctions {
  const number = (value: QuickJSHandle | undefined): number =>
    value === undefined ? Number.NaN : context.getNumber(value);
  const host = (name: string, answer: (value: number) => number): QuickJSHandle =>
    context.newFunction(name, (value) => context.newNumber(answer(number(value))));
  return {
    offsetAt: host('offsetAt', (instant) => offsetAt(timezone, instant)),
    toInstant: host('toInstant', (wall) => toInstant(timezone, wall)),
    random: host('random', () => Math.random()),
  };
}

/** Gives the context its zone, digdag's methods of strings and moment; answers the function that evaluates. */
function prepare(context: QuickJSContext, host: HostFunctions, moment: string): QuickJSHandle {
  invoke(context, DATE_SOURCE, [context.global, host.offsetAt, host.toInstant]);
  invoke(context, MATH_SOURCE, [host.random]);
  invoke(context, STRING_SOURCE, []);
  context.unwrapResult(context.evalCode(moment, 'moment.min.js')).dispose();
  return invoke(context, EVALUATE_SOURCE, []);
}

function invoke(context: QuickJSContext, source: string, arguments_: QuickJSHandle[]): QuickJSHandle {
  const callee = context.unwrapResult(context.evalCode(source, 'trowel.js'));
  return context.unwrapResult(context.callFunction(callee, context.undefined, ...arguments_));
}

/** No handle is disposed of: their memory is put back with the rest. */
function run(context: QuickJSContext, kept: QuickJSHandle, source: string, scope: string): Evaluated {
  const evaluate = context.getProp(kept, 'evaluate');
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

function usageFile(): string | undefined {
  try {
    const file = `/proc/${readlinkSync('/proc/thread-self')}/schedstat`;
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

// Not awaited at the top: the code is run as CommonJS.
void load(workerData as Omit<SandboxParts, 'code'>).then(({ answer, image }) => {
  parentPort?.on('message', (request: Request) => parentPort?.postMessage(answer(request)));
  parentPort?.postMessage({ image, usage: usageFile() } satisfies Ready);
});
