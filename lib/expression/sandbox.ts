/**
 * Runs the JavaScript of `${…}` in QuickJS compiled to WebAssembly: no file, network, process or module; one second and 64 MB an
 * evaluation. Loaded only for texts that are no plain path. One context serves all expressions; what could outlive an
 * expression is frozen, and a script that means to change it gets a context of its own.
 */
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import type { Value } from '../language/workflow.ts';
import { sandboxAssets } from './sandbox-assets.ts';
import { DATE_SOURCE, EVALUATE_SOURCE, STRING_SOURCE } from './sandbox-prelude.ts';
import type { Part } from './scan.ts';
import { offsetAt, toInstant } from './zone.ts';

const TIME_LIMIT_MS = 1000;
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

/** `message` is `ReferenceError: nope is not defined` and the like. */
export type Evaluated = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/** Scripts that may change what outlives them (or that would trip over its being frozen) run in a context of their own. */
const WANTS_OWN_CONTEXT =
  /eval|Function|constructor|prototype|__proto__|globalThis|defineProp|setPrototypeOf|ocale|hreshold|ounding|\\u|(?:toString|valueOf)\s*=[^=]/;
/** Scripts that may name a variable without spelling it. */
const WANTS_WHOLE_SCOPE = /this|eval|Function|constructor|\\u/;

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Node's types leave this out. */
const { Memory } = (
  globalThis as unknown as {
    WebAssembly: { Memory: new (size: { initial: number; maximum: number }) => WasmMemory };
  }
).WebAssembly;

let loading: Promise<Sandbox> | undefined;

/** The process's one sandbox; a new one after the last one's memory ran out or its WebAssembly instance crashed. */
export async function loadSandbox(): Promise<Sandbox> {
  for (;;) {
    loading ??= createSandbox();
    const sandbox = await loading;
    if (sandbox.usable) return sandbox;
  }
}

async function createSandbox(): Promise<Sandbox> {
  const [{ default: variant }, { wasm, moment }] = await Promise.all([
    import('@jitl/quickjs-wasmfile-release-sync'),
    sandboxAssets(),
  ]);
  const wasmBinary = wasm.slice().buffer as ArrayBuffer;
  // The package's types describe its CommonJS form.
  const memory = new Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
  const sync = newVariant(variant as unknown as QuickJSSyncVariant, { wasmBinary, wasmMemory: memory });
  return new Sandbox(await newQuickJSWASMModuleFromVariant(sync), memory, moment);
}

interface Realm {
  readonly context: QuickJSContext;
  readonly evaluate: QuickJSHandle;
  readonly hasMoment: boolean;
}

export class Sandbox {
  /** False: evaluate nothing more here. */
  usable = true;
  private readonly quickjs: QuickJSWASMModule;
  private readonly memory: WasmMemory;
  private readonly moment: string;
  private shared: Realm | undefined;
  private timezone = 'UTC';
  private deadline = Number.POSITIVE_INFINITY;

  constructor(quickjs: QuickJSWASMModule, memory: WasmMemory, moment: string) {
    this.quickjs = quickjs;
    this.memory = memory;
    this.moment = moment;
  }

  /**
   * Evaluates one scalar as a whole, as digdag does: variables that one of its expressions sets are seen by the next.
   * `names` are the variables in scope, `value` gives each.
   */
  evaluate(
    parts: readonly Part[],
    names: Iterable<string>,
    value: (name: string) => Value,
    timezone: string,
  ): Evaluated {
    const scripts = parts.flatMap((part) => (part.kind === 'expression' ? [part.script] : [])).join('\n');
    this.timezone = timezone;
    const own = WANTS_OWN_CONTEXT.test(scripts);
    let result: Evaluated;
    try {
      const realm = own ? this.open(scripts.includes('moment'), false) : this.sharedRealm(scripts.includes('moment'));
      result = this.run(realm, sourceOf(parts), JSON.stringify(scopeFor(scripts, names, value)));
      if (own || (!result.ok && result.message.startsWith('InternalError'))) this.close(realm);
    } catch (error) {
      // The instance is not usable after an exception of the host inside it (its own stack ran out, an assertion).
      this.abandon();
      result = { ok: false, message: `InternalError: ${error instanceof Error ? error.message : String(error)}` };
    }
    // Without memory there is often none for the error either.
    const outOfMemory = result.ok ? false : this.isFull() || result.message === 'InternalError: out of memory';
    if (this.isFull() || outOfMemory) this.abandon();
    if (outOfMemory) return { ok: false, message: `it needs more than ${MEMORY_LIMIT_MB} MB of memory` };
    return result.ok ? result : { ok: false, message: explain(result.message) };
  }

  private isFull(): boolean {
    return this.memory.buffer.byteLength > (MAXIMUM_PAGES - PAGES_TO_SPARE) * PAGE_BYTES;
  }

  /** WebAssembly's memory never shrinks: the next evaluation gets a new instance, and this one's is collected. */
  private abandon(): void {
    this.usable = false;
    this.shared = undefined;
    loading = undefined;
  }

  private run({ context, evaluate }: Realm, source: string, scope: string): Evaluated {
    const arguments_ = [context.newString(source), context.newString(scope)];
    this.deadline = Date.now() + TIME_LIMIT_MS;
    const result = context.callFunction(evaluate, context.undefined, ...arguments_);
    this.deadline = Number.POSITIVE_INFINITY;
    for (const handle of arguments_) handle.dispose();
    if (result.error === undefined) {
      const text = context.getString(result.value);
      result.value.dispose();
      return { ok: true, text: JSON.parse(text) as string };
    }
    const message = errorText(context, result.error);
    result.error.dispose();
    return { ok: false, message };
  }

  private sharedRealm(needsMoment: boolean): Realm {
    if (this.shared !== undefined && needsMoment && !this.shared.hasMoment) this.close(this.shared);
    this.shared ??= this.open(needsMoment, true);
    return this.shared;
  }

  private open(hasMoment: boolean, frozen: boolean): Realm {
    const runtime = this.quickjs.newRuntime();
    runtime.setMaxStackSize(STACK_LIMIT_BYTES);
    runtime.setInterruptHandler(() => Date.now() > this.deadline);
    const context = runtime.newContext();
    const { global } = context;
    const zone = [
      context.newFunction('offsetAt', (instant) =>
        context.newNumber(offsetAt(this.timezone, context.getNumber(instant))),
      ),
      context.newFunction('toInstant', (wall) => context.newNumber(toInstant(this.timezone, context.getNumber(wall)))),
    ];
    invoke(context, DATE_SOURCE, [global, ...zone]);
    invoke(context, STRING_SOURCE, []);
    if (hasMoment) context.unwrapResult(context.evalCode(this.moment, 'moment.min.js')).dispose();
    const evaluate = invoke(context, EVALUATE_SOURCE, [global, frozen ? context.true : context.false]);
    for (const handle of zone) handle.dispose();
    return { context, evaluate, hasMoment };
  }

  private close(realm: Realm): void {
    if (realm === this.shared) this.shared = undefined;
    realm.evaluate.dispose();
    const { runtime } = realm.context;
    realm.context.dispose();
    runtime.dispose();
  }
}

function invoke(context: QuickJSContext, source: string, arguments_: QuickJSHandle[]): QuickJSHandle {
  const callee = context.unwrapResult(context.evalCode(source, 'trowel.js'));
  const result = context.unwrapResult(context.callFunction(callee, context.undefined, ...arguments_));
  callee.dispose();
  return result;
}

/** digdag's own shape of the function: `with` makes every variable a name, `print` writes into the text. */
function sourceOf(parts: readonly Part[]): string {
  const pieces = parts.map((part) =>
    part.kind === 'text' ? `__p+=${literal(part.text)};` : `__p+=__text(\n(${part.script})\n);`,
  );
  return `with(this){var __p='',print=function(){__p+=Array.prototype.join.call(arguments,'')};${pieces.join('\n')}\nreturn __p}`;
}

function literal(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function scopeFor(scripts: string, names: Iterable<string>, value: (name: string) => Value): { [name: string]: Value } {
  const whole = WANTS_WHOLE_SCOPE.test(scripts);
  const scope: { [name: string]: Value } = {};
  for (const name of names) {
    if (whole || scripts.includes(name)) Object.defineProperty(scope, name, { value: value(name), enumerable: true });
  }
  return scope;
}

function errorText(context: QuickJSContext, error: QuickJSHandle): string {
  const shown = context.dump(error) as unknown;
  if (typeof shown === 'object' && shown !== null && 'message' in shown) {
    const { name = 'Error', message } = shown as { name?: unknown; message: unknown };
    return `${String(name)}: ${String(message)}`;
  }
  return typeof shown === 'string' ? shown : JSON.stringify(shown);
}

/** QuickJS's words in those of digdag's engine. */
function explain(message: string): string {
  if (message === 'InternalError: interrupted') return `it ran longer than ${TIME_LIMIT_MS / 1000} s`;
  return message.replace(/^ReferenceError: '(.*)' is not defined$/, 'ReferenceError: $1 is not defined');
}
