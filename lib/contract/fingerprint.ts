import { createHash } from 'node:crypto';
import { REF } from '../language/value-form.ts';
import type { Value } from '../language/workflow.ts';

/**
 * sha256 (hexadecimal) of the canonical JSON of a value (RFC 8785), with each reference replaced by the hash of the content.
 * trowel_task/store/canonical.py gives the same hash: the runner records what a task read, and this shows whether it has changed.
 */
export function fingerprint(value: Value): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

/** Keys in the order of their UTF-16 code units, no spaces. */
export function canonical(value: Value): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  // A repeated task may store the same content at another address.
  if (REF in value) return `{"${REF}":${JSON.stringify(value.sha256 ?? value[REF] ?? null)}}`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join()}}`;
}
