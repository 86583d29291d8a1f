import type { Payload } from '../../../../lib/contract/payload.ts';
import { merged } from '../../../../lib/contract/stores.ts';
import type { Render } from '../../../../lib/functions/http/rendering.ts';
import type { Mapping, Value } from '../../../../lib/language/workflow.ts';

/** A stand-in for lib/expression's renderer that knows `${plain.path}` alone. */
export const plainRender: Render = ({ layers, builtins, task, keys }) => {
  const scope: Mapping = [...layers.map((l) => (Array.isArray(l) ? l[0] : l)), builtins, { task_name: task }].reduce(
    merged,
    {},
  );
  const problems: string[] = [];
  const text = (template: string): string =>
    template.replaceAll(/\$\{([\w.]*)\}/g, (whole, path: string) => {
      let value: Value | undefined = { ...scope, ...done };
      for (const part of path.split('.')) {
        value = typeof value === 'object' && value !== null && !Array.isArray(value) ? value[part] : undefined;
      }
      if (value === undefined)
        problems.push(`Failed to evaluate a variable ${whole} (ReferenceError: ${path} is not defined)`);
      return typeof value === 'string' ? value : JSON.stringify(value ?? '');
    });
  const evaluate = (value: Value): Value => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(evaluate);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, evaluate(v)]));
  };
  const done: Mapping = {};
  for (const [key, value] of Object.entries(keys)) done[key] = evaluate(value);
  // Of the layers only `_export`s are templates.
  const seen = layers.map((l) =>
    Array.isArray(l) && l.length === 1 ? (evaluate(l[0]) as Mapping) : Array.isArray(l) ? l[0] : l,
  );
  if (problems[0]) return { ok: false, error: { name: 'Trowel.Template', message: problems[0] } };
  return { ok: true, keys: done, params: [...seen, builtins, done].reduce(merged, {}) };
};

export function payload(op: string, k: Mapping, more: Partial<Payload> = {}): Payload {
  const b = { vars: { timezone: 'UTC' }, attempt: { root: '/tmp', workflow: 'main' } };
  return { v: 1, t: '+main+task', l: [{}], b, k, op, ...more };
}

export function secretsOf(values: { readonly [key: string]: string }): (key: string) => Promise<string | undefined> {
  return async (key) => values[key];
}
