/**
 * What only a run can give, in a dry run: an expression that reads what a skipped task might have stored is replaced by a text that says so
 * before the task is rendered, `<unknown: sold.apples>`. What reads that, in whatever way, is unknown too. Mistakes stay mistakes: a
 * syntax error, and everything that fails before any task was skipped.
 */

import type { Layer } from '../contract/payload.ts';
import { freeVariables } from '../expression/javascript.ts';
import { parsePath } from '../expression/path.ts';
import type { RenderRequest, RenderResult } from '../expression/render.ts';
import { scan } from '../expression/scan.ts';
import type { Mapping, Value } from '../language/workflow.ts';

type Render = (request: RenderRequest) => Promise<RenderResult>;

const MARK = '<unknown: ';
/** Characters of an expression that are shown. */
const SHOWN = 60;

export function isUnknown(value: Value | undefined): boolean {
  return value !== undefined && JSON.stringify(value).includes(MARK);
}

export function unknownText(script: string): string {
  const text = script.trim().replace(/\s+/g, ' ');
  return `${MARK}${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}>`;
}

export class Unknowns {
  /** A task that might have stored something was skipped. */
  skipped = false;
  readonly #render: Render;

  constructor(render: Render) {
    this.#render = render;
  }

  /** As lib/expression's `render`. */
  async render(request: RenderRequest): Promise<RenderResult> {
    if (!this.skipped) return this.#render(request);
    let rewritten = request;
    // What depends on what has become unknown is found in the next pass.
    for (let changed = true; changed; ) {
      const next = await rewrite(rewritten, (script) => isMissing(script, rewritten));
      changed = JSON.stringify(next) !== JSON.stringify(rewritten);
      rewritten = next;
    }
    const rendered = await this.#render(rewritten);
    if (rendered.ok) return rendered;
    return this.#render(await rewrite(rewritten, (script) => this.#fails(script, rewritten)));
  }

  /** An expression by itself, in a scope in which no other is evaluated. */
  async #fails(script: string, request: RenderRequest): Promise<boolean> {
    const { layers, keys, builtins } = request;
    const variables = await freeVariables(`\${${script}}`);
    // The session's own variables are known: what goes wrong with them would do so in a run.
    if (variables.every(({ name }) => Object.hasOwn(builtins, name))) return false;
    const data = layers.map((layer): Layer => (isTemplates(layer) ? [layer[0], 0] : layer));
    const alone = await this.#render({ ...request, layers: [...data, [keys, 0]], keys: { dry: `\${${script}}` } });
    return !alone.ok && !alone.error.message.includes('SyntaxError');
  }
}

function isTemplates(layer: Layer): layer is [Mapping] {
  return Array.isArray(layer) && layer.length === 1;
}

type Judge = (script: string) => Promise<boolean>;

/** The request with the expressions that `unknown` finds replaced in every text that is evaluated. */
async function rewrite(request: RenderRequest, unknown: Judge): Promise<RenderRequest> {
  const layers: Layer[] = [];
  for (const layer of request.layers) {
    layers.push(isTemplates(layer) ? [(await rewriteValue(layer[0], unknown)) as Mapping] : layer);
  }
  return { ...request, layers, keys: (await rewriteValue(request.keys, unknown)) as Mapping };
}

async function rewriteValue(value: Value, unknown: Judge): Promise<Value> {
  if (typeof value === 'string') return value.includes('${') ? rewriteText(value, unknown) : value;
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => rewriteValue(item, unknown)));
  const entries: [string, Value][] = [];
  for (const [key, inner] of Object.entries(value)) {
    // Bodies are evaluated when their tasks run.
    entries.push([key, key === '_do' || key === '_else_do' ? inner : await rewriteValue(inner, unknown)]);
  }
  return Object.fromEntries(entries);
}

async function rewriteText(text: string, unknown: Judge): Promise<string> {
  let result = '';
  let at = 0;
  for (const part of scan(text)) {
    if (part.kind === 'text' || !(await unknown(part.script))) continue;
    result += text.slice(at, part.start - 2) + unknownText(part.script);
    at = part.end + 1;
  }
  return result + text.slice(at);
}

/** Whether an expression reads what is not there, or what is unknown itself. */
async function isMissing(script: string, { layers, builtins, keys }: RenderRequest): Promise<boolean> {
  const scope: readonly Mapping[] = [...layers.map((layer) => (Array.isArray(layer) ? layer[0] : layer)), keys];
  for (const { name } of await freeVariables(`\${${script}}`)) {
    if (name === 'task_name' || Object.hasOwn(builtins, name)) continue;
    const found = scope.filter((mapping) => Object.hasOwn(mapping, name)).map((mapping) => mapping[name] as Value);
    const last = found.at(-1);
    if (last === undefined) return true;
    const path = parsePath(script);
    if (path === undefined) {
      if (isUnknown(last)) return true;
      continue;
    }
    // A mapping is that of all layers together, and more may have come from a run.
    const below = found.map((value) => valueAt(value, path.slice(1))).filter((value) => value !== undefined);
    if (below.length === 0 && path.length > 1 && typeof last === 'object') return true;
    // What is partly unknown is shown as far as it is known.
    if (below.length === 0 && isUnknown(last)) return true;
  }
  return false;
}

function valueAt(value: Value, path: readonly (string | number)[]): Value | undefined {
  let at: Value | undefined = value;
  for (const key of path) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) return undefined;
    at = (at as Mapping)[key];
  }
  return at;
}
