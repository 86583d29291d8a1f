/**
 * The one renderer of `${…}`: merges the layers of a task's scope and evaluates every template in it, in digdag's order and scope
 * (digdag-core ConfigEvalEngine, OperatorManager.evalConfig). Unlike digdag it evaluates only text of the project's files: what
 * comes from stores, parameters, loop items and errors is data, whatever it contains.
 *
 * merge.ts marks and merges; scan.ts and path.ts read a text; sandbox.ts, loaded only for real JavaScript, evaluates it.
 */
import type { Mapping, Value } from '../language/workflow.ts';
import { type ErrorOutput, errorVariable } from './failure.ts';
import {
  getOwn,
  isMapping,
  isMarkedMapping,
  type Marked,
  type MarkedMapping,
  markTemplates,
  merge,
  setOwn,
  Template,
  unmark,
} from './merge.ts';
import { lookUp, parsePath, textOf } from './path.ts';
import type { Evaluated } from './sandbox.ts';
import { type Part, scan } from './scan.ts';
import { ERRORS, type Layer } from './wire.ts';

export interface RenderRequest {
  /** Near last. The shape of each says whether it is data or template text (wire.ts). */
  readonly layers: readonly Layer[];
  /** Built-in variables without `task_name`; they beat every layer. */
  readonly builtins: Mapping;
  /** Full task name: the variable `task_name`. */
  readonly task: string;
  /** The task's own keys, template text; they beat everything. */
  readonly keys: Mapping;
  /** The zone of `Date` and `moment`; by default the built-in `timezone`. */
  readonly timezone?: string;
}

export type RenderResult =
  | {
      readonly ok: true;
      /** Everything in scope, evaluated: what digdag calls params. */
      readonly params: Mapping;
      /** The own keys alone, evaluated, in the order written. */
      readonly keys: Mapping;
    }
  | { readonly ok: false; readonly error: { readonly name: typeof ERRORS.template; readonly message: string } };

/** Bodies of generated tasks, evaluated when those tasks run. */
const NOT_EVALUATED = new Set(['_do', '_else_do']);

/** Of the text at fault, so many characters stand in the message. */
const MESSAGE_TEXT_LIMIT = 2000;

/** Evaluates everything in a task's scope; one bad expression anywhere in it fails the whole, as in digdag. */
export async function render(request: RenderRequest): Promise<RenderResult> {
  let scope: MarkedMapping = {};
  for (const layer of request.layers) scope = merge(scope, markLayer(layer));
  scope = merge(scope, { ...request.builtins, task_name: request.task });
  const all = merge(scope, markTemplates(request.keys) as MarkedMapping);

  const timezone =
    request.timezone ?? (typeof request.builtins.timezone === 'string' ? request.builtins.timezone : 'UTC');
  try {
    const params = await withSandbox(new Evaluation(scope, timezone).mapping(all));
    const keys: Mapping = {};
    for (const key of Object.keys(request.keys)) setOwn(keys, key, params[key] as Value);
    return { ok: true, params, keys };
  } catch (error) {
    if (error instanceof EvaluationError)
      return { ok: false, error: { name: ERRORS.template, message: error.message } };
    throw error;
  }
}

/** Evaluates one text in a scope of plain data: the files that `mail>` and others use as templates. */
export async function renderText(
  text: string,
  params: Mapping,
): Promise<{ ok: true; text: string } | Extract<RenderResult, { ok: false }>> {
  const timezone = typeof params.timezone === 'string' ? params.timezone : 'UTC';
  try {
    return { ok: true, text: await withSandbox(new Evaluation(params, timezone).text({}, text)) };
  } catch (error) {
    if (error instanceof EvaluationError)
      return { ok: false, error: { name: ERRORS.template, message: error.message } };
    throw error;
  }
}

function markLayer(layer: Layer): MarkedMapping {
  if (!Array.isArray(layer)) return layer;
  const [mapping] = layer;
  if (layer.length === 1) return markTemplates(mapping) as MarkedMapping;
  const error = mapping.error;
  return isMapping(error) && typeof error.Error === 'string'
    ? { ...mapping, error: errorVariable(error as ErrorOutput) }
    : mapping;
}

class EvaluationError extends Error {}

/** JavaScript that an evaluation has met; it goes on with what that gives. */
type Wanted = Parameters<typeof import('./sandbox.ts').evaluate>;

type Steps<T> = Generator<Wanted, T, Evaluated>;

/** Kept: under a loader with hooks (tsx, vitest) each import() is a round trip to another thread. */
let sandboxModule: Promise<typeof import('./sandbox.ts')> | undefined;

/** Most scopes need no sandbox, which takes time to load, nor any waiting. */
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
  /** Layers and built-ins, not the own keys. What is not evaluated yet is seen as its raw text. */
  private readonly scope: MarkedMapping;
  private readonly timezone: string;

  constructor(scope: MarkedMapping, timezone: string) {
    this.scope = scope;
    this.timezone = timezone;
  }

  *mapping(mapping: MarkedMapping): Steps<Mapping> {
    const built: Mapping = {};
    for (const key of Object.keys(mapping)) {
      const value = mapping[key] as Marked;
      setOwn(built, key, NOT_EVALUATED.has(key) ? unmark(value) : yield* this.value(built, value));
    }
    return built;
  }

  /** `built`: the evaluated earlier keys of the mapping that the value stands in. */
  private *value(built: Mapping, value: Marked): Steps<Value> {
    if (value instanceof Template) return yield* this.text(built, value.text);
    if (Array.isArray(value)) {
      const elements: Value[] = [];
      for (const element of value) elements.push(yield* this.value(built, element));
      return elements;
    }
    return isMarkedMapping(value) ? yield* this.mapping(value) : value;
  }

  *text(built: Mapping, text: string): Steps<string> {
    const parts = scan(text);
    let result = '';
    for (const part of parts) {
      const piece = part.kind === 'text' ? part.text : this.plain(built, part.script);
      if (piece === undefined) return yield* this.javascript(built, text, parts);
      result += piece;
    }
    return result;
  }

  private plain(built: Mapping, script: string): string | undefined {
    const path = parsePath(script);
    if (path === undefined) return undefined;
    const value = lookUp(path, this.variable(built, path[0]));
    return value === undefined ? undefined : textOf(value);
  }

  private variable(built: Mapping, name: string): Value | undefined {
    if (Object.hasOwn(built, name)) return built[name];
    const raw = getOwn(this.scope, name);
    return raw === undefined ? undefined : unmark(raw);
  }

  private *javascript(built: Mapping, text: string, parts: readonly Part[]): Steps<string> {
    const names = new Set([...Object.keys(this.scope), ...Object.keys(built)]);
    const result = yield [parts, names, (name) => this.variable(built, name) as Value, this.timezone];
    if (result.ok) return result.text;
    const shown = text.length > MESSAGE_TEXT_LIMIT ? `${text.slice(0, MESSAGE_TEXT_LIMIT)}…` : text;
    throw new EvaluationError(`Failed to evaluate a variable ${shown} (${result.message}) (config)`);
  }
}
