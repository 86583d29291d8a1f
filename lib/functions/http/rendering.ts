import { isMapping } from '../../asl/json.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { Layer, Payload } from '../../contract/payload.ts';
import { Marks, mapTexts, UnknownWord } from '../../expression/marks.ts';
import type { RenderRequest } from '../../expression/render.ts';
import { operatorSpec } from '../../language/operators.ts';
import { decode } from '../../language/value-form.ts';
import type { Mapping } from '../../language/workflow.ts';
import { type SecretServices, Secrets } from './secrets.ts';

export interface RenderInput {
  readonly layers: readonly Layer[];
  readonly builtins: Mapping;
  readonly task: string;
  readonly keys: Mapping;
  readonly passes?: NonNullable<RenderRequest['passes']>;
}

/** `params` is everything the task sees, in wire form, with its own keys; `keys` is only its own keys. */
export type Rendered = { readonly ok: true; readonly params: Mapping; readonly keys: Mapping } | Unrendered;

export interface Unrendered {
  readonly ok: false;
  readonly error: { readonly name: string; readonly message: string };
}

/** The one renderer, of lib/expression. */
export type Render = (input: RenderInput) => Rendered | Promise<Rendered>;

export interface RenderServices extends SecretServices {
  render: Render;
}

export interface Task {
  /** Without `>`. */
  readonly operator: string;
  /** Integers that a number does not hold are text, with all their digits. */
  readonly params: Mapping;
  /** `params` in wire form. */
  readonly scope: Mapping;
  readonly keys: Mapping;
  readonly secrets: Secrets;
  /** The marks of the texts in `params` and `keys`. */
  readonly marks: Marks;
}

/**
 * Renders a payload's keys, with secrets still marked (marks.ts).
 * @param shown keys with text for people: in these, data and what expressions insert are marked too
 */
export async function renderTask(
  payload: Payload,
  services: RenderServices,
  shown: readonly string[] = [],
): Promise<Task> {
  const marks = new Marks();
  const { l, k, op, b } = payload;
  const defaults = operatorSpec(op)?.defaults ?? op;
  const { authored } = b.attempt;
  const own = authored === undefined ? marks.secrets(k) : k;
  const rendered = await services.render({
    layers: marks
      .secretsOfLayers(payload.seen ?? l, authored)
      .map((layer) => withInserted(layer, defaults, shown, marks)),
    builtins: b.vars,
    task: payload.t,
    keys: insertedIn(own, shown, marks),
    passes: (key) => key === 'attach_files',
  });
  if (!rendered.ok) throw new TrowelError(rendered.error.name, marks.unmark(rendered.error.message));
  const { keys } = rendered;
  const scope = { ...rendered.params };
  // The command is the text after the operator, and not a variable of that name.
  if (!Object.hasOwn(keys, '_command')) delete scope._command;
  for (const key of [...shown, defaults]) {
    const data =
      !Object.hasOwn(keys, key) &&
      (payload.seen ?? l).some((layer) => !isExport(layer) && Object.hasOwn(contentOf(layer), key));
    if (data) scope[key] = mapTexts(scope[key] ?? null, (text) => marks.enclosed(text));
  }
  const mounts = isMapping(keys._secrets) ? marks.unmark(keys._secrets) : {};
  const secrets = new Secrets(services, mounts, JSON.stringify(k._secrets ?? null).includes('${'));
  const params = decode(scope, undefined, (digits) => digits) as Mapping;
  return { operator: op, params, scope, keys, secrets, marks };
}

function insertedIn(keys: Mapping, shown: readonly string[], marks: Marks): Mapping {
  const marked = shown.flatMap((key) => (Object.hasOwn(keys, key) ? [[key, marks.inserted(keys[key] ?? null)]] : []));
  return { ...keys, ...Object.fromEntries(marked) };
}

/** The same in an `_export`, and in the operator's defaults there. */
function withInserted(layer: Layer, name: string, shown: readonly string[], marks: Marks): Layer {
  if (shown.length === 0 || !isExport(layer)) return layer;
  const content = insertedIn(layer[0], shown, marks);
  const { [name]: defaults } = content;
  return [isMapping(defaults) ? { ...content, [name]: insertedIn(defaults, shown, marks) } : content];
}

function isExport(layer: Layer): layer is [Mapping] {
  return Array.isArray(layer) && layer.length === 1;
}

function contentOf(layer: Layer): Mapping {
  return Array.isArray(layer) ? layer[0] : layer;
}

/** Runs a step whose error may quote a text of the task, and hides secrets in the message of the error. */
export async function withoutSecrets<T>(task: Task, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UnknownWord) throw new TrowelError(ERRORS.badInput, task.secrets.redact(error.message));
    if (!(error instanceof TrowelError)) throw error;
    throw new TrowelError(error.name, task.secrets.redact(task.marks.unmark(error.message)));
  }
}
