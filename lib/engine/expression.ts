import jsonata from 'jsonata';
import { type AstNode, expressionIn, staticDepth, walkAst } from '../asl/expression.ts';
import { LIMITS } from '../asl/limits.ts';
import { present } from '../asl/present.ts';
import type { Json, Template } from '../asl/types.ts';
import { realClock } from './clock.ts';
import { guardDepth } from './depth.ts';
import { InternalError, PURE_FUNCTIONS, randomFunction } from './functions.ts';
import { NotJson, setKey, toJson, typeName } from './json.ts';
import type { Clock } from './types.ts';
import type { Variables } from './variables.ts';

/**
 * JSONata as Step Functions evaluates it. An expression is parsed once per machine and bound only to the variables that it names. Literals,
 * variables and plain paths (most expressions) are read without jsonata's asynchronous evaluation.
 */
export interface Scope {
  readonly states: { readonly [field: string]: Json };
  readonly variables: Variables;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A field could not be evaluated. The state turns it into States.QueryEvaluationError and says where. */
export class EvaluationError extends Error {
  /** `Output/result`, `Assign/x`, `Arguments`. */
  readonly location: string | undefined;

  constructor(message: string, location?: string) {
    super(message);
    this.location = location;
  }
}

type Compiled =
  | { readonly kind: 'constant'; readonly value: Json }
  | Expression
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Compiled])[] }
  | { readonly kind: 'array'; readonly items: readonly Compiled[] };

interface Expression {
  readonly kind: 'expression';
  readonly source: string;
  /** [name, a, b] if the whole expression is `$name.a.b`. */
  readonly path?: readonly string[];
  readonly variables: readonly string[];
  readonly evaluate: (bindings: { [name: string]: unknown }) => Promise<unknown>;
}

const caches = new WeakMap<object, Expressions>();

/** The expressions of a machine, shared by all its executions. */
export function expressionsOf(machine: object): Expressions {
  let cache = caches.get(machine);
  if (cache === undefined) {
    cache = new Expressions();
    caches.set(machine, cache);
  }
  return cache;
}

/**
 * The most templates kept in parsed form, for all machines together. Each takes some ten kilobytes, and a machine of thousands of states
 * visits most of its states only once.
 */
const MOST_KEPT = 1000;
let kept = 0;
/** Those that hold parsed templates. A machine that has ended stays in memory with its workflow, but its expressions are dropped. */
const filled = new Set<Expressions>();

export class Expressions {
  #texts = new Map<string, Compiled>();
  #templates = new WeakMap<object, Compiled>();

  /**
   * The value of a template: every `{% … %}` in it, at any depth, is replaced by its value. Not a promise if nothing has to be waited for.
   * @param location names the field in errors
   * @throws EvaluationError thrown, or as the promise's rejection
   */
  evaluate(template: Template, location: string, scope: Scope): Json | Promise<Json> {
    return value(this.#compile(template, location), location, scope);
  }

  #makeRoom(): void {
    if (kept >= MOST_KEPT) {
      for (const each of filled) each.#clear();
      filled.clear();
      kept = 0;
    }
    kept += 1;
    filled.add(this);
  }

  #clear(): void {
    this.#texts = new Map();
    this.#templates = new WeakMap();
  }

  #compile(template: Template, location: string): Compiled {
    if (typeof template === 'string') {
      const known = this.#texts.get(template);
      if (known !== undefined) return known;
      const source = expressionIn(template);
      const compiled: Compiled =
        source === undefined ? { kind: 'constant', value: template } : compileExpression(source, location);
      this.#makeRoom();
      this.#texts.set(template, compiled);
      return compiled;
    }
    if (typeof template !== 'object' || template === null) {
      return { kind: 'constant', value: template };
    }
    let compiled = this.#templates.get(template);
    if (compiled === undefined) {
      compiled = this.#compileNested(template, location);
      this.#makeRoom();
      this.#templates.set(template, compiled);
    }
    return compiled;
  }

  #compileNested(template: readonly Json[] | { readonly [key: string]: Json }, location: string): Compiled {
    if (Array.isArray(template)) {
      const items = template.map((item, index) => this.#compile(item, `${location}[${index}]`));
      return items.every((item) => item.kind === 'constant')
        ? { kind: 'constant', value: items.map((item) => item.value) }
        : { kind: 'array', items };
    }
    const entries = Object.entries(template).map(
      ([key, item]) => [key, this.#compile(item, `${location}/${key}`)] as const,
    );
    const constants: { [key: string]: Json } = {};
    for (const [key, item] of entries) {
      if (item.kind !== 'constant') return { kind: 'object', entries };
      setKey(constants, key, item.value);
    }
    return { kind: 'constant', value: constants };
  }
}

/** Operators and functions that can make a large value from small ones. */
const GROWS: ReadonlySet<string> = new Set(['..', 'pad', 'join', 'replace', 'range']);

/** An expression of fewer frames, without recursion or long chains, cannot reach the limit, so its depth is not watched. */
const SHALLOW = LIMITS.jsonataDepth;

function compileExpression(source: string, location: string): Compiled {
  let expression: jsonata.Expression;
  try {
    expression = jsonata(source);
  } catch (cause) {
    throw threw(source, location, cause);
  }
  const ast = expression.ast() as AstNode;
  if (ast.type === 'string' || ast.type === 'number' || (ast.type === 'value' && ast.value !== undefined)) {
    if (onlyKeys(ast, ['type', 'value', 'position'])) {
      return { kind: 'constant', value: ast.value as Json };
    }
  }
  const variables = new Set<string>();
  let watched = false;
  walkAst(ast, (node) => {
    if (node.type === 'variable' && typeof node.value === 'string') variables.add(node.value);
    watched ||= node.type === 'lambda' || GROWS.has(String(node.value));
  });
  for (const [name, { run, signature }] of Object.entries(PURE_FUNCTIONS)) {
    if (variables.has(name)) expression.registerFunction(name, run as (...args: unknown[]) => unknown, signature);
  }
  // The service refuses $eval; without a binding jsonata reports it as "not a function".
  expression.assign('eval', undefined);
  if (watched || staticDepth(ast) > SHALLOW) guardDepth(expression, ast);
  const path = pathOf(ast);
  return {
    kind: 'expression',
    source: source.trim(),
    ...present({ path }),
    variables: [...variables],
    evaluate: (bindings) => expression.evaluate(undefined, bindings),
  };
}

function onlyKeys(node: object, keys: readonly string[]): boolean {
  return Object.keys(node).every((key) => keys.includes(key));
}

function pathOf(ast: AstNode): string[] | undefined {
  const plain = (node: AstNode, type: string) =>
    node.type === type && typeof node.value === 'string' && onlyKeys(node, ['type', 'value', 'position']);
  if (plain(ast, 'variable')) return [String(ast.value)];
  const [first, ...rest] = ast.steps ?? [];
  if (ast.type !== 'path' || !onlyKeys(ast, ['type', 'steps']) || first === undefined || !plain(first, 'variable')) {
    return undefined;
  }
  return rest.every((step) => plain(step, 'name')) ? [first, ...rest].map((step) => String(step.value)) : undefined;
}

/** The answer "jsonata itself has to evaluate this", which differs from "nothing" (undefined). */
const ASK = Symbol();

function readPath(path: readonly string[], scope: Scope): Json | undefined | typeof ASK {
  const [name = '', ...keys] = path;
  let at: Json | undefined = name === 'states' ? scope.states : scope.variables.get(name);
  if (at === undefined) {
    // A name that is no variable may be a function's, or `$` or `$$`.
    return ASK;
  }
  for (const key of keys) {
    if (typeof at !== 'object' || at === null) return undefined;
    if (Array.isArray(at)) return ASK;
    const holder: { readonly [key: string]: Json } = at as { readonly [key: string]: Json };
    if (Object.hasOwn(holder, key)) {
      at = holder[key];
    } else {
      return key in holder ? ASK : undefined;
    }
  }
  return at;
}

function value(compiled: Compiled, location: string, scope: Scope): Json | Promise<Json> {
  switch (compiled.kind) {
    case 'constant':
      return compiled.value;
    case 'expression': {
      const found = compiled.path === undefined ? ASK : readPath(compiled.path, scope);
      if (found === ASK) return run(compiled, location, scope);
      if (found === undefined) throw nothing(compiled.source, location);
      return found;
    }
    case 'array':
      return arrayOf(compiled.items, location, scope);
    case 'object':
      return objectOf(compiled.entries, location, scope);
  }
}

async function arrayOf(items: readonly Compiled[], location: string, scope: Scope): Promise<Json> {
  const values: Json[] = [];
  for (const [index, item] of items.entries()) {
    const got = value(item, `${location}[${index}]`, scope);
    values.push(got instanceof Promise ? await got : got);
  }
  return values;
}

async function objectOf(
  entries: readonly (readonly [string, Compiled])[],
  location: string,
  scope: Scope,
): Promise<Json> {
  const object: { [key: string]: Json } = {};
  for (const [key, item] of entries) {
    const got = value(item, `${location}/${key}`, scope);
    setKey(object, key, got instanceof Promise ? await got : got);
  }
  return object;
}

async function run(expression: Expression, location: string, scope: Scope): Promise<Json> {
  let result: unknown;
  try {
    result = await expression.evaluate(bindings(expression, scope));
  } catch (cause) {
    throw threw(expression.source, location, cause);
  }
  if (result === undefined) throw nothing(expression.source, location);
  try {
    return toJson(result);
  } catch (cause) {
    if (cause instanceof NotJson || cause instanceof RangeError) {
      throw new EvaluationError(`${named(expression.source, location)} returned an unsupported result type.`, location);
    }
    throw cause;
  }
}

function bindings(expression: Expression, scope: Scope): { [name: string]: unknown } {
  const bound: { [name: string]: unknown } = {};
  for (const name of expression.variables) {
    if (name === 'states') {
      bound[name] = scope.states;
      continue;
    }
    const own = scope.variables.get(name);
    if (own !== undefined) {
      bound[name] = own;
    } else if (name === 'random') {
      bound[name] = randomFunction(scope.random);
    } else if (scope.clock !== realClock && name === 'millis') {
      bound[name] = () => scope.clock.now();
    } else if (scope.clock !== realClock && name === 'now') {
      bound[name] = (picture?: string, zone?: string) => formatTime(scope.clock.now(), picture, zone);
    }
  }
  return bound;
}

/** `$now` for a clock other than the process's: jsonata's own `$fromMillis`. */
function formatTime(millis: number, picture?: string, zone?: string): Promise<unknown> {
  return jsonata('$fromMillis(m, p, z)').evaluate({ m: millis, p: picture, z: zone });
}

function named(source: string, location: string): string {
  return `The JSONata expression '${source}' specified for the field '${location}'`;
}

function nothing(source: string, location: string): EvaluationError {
  return new EvaluationError(`${named(source, location)} returned nothing (undefined).`, location);
}

function threw(source: string, location: string, cause: unknown): EvaluationError {
  const { code, message } = cause as { code?: string; message?: string };
  if (cause instanceof InternalError || cause instanceof TypeError) {
    return new EvaluationError(`${named(source, location)} threw an internal error during evaluation.`, location);
  }
  const what = `${code === undefined ? '' : `${code}: `}${message ?? String(cause)}`;
  return new EvaluationError(`${named(source, location)} threw an error during evaluation. ${what}`, location);
}

/** Checks the type of a field's value; the message is the service's. */
export function expectType(
  got: Json,
  expected: 'array' | 'boolean' | 'number' | 'string' | 'object',
  template: Template,
  location: string,
): void {
  if (typeName(got) !== expected) {
    const source = typeof template === 'string' ? expressionIn(template)?.trim() : undefined;
    const what = source === undefined ? `The value of the field '${location}'` : named(source, location);
    throw new EvaluationError(
      `${what} returned an unexpected result type. Expected '${expected}', but was '${typeName(got)}' for value: ${JSON.stringify(got)}`,
      location,
    );
  }
}
