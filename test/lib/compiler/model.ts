/**
 * digdag's semantics as an interpreter of the workflow's tree, to hold the compiler against. A scope is one flat list: exports and stores
 * from far to near (WorkflowExecutor.collectParams); nothing is merged before a task renders it. Every node gives back what it and its
 * descendants stored, in definition order. It shares nothing with lib/compiler; expressions and loop items are lib/expression's.
 *
 * Where Trowel differs from digdag on purpose, the model either does as Trowel (said there) or sets `excluded`.
 */

import { isMapping } from '../../../lib/asl/json.ts';
import { ERRORS } from '../../../lib/contract/errors.ts';
import type { Layer } from '../../../lib/contract/payload.ts';
import {
  calledFile,
  callFile,
  condition,
  parallelism,
  retry as readRetry,
} from '../../../lib/expression/directives.ts';
import { loopItems } from '../../../lib/expression/items.ts';
import { render } from '../../../lib/expression/render.ts';
import type { Group, Mapping, Node, Retry, Task, Value, Workflow } from '../../../lib/language/workflow.ts';

export interface Modelled {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly error?: Failure;
  /** As play's. */
  readonly seen: readonly string[];
  /** Absent where Trowel's levels wait for more than digdag. */
  readonly seconds?: number;
  /** Why this run cannot be compared. */
  readonly excluded?: string;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
}

export async function model(
  workflow: Workflow,
  workflows: ReadonlyMap<string, Workflow>,
  params: Mapping,
): Promise<Modelled> {
  const run = new Run(workflows);
  const around: Around = { name: '', scope: [params], workdir: '', calls: [workflow.file] };
  try {
    const { failure, seconds } = await run.node(around, workflow.root);
    return {
      status: failure === undefined ? 'SUCCEEDED' : 'FAILED',
      ...(failure && { error: failure.first }),
      seen: run.seen,
      ...(run.waitsMore ? {} : { seconds }),
      ...(run.excluded && { excluded: run.excluded }),
    };
  } catch (error) {
    if (error !== TOO_LONG) throw error;
    return { status: 'FAILED', seen: [], excluded: 'too long' };
  }
}

const MOST_TASKS = 250;
const TOO_LONG = Symbol('too long');

/** What a node stands in. */
interface Around {
  readonly name: string;
  readonly scope: readonly Layer[];
  readonly workdir: string;
  readonly calls: readonly string[];
}

interface Result {
  /** Of the node and all below it, tries and handlers included, in definition order. */
  readonly stored: readonly Mapping[];
  /** The run ends with the first failure; handlers see the latest. */
  readonly failure?: { readonly first: Failure; readonly latest: Failure };
  readonly seconds: number;
}

type Failed = Result & { readonly failure: object };

const NOTHING: Result = { stored: [], seconds: 0 };

function failed(name: string, message: string): Failed {
  const failure = { name, message };
  return { stored: [], failure: { first: failure, latest: failure }, seconds: 0 };
}

/** A coercion that failed; digdag marks these so. */
function badInput(message: string): Result {
  return failed(ERRORS.badInput, `${message} (config)`);
}

interface Tries {
  readonly limit: number;
  /** Seconds before the n-th retry, from 1. */
  readonly wait: (n: number) => number;
}

class Run {
  readonly seen: string[] = [];
  waitsMore = false;
  excluded: string | undefined;
  readonly #workflows: ReadonlyMap<string, Workflow>;
  readonly #runs = new Map<string, number>();
  #tasks = 0;
  #failedTries = 0;

  constructor(workflows: ReadonlyMap<string, Workflow>) {
    this.#workflows = workflows;
  }

  node(around: Around, node: Node): Promise<Result> {
    const name = around.name + node.name;
    const { export: exported } = node.directives;
    const scope: Layer[] = exported === undefined ? [...around.scope] : [...around.scope, [exported]];
    const inside = { ...around, name, scope };
    return node.kind === 'group' ? this.#group(inside, node) : this.#task(inside, node);
  }

  async #group(inside: Around, group: Group): Promise<Result> {
    const { error, retry } = group.directives;
    const tries = retry?.kind === 'literal' ? literalTries(retry) : ONCE;
    const result = await this.#repeat(tries, () => this.#children(inside, group));
    return this.#handled(inside, error, result, 'group');
  }

  async #task(inside: Around, task: Task): Promise<Result> {
    const { error, check, retry } = task.directives;
    const generated = task.body !== undefined || task.elseBody !== undefined || task.operator === 'call';
    let tries = ONCE;
    if (retry?.kind === 'expression') {
      const rendered = await this.#render(inside, task);
      if ('failure' in rendered) return this.#handled(inside, error, rendered, 'task');
      const read = readRetry(rendered.keys._retry ?? null);
      if (!read.ok) return this.#handled(inside, error, badInput(read.message), 'task');
      tries = literalTries(read.value);
    } else if (retry?.kind === 'literal') {
      // A state that repeats itself waits a second at least.
      const state = !generated && check === undefined && task.operator === 'py';
      tries = literalTries(retry, state ? 1 : 0);
    }
    let repeatable = true;
    const once = async (): Promise<Result> => {
      const done = await this.#operator(inside, task);
      // A task's own _retry is not for an expression that fails.
      repeatable = generated || done.failure === undefined || done.failure.latest.name === ERRORS.taskFailed;
      if (done.failure !== undefined || check === undefined) return done;
      const checked = await this.node({ ...inside, scope: [...inside.scope, ...done.stored] }, check);
      return after(done, checked);
    };
    const result = await this.#repeat(tries, once, () => repeatable);
    return this.#handled(inside, error, result, generated ? 'group' : 'task');
  }

  /** Each try sees nothing of those before; what follows sees all. The counter of a retry inside starts anew (Trowel's decision). */
  async #repeat(tries: Tries, once: () => Promise<Result>, again = () => true): Promise<Result> {
    let all: Result = await once();
    for (let n = 1; n <= tries.limit && all.failure !== undefined && again(); n += 1) {
      const { failure: _, ...before } = all;
      this.#failedTries += 1;
      all = after({ ...before, seconds: before.seconds + tries.wait(n) }, await once());
    }
    return all;
  }

  /**
   * `_error` runs after the last try, at the end of what failed, and never mends it. Of a group, the handler's own `_export` is weaker than what
   * the group's tasks stored, for digdag puts their stores into it; of a task it stands on top.
   */
  async #handled(inside: Around, handler: Node | undefined, result: Result, of: 'group' | 'task'): Promise<Result> {
    const { failure } = result;
    if (handler === undefined || failure === undefined) return result;
    const error: Layer = [{ error: { message: failure.latest.message } }, 0];
    const { export: exported, ...others } = handler.directives;
    const own: Layer[] = exported === undefined ? [] : [[exported]];
    const scope =
      of === 'group'
        ? [...inside.scope, ...own, ...result.stored, error]
        : [...inside.scope, ...result.stored, error, ...own];
    const tries = this.#failedTries;
    const handling = await this.node({ ...inside, scope }, { ...handler, directives: others });
    // To outer handlers digdag shows the error of any descendant, Trowel that of the frame's latest failure, of a mended one too.
    if (handling.failure === undefined && this.#failedTries > tries)
      this.excluded ??= 'a handler mended its own failure';
    return {
      stored: [...result.stored, ...handling.stored],
      failure: { first: failure.first, latest: handling.failure?.latest ?? failure.latest },
      seconds: result.seconds + handling.seconds,
    };
  }

  async #children(inside: Around, group: Group): Promise<Result> {
    const { children } = group;
    const upstream = ancestors(group);
    const related = (a: number, b: number): boolean => upstream[a]!.has(b) || upstream[b]!.has(a);
    const results: (Result | undefined)[] = [];
    const ends: number[] = [];
    for (const [index, child] of children.entries()) {
      const waits = [...upstream[index]!].sort((a, b) => a - b);
      const begin = Math.max(0, ...waits.map((place) => ends[place]!));
      const blocked = waits.some((place) => results[place] === undefined || results[place].failure !== undefined);
      if (blocked) {
        results.push(undefined);
        ends.push(begin);
        continue;
      }
      const stored = waits.flatMap((place) => results[place]!.stored);
      const result = await this.node({ ...inside, scope: [...inside.scope, ...stored] }, child);
      results.push(result);
      ends.push(begin + result.seconds);
    }
    if (group.parallel.kind === 'parallel') this.#examine(results, related);
    return { ...together(results.filter((result) => result !== undefined)), seconds: Math.max(0, ...ends) };
  }

  /** What `_after` makes that Trowel does in another way. */
  #examine(results: readonly (Result | undefined)[], related: (a: number, b: number) => boolean): void {
    const places = results.map((_, index) => index);
    if (hasN(places, related)) {
      this.waitsMore = true;
      // compiling.md, section 10: after a failure in a level, nothing of the next level starts.
      if (results.some((result) => result?.failure !== undefined)) this.excluded ??= 'failure in a graph with an N';
    }
    // Chains side by side are merged chain by chain: where they interleave in the file, that is not definition order.
    for (const j of places) {
      const chain = connected(places, j, related);
      for (const i of places.slice(0, j)) {
        if (chain.has(i) && related(i, j)) continue;
        if (!places.slice(0, i).some((h) => chain.has(h) && h !== i)) continue;
        const both = [results[i], results[j]];
        const [keysI, keysJ] = both.map((result) => new Set(result?.stored.flatMap(Object.keys)));
        if ([...keysI!].some((key) => keysJ!.has(key)) || both.every((result) => result?.failure !== undefined))
          this.excluded ??= 'interleaved chains of _after';
      }
    }
  }

  async #operator(inside: Around, task: Task): Promise<Result> {
    const { command, operator } = task;
    switch (operator) {
      case 'py':
        return this.#python(inside, task);
      case 'echo':
      case 'fail': {
        const rendered = await this.#render(inside, task);
        if ('failure' in rendered) return rendered;
        const { keys } = rendered;
        const text = String(keys[`${operator}>`] ?? '');
        this.seen.push(`${inside.name} ${operator} ${text}`);
        return operator === 'echo' ? NOTHING : failed(ERRORS.taskFailed, text);
      }
      case 'wait':
        return { stored: [], seconds: Number.parseInt(String(command), 10) };
      case 'if': {
        const rendered = await this.#render(inside, task);
        if ('failure' in rendered) return rendered;
        const { keys } = rendered;
        const yes = condition(keys['if>'] === null ? '' : keys['if>']);
        if (!yes.ok) return badInput(yes.message);
        const arm = yes.value ? task.body : task.elseBody;
        return arm === undefined ? NOTHING : this.node(inside, arm);
      }
      case 'call':
        return this.#call(inside, task);
      default:
        return this.#loop(inside, task);
    }
  }

  async #call(inside: Around, task: Task): Promise<Result> {
    const rendered = await this.#render(inside, task);
    if ('failure' in rendered) return rendered;
    const { keys } = rendered;
    const file = callFile('call', keys);
    if (!file.ok) return badInput(file.message);
    const workflows = [...this.#workflows.values()];
    const called = calledFile(file.value, { files: workflows.map((each) => each.file), chain: inside.calls });
    if (!called.ok) return failed(ERRORS.badInput, called.message);
    const callee = workflows.find((workflow) => workflow.file === called.value)!;
    const workdir = callee.file.includes('/') ? callee.file.slice(0, callee.file.lastIndexOf('/')) : '';
    const calls = [...inside.calls, callee.file];
    return this.node({ ...inside, workdir, calls }, { ...callee.root, name: '^sub' });
  }

  /** Iterations are siblings: each sees those before it, all of them, those of the chunks before it, or none. */
  async #loop(inside: Around, task: Task): Promise<Result> {
    const rendered = await this.#render(inside, task);
    if ('failure' in rendered) return rendered;
    const { keys } = rendered;
    const items = loopItems(task.operator, keys);
    if (!items.ok) return badInput(items.message);
    const width = parallelism(keys._parallel);
    if (!width.ok) return badInput(width.message);
    const size = width.value < 0 ? items.value.length : width.value === 0 ? 1 : width.value;
    const body = task.body!;
    const { export: exported, ...directives } = body.directives;
    let all = NOTHING;
    for (let from = 0; from < items.value.length && all.failure === undefined; from += size) {
      const chunk: Result[] = [];
      for (const { n, x } of items.value.slice(from, from + size)) {
        // A loop variable beats an _export of the body.
        const own: Layer[] = exported === undefined ? [[x, 0]] : [[exported], [x, 0]];
        const scope = [...inside.scope, ...all.stored, ...own];
        const bare: Node = { ...body, name: `^sub${n}`, directives };
        chunk.push(await this.node({ ...inside, scope }, bare));
      }
      all = after(all, together(chunk));
    }
    return all;
  }

  async #python(inside: Around, task: Task): Promise<Result> {
    const rendered = await this.#render(inside, task);
    if ('failure' in rendered) return rendered;
    const { params, keys } = rendered;
    const { name } = inside;
    const run = (this.#runs.get(name) ?? 0) + 1;
    this.#runs.set(name, run);
    const stores = (data: Value | undefined): Result => ({ stored: isMapping(data) ? [data] : [], seconds: 0 });
    switch (keys['py>']) {
      case 't.store':
        this.seen.push(name);
        return stores(keys.data);
      case 't.see': {
        const shown = Object.keys(params).filter((key) => key !== 'task_name' && !Object.hasOwn(keys, key));
        this.seen.push([name, ...shown.map((key) => `${key}=${textOf(params[key])}`)].join(' '));
        return NOTHING;
      }
      case 't.boom':
        this.seen.push(`${name} !`);
        return failed(ERRORS.taskFailed, String(keys.msg ?? 'boom'));
      case 't.flaky':
        this.seen.push(`${name} #${run}`);
        return run <= Number(keys.fails) ? failed(ERRORS.taskFailed, `run ${run}`) : stores(keys.data);
      default:
        throw new Error(`no function ${String(keys['py>'])}`);
    }
  }

  async #render(inside: Around, task: Task): Promise<Rendered | Failed> {
    this.#tasks += 1;
    if (this.#tasks > MOST_TASKS) throw TOO_LONG;
    if (changesKind(inside.scope)) this.excluded ??= 'a key goes from mapping to plain value and back';
    const keys: Mapping = { ...task.keys, ...(inside.workdir === '' ? {} : { _workdir: inside.workdir }) };
    const rendered = await render({ layers: [...inside.scope], builtins: {}, task: inside.name, keys });
    return rendered.ok ? rendered : failed(rendered.error.name, rendered.error.message);
  }
}

interface Rendered {
  readonly params: Mapping;
  readonly keys: Mapping;
}

const ONCE: Tries = { limit: 0, wait: () => 0 };

/** @param least seconds: the least interval that a state's own Retry has */
function literalTries(retry: Omit<Extract<Retry, { kind: 'literal' }>, 'kind'>, least = 0): Tries {
  const { limit, exponential, maxInterval } = retry;
  const interval = Math.max(least, retry.interval);
  const grown = (n: number): number => (exponential ? interval * 2 ** (n - 1) : interval);
  return { limit, wait: (n) => Math.min(grown(n), maxInterval ?? Number.POSITIVE_INFINITY) };
}

function after(before: Result, next: Result): Result {
  return { ...next, stored: [...before.stored, ...next.stored], seconds: before.seconds + next.seconds };
}

function together(results: readonly Result[]): Result {
  const failures = results.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const [first] = failures;
  const last = failures.at(-1);
  return {
    stored: results.flatMap(({ stored }) => stored),
    ...(first && last && { failure: { first: first.first, latest: last.latest } }),
    seconds: Math.max(0, ...results.map(({ seconds }) => seconds)),
  };
}

/** For each child all that it waits for, directly or not (digdag's WorkflowCompiler). */
function ancestors({ children, parallel }: Group): Set<number>[] {
  const all: Set<number>[] = [];
  let before: number[] = [];
  for (const [index, { directives }] of children.entries()) {
    let waits: number[];
    if (parallel.kind === 'parallel') {
      waits = (directives.after ?? []).map((name) => children.findIndex((child) => child.name === name));
    } else if (parallel.kind === 'limit') {
      const start = index - (index % parallel.limit) - parallel.limit;
      waits = start < 0 ? [] : Array.from({ length: parallel.limit }, (_, k) => start + k);
    } else if (directives.background) {
      waits = [];
      before.push(index);
    } else {
      waits = before;
      before = [index];
    }
    all.push(new Set(waits.flatMap((place) => [place, ...all[place]!])));
  }
  return all;
}

type Related = (a: number, b: number) => boolean;

/** An order is made of series and parallels unless four of its members form an N. */
function hasN(places: readonly number[], related: Related): boolean {
  return places.some((a) =>
    places.some(
      (b) =>
        related(a, b) &&
        places.some(
          (c) =>
            related(b, c) &&
            c !== a &&
            !related(a, c) &&
            places.some((d) => related(c, d) && d !== b && !related(a, d) && !related(b, d)),
        ),
    ),
  );
}

function connected(places: readonly number[], start: number, related: Related): Set<number> {
  const found = new Set([start]);
  for (const place of found) for (const other of places) if (related(place, other)) found.add(other);
  return found;
}

/** compiling.md, section 3: merging by layers is not the same where a key is a mapping, a plain value and a mapping again. */
function changesKind(scope: readonly Layer[]): boolean {
  const seen = new Map<string, 'mapping' | 'plain' | 'plain again'>();
  const visit = (path: string, mapping: Mapping): boolean =>
    Object.entries(mapping).some(([key, value]) => {
      const at = `${path}.${key}`;
      const before = seen.get(at);
      if (!isMapping(value)) {
        seen.set(at, before === 'mapping' ? 'plain again' : (before ?? 'plain'));
        return false;
      }
      if (before === 'plain again') return true;
      seen.set(at, 'mapping');
      return visit(at, value);
    });
  return scope.some((layer) => visit('', Array.isArray(layer) ? layer[0] : layer));
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
