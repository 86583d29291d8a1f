import { isMapping } from '../../lib/expression/merge.ts';
import type { Layer, Payload } from '../../lib/expression/wire.ts';
import type { Mapping } from '../../lib/language/workflow.ts';
import { Failed } from './failure.ts';
import { type SecretTemplates, secretTemplates } from './secret-template.ts';
import { type SecretServices, Secrets } from './secrets.ts';

export interface RenderInput {
  readonly layers: readonly Layer[];
  readonly builtins: Mapping;
  readonly task: string;
  readonly keys: Mapping;
}

/** `params` is everything the task sees, its own keys included; `keys` these alone. */
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
  readonly params: Mapping;
  readonly keys: Mapping;
  readonly secrets: Secrets;
  readonly templates: SecretTemplates;
}

/** Renders a payload's keys, with secrets still marked (secret-template.ts). */
export async function renderTask(payload: Payload, services: RenderServices): Promise<Task> {
  const templates = secretTemplates();
  const rendered = await services.render({
    layers: templates.markLayers(payload.l),
    builtins: payload.b.vars,
    task: payload.t,
    keys: templates.mark(payload.k),
  });
  if (!rendered.ok) throw new Failed(rendered.error.name, templates.unmark(rendered.error.message));
  const mounts = rendered.keys._secrets;
  const secrets = new Secrets(services, isMapping(mounts) ? templates.unmark(mounts) : {});
  return { params: rendered.params, keys: rendered.keys, secrets, templates };
}

/** Runs what may fail with a text of the task's in its message, and hides the secrets there. */
export async function withoutSecrets<T>(task: Task, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    throw new Failed(error.name, task.secrets.redact(task.templates.unmark(error.message)));
  }
}
