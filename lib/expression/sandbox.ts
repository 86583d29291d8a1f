/**
 * Evaluates the JavaScript of `${…}`: in QuickJS compiled to WebAssembly, in a thread of its own (sandbox-thread.ts), so that it can be
 * stopped whatever it does, and the process can handle signals meanwhile. Loaded only for texts that are more than a plain path.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Value } from '../language/workflow.ts';
import type { Answer, Evaluated, Ready, Request, SandboxParts } from './sandbox-messages.ts';
import { sandboxParts } from './sandbox-parts.ts';
import type { Part } from './scan.ts';

/**
 * An evaluation has this much processor time, so that a short one does not fail on a loaded machine. On Linux the thread's own time is
 * measured; elsewhere the whole process's, since the system gives no other.
 */
const TIME_LIMIT_MS = 1000;
/** The most time on the clock, for systems that do not measure processor time correctly. */
const WALL_LIMIT_MS = 10_000;
/**
 * V8 optimizes a function of WebAssembly after so many bytes of its loops. QuickJS's interpreter is one loop of 30 KB; V8 needs 0.1 s to
 * optimize it, and the process would wait for that at its end. So only what runs for some milliseconds is optimized.
 */
const TIERING_BUDGET = 1_000_000_000;
/** Most evaluations are over before anything is measured. */
const FIRST_LOOK_MS = 50;

/** Scripts that may read a variable without writing its name. */
const WANTS_WHOLE_SCOPE = /this|eval|Function|constructor|\\u/;

/** One evaluation at a time: each has the thread's memory to itself. */
let turn: Promise<unknown> = Promise.resolve();
let thread: Promise<Thread> | undefined;
/** The parts that threads are started with; set by the first start. */
let parts: SandboxParts | undefined;

/**
 * Evaluates one scalar as a whole, as digdag does: variables that one of its expressions sets are seen by the next expressions, but not in
 * other scalars. `names` are the variables in scope, `value` gives each.
 */
export function evaluate(
  parts: readonly Part[],
  names: Iterable<string>,
  value: (name: string) => Value,
  timezone: string,
): Promise<Evaluated> {
  const scripts = parts.flatMap((part) => (part.kind === 'expression' ? [part.script] : [])).join('\n');
  const request = { source: sourceOf(parts), scope: JSON.stringify(scopeFor(scripts, names, value)), timezone };
  const result = turn.then(() => run(request));
  turn = result;
  return result;
}

async function run(request: Request): Promise<Evaluated> {
  try {
    thread ??= Thread.start();
    const answer = await (await thread).evaluate(request);
    if (!answer.usable) thread = undefined;
    return answer.result.ok ? answer.result : { ok: false, message: explain(answer.result.message) };
  } catch (error) {
    thread = undefined;
    return { ok: false, message: `InternalError: ${error instanceof Error ? error.message : String(error)}` };
  }
}

class Thread {
  readonly #worker: Worker;
  /** A file of /proc. */
  readonly #usage: string | undefined;

  constructor(worker: Worker, usage: string | undefined) {
    this.#worker = worker;
    this.#usage = usage;
  }

  static async start(): Promise<Thread> {
    parts ??= await sandboxParts();
    const { code, ...workerData } = parts;
    setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
    // The thread needs neither the environment nor the loader of TypeScript.
    const worker = new Worker(code, { eval: true, workerData, env: {}, execArgv: [], name: 'trowel-sandbox' });
    const { usage, image } = await answerOf<Ready>(worker);
    if (image !== undefined) parts = { ...parts, begin: { image } };
    return new Thread(worker, usage);
  }

  async evaluate(request: Request): Promise<Answer> {
    const began = performance.now();
    let atFirst: number | undefined;
    let late = false;
    const look = (): void => {
      const used = this.#used();
      // The evaluation's processor time before the first look is not measured; all of that time is counted.
      atFirst ??= used - FIRST_LOOK_MS;
      const left = Math.min(TIME_LIMIT_MS - (used - atFirst), WALL_LIMIT_MS - (performance.now() - began));
      late = left <= 0;
      if (late) void this.#worker.terminate();
      else timer = setTimeout(look, Math.max(left, 10));
    };
    let timer = setTimeout(look, FIRST_LOOK_MS);
    try {
      const answer = answerOf<Answer>(this.#worker);
      this.#worker.postMessage(request);
      const { result, usable } = await answer;
      if (!usable) void this.#worker.terminate();
      return { result, usable };
    } catch (error) {
      if (!late) throw error;
      return { result: { ok: false, message: `it ran longer than ${TIME_LIMIT_MS / 1000} s` }, usable: false };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Milliseconds of processor time. */
  #used(): number {
    if (this.#usage !== undefined) return Number(readFileSync(this.#usage, 'utf8').split(' ')[0]) / 1e6;
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}

/** The next message of a thread. The thread keeps the process alive until then, but not while it is idle. */
function answerOf<T>(worker: Worker): Promise<T> {
  worker.ref();
  return new Promise<T>((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      worker.unref();
    };
    const onMessage = (message: T): void => {
      settle();
      resolve(message);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const onExit = (): void => onError(new Error('its thread has ended'));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
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

/** Turns QuickJS's message into that of digdag's engine. */
function explain(message: string): string {
  return message.replace(/^ReferenceError: '(.*)' is not defined$/, 'ReferenceError: $1 is not defined');
}
