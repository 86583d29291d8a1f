/**
 * The one renderer of `${…}`: merges the layers of a task's scope and evaluates every template in it, in digdag's order and scope
 * (digdag-core ConfigEvalEngine, OperatorManager.evalConfig). Unlike digdag it evaluates only text of the project's files: what
 * comes from stores, parameters, loop items and errors is data, whatever it contains.
 *
 * merge.ts marks and merges; scan.ts and path.ts read a text; sandbox.ts, loaded only for real JavaScript, evaluates it.
 */

import { isMapping } from '../asl/json.ts';
import { ERRORS } from '../contract/errors.ts';
import { type ErrorOutput, errorVariable } from '../contract/failure.ts';
import {
  getOwn,
  isMarkedMapping,
  type Marked,
  type MarkedMapping,
  markTemplates,
  merge,
  setOwn,
  Template,
  unmark,
} from '../contract/merge.ts';
import type { Layer } from '../contract/payload.ts';
import { decode, findMark, hasNoText, isKept, isReference } from '../language/value-form.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { lookUp, parsePath, textOf } from './path.ts';
import type { Evaluated } from './sandbox-messages.ts';
import { type Part, scan } from './scan.ts';

export interface RenderRequest {
  /** Near last. The shape of each shows whether it is data or template text (lib/contract/payload.ts). */
  readonly layers: readonly Layer[];
  /** Built-in variables without `task_name`; they beat every layer. */
  readonly builtins: Mapping;
  /** Full task name: the variable `task_name`. */
  readonly task: string;
  /** The task's own keys, template text; they beat everything. */
  readonly keys: Mapping;
  /** The zone of `Date` and `moment`; by default the built-in `timezone`. */
  readonly timezone?: string;
  /** Whether the template of an own key may give a reference to a file unchanged: `df: ${frame}`. */
  readonly passes?: (key: string, mark: Mapping) => boolean;
}

export type RenderResult =
  | {
      readonly ok: true;
      /** Everything in scope, evaluated, in wire form (digdag's `params`). */
      readonly params: Mapping;
      /** Only the task's own keys, evaluated, as plain data, in the order written. */
      readonly keys: Mapping;
      /** The same in wire form. */
      readonly own: Mapping;
    }
  | { readonly ok: false; readonly error: { readonly name: typeof ERRORS.template; readonly message: string } };

/** Bodies of generated tasks, evaluated when those tasks run. */
const NOT_EVALUATED = new Set(['_do', '_else_do']);

/** Characters of the faulty text that the message shows. */
const MESSAGE_TEXT_LIMIT = 2000;

/** Evaluates everything in a task's scope; one bad expression anywhere in it fails the whole, as in digdag. */
export async function render(request: RenderRequest): Promise<RenderResult> {
  let scope: MarkedMapping = {};
  for (const layer of request.layers) scope = merge(scope, markLayer(layer, request.task));
  scope = merge(scope, { ...request.builtins, task_name: request.task });
  const all = merge(scope, markTemplates(request.keys) as MarkedMapping);

  const timezone =
    request.timezone ?? (typeof request.builtins.timezone === 'string' ? request.builtins.timezone : 'UTC');
  try {
    const params = await withSandbox(new Evaluation(scope, timezone).mapping(all));
    const keys: Mapping = {};
    const own: Mapping = {};
    for (const key of Object.keys(request.keys)) {
      const value = params[key] as Value;
      const kept = findMark(value, (mark) => isKept(mark) && request.passes?.(key, mark) !== true, [key]);
      if (kept !== undefined) throw new EvaluationError(`${unreadable(kept.mark, kept.path)} (config)`);
      setOwn(own, key, value);
      setOwn(keys, key, decode(value));
    }
    return { ok: true, params, keys, own };
  } catch (error) {
    if (error instanceof EvaluationError)
      return { ok: false, error: { name: ERRORS.template, message: error.message } };
    throw error;
  }
}

/** Evaluates one text in a scope, as `render` gives it: the files that `mail>` and others use as templates. */
export async function renderText(
  text: string,
  params: Mapping,
): Promise<{ ok: true; text: string } | Extract<RenderResult, { ok: false }>> {
  const timezone = typeof params.timezone === 'string' ? params.timezone : 'UTC';
  try {
    const made = await withSandbox(new Evaluation(params, timezone).text({}, text));
    if (typeof made === 'string') return { ok: true, text: made };
    const kept = findMark(made, isKept, [text]);
    throw new EvaluationError(`${kept === undefined ? text : unreadable(kept.mark, kept.path)} (config)`);
  } catch (error) {
    if (error instanceof EvaluationError)
      return { ok: false, error: { name: ERRORS.template, message: error.message } };
    throw error;
  }
}

function markLayer(layer: Layer, task: string): MarkedMapping {
  if (!Array.isArray(layer)) return layer;
  const [mapping] = layer;
  if (layer.length === 1) return markTemplates(mapping) as MarkedMapping;
  const error = mapping.error;
  return isMapping(error) && typeof error.Error === 'string'
    ? { ...mapping, error: errorVariable(error as ErrorOutput, task) }
    : mapping;
}

class EvaluationError extends Error {}

/** JavaScript that has to be run before an evaluation can continue. */
type Wanted = Parameters<typeof import('./sandbox.ts').evaluate>;

type Steps<T> = Generator<Wanted, T, Evaluated>;

/** Kept: under a loader with hooks (tsx, vitest) each import() is a round trip to another thread. */
let sandboxModule: Promise<typeof import('./sandbox.ts')> | undefined;

/** The sandbox takes time to load and to answer; most scopes do not need it. */
async function withSandbox<T>(evaluation: Steps<T>): Promise<T> {
  let step = evaluation.next();
  while (!step.done) {
    sandboxModule ??= import('./sandbox.ts');
    const { evaluate } = await sandboxModule;
    step = evaluation.next(await evaluate(...step.value));
  }
  return step.value;
}

class Evaluation {
  /** Layers and built-ins, not the own keys. A template that is not evaluated yet is seen as its raw text. */
  readonly #scope: MarkedMapping;
  readonly #timezone: string;

  constructor(scope: MarkedMapping, timezone: string) {
    this.#scope = scope;
    this.#timezone = timezone;
  }

  *mapping(mapping: MarkedMapping): Steps<Mapping> {
    const built: Mapping = {};
    for (const key of Object.keys(mapping)) {
      const value = mapping[key] as Marked;
      setOwn(built, key, NOT_EVALUATED.has(key) ? unmark(value) : yield* this.#value(built, value));
    }
    return built;
  }

  /** `built`: the evaluated earlier keys of the mapping that contains the value. */
  *#value(built: Mapping, value: Marked): Steps<Value> {
    if (value instanceof Template) return yield* this.text(built, value.text);
    if (Array.isArray(value)) {
      const elements: Value[] = [];
      for (const element of value) elements.push(yield* this.#value(built, element));
      return elements;
    }
    return isMarkedMapping(value) ? yield* this.mapping(value) : value;
  }

  /**
   * The value of a text. If the text is only the name of a value without text form (a frame, bytes, a file, or a value that holds one), the
   * value itself.
   */
  *text(built: Mapping, text: string): Steps<Value> {
    const parts = scan(text);
    let result = '';
    for (const part of parts) {
      const piece = part.kind === 'text' ? part.text : this.#plain(built, part.script, parts.length === 1);
      if (piece === undefined) return yield* this.#javascript(built, text, parts);
      if (typeof piece !== 'string') return piece;
      result += piece;
    }
    return result;
  }

  #plain(built: Mapping, script: string, whole: boolean): Value | undefined {
    const path = parsePath(script);
    if (path === undefined) return undefined;
    const found = lookUp(path, this.#variable(built, path[0]));
    if (found === undefined) return undefined;
    const { value, rest } = found;
    const kept = findMark(value, isKept, [script.trim()]);
    if (kept === undefined) return textOf(value);
    if (whole && rest === 0 && (isReference(value) || hasNoText(kept.mark))) return value;
    throw new EvaluationError(
      `Failed to evaluate a variable \${${script}} (${unreadable(kept.mark, kept.path)}) (config)`,
    );
  }

  #variable(built: Mapping, name: string): Value | undefined {
    if (Object.hasOwn(built, name)) return built[name];
    const raw = getOwn(this.#scope, name);
    return raw === undefined ? undefined : unmark(raw);
  }

  *#javascript(built: Mapping, text: string, parts: readonly Part[]): Steps<string> {
    const names = new Set([...Object.keys(this.#scope), ...Object.keys(built)]);
    const scripts = parts.flatMap((part) => (part.kind === 'expression' ? [withoutTexts(part.script)] : [])).join('\n');
    const shown = text.length > MESSAGE_TEXT_LIMIT ? `${text.slice(0, MESSAGE_TEXT_LIMIT)}…` : text;
    for (const name of names) {
      if (!scripts.includes(name)) continue;
      const used = (mark: Mapping, path: readonly string[]): boolean =>
        isKept(mark) && path.every((key) => mentions(scripts, key));
      const kept = findMark(this.#variable(built, name) ?? null, used, [name]);
      if (kept !== undefined)
        throw new EvaluationError(
          `Failed to evaluate a variable ${shown} (${unreadable(kept.mark, kept.path)}) (config)`,
        );
    }
    const value = (name: string): Value => decode(this.#variable(built, name) ?? null, () => null);
    const result = yield [parts, names, value, this.#timezone];
    if (result.ok) return result.text;
    throw new EvaluationError(`Failed to evaluate a variable ${shown} (${result.message}) (config)`);
  }
}

/** Whether a script has a word. */
function mentions(scripts: string, word: string): boolean {
  const plain = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w$])${plain}(?![\\w$])`).test(scripts);
}

function withoutTexts(script: string): string {
  return script.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}

/** The message for a template that cannot show a value in a file, with what to do. */
function unreadable(mark: Mapping, path: readonly string[]): string {
  const name = path.join('.');
  if (!hasNoText(mark)) return `${name} is too large for a template: more than 16 MiB. Read it in a py> task`;
  const { kind, bytes } = mark;
  return `${name} is no JSON but a value in a file (${kind}, ${bytes} bytes), which a template cannot show. Give it to a py> task: by an argument of that name, or by a key that is this one expression, \`x: \${…}\``;
}
