/**
 * The fingerprints by which a resumed attempt knows that a task would see what it saw before. Only TypeScript computes them
 * (Python and JavaScript write some numbers differently); the runner copies the ones of the parameters that a task read.
 */
import { createHash } from 'node:crypto';
import type { Layer } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';
import type { Hashes } from './compute.ts';

/** Built-ins that belong to one attempt: they differ in a resumed one and say nothing about the task's input. */
const OF_THE_ATTEMPT = ['attempt_id', 'session_id', 'session_uuid', 'project_id', 'retry_attempt_name'];

/**
 * The fingerprints of a rendered task. A key or an export whose template text names a built-in of the attempt
 * (`out/${attempt_id}`) is represented by its text, so that it does not change with the attempt.
 */
export function hashesOf(params: Mapping, keys: Mapping, layers: readonly Layer[]): Hashes {
  const texts = templatesOfTheAttempt(layers, keys);
  const seen = (name: string): Value => texts.get(name) ?? params[name] ?? null;
  const own: Mapping = {};
  for (const name of Object.keys(keys)) own[name] = seen(name);
  const hashes: { [name: string]: string } = {};
  for (const name of Object.keys(params)) {
    if (!OF_THE_ATTEMPT.includes(name) && !(name in keys)) hashes[name] = fingerprint(seen(name));
  }
  return { keys: fingerprint(own), params: hashes };
}

/** sha256 (hex) of the canonical JSON: keys in code unit order, a value by reference replaced by what it holds. */
export function fingerprint(value: Value): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

function canonical(value: Value): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  // The same content lies elsewhere after a repeated task.
  if ('trowel:ref' in value && typeof value.sha256 === 'string') return `<${value.kind} ${value.sha256}>`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join()}}`;
}

function templatesOfTheAttempt(layers: readonly Layer[], keys: Mapping): Map<string, string> {
  const found = new Map<string, string>();
  const templates = layers.flatMap((layer) => (Array.isArray(layer) && layer.length === 1 ? [layer[0]] : []));
  for (const mapping of [...templates, keys]) {
    for (const [name, value] of Object.entries(mapping)) {
      const text = JSON.stringify(value) ?? '';
      if (/\$\{[^]*\b(attempt_id|session_id|session_uuid|project_id)\b/.test(text)) found.set(name, text);
    }
  }
  return found;
}
