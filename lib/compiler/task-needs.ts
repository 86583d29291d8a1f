/** Needs that come from the keys of a task that one of Trowel's functions gets. */

import { createHash } from 'node:crypto';
import { isMapping } from '../asl/json.ts';
import { present } from '../asl/present.ts';
import { mountedKey, secretKeys, secretPlaces } from '../contract/secret-keys.ts';
import { functionOf, operatorSpec, sends } from '../language/operators.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import type { Container, Need } from './needs.ts';

export const DEFAULT_DEFINITION = 'default';

/** Secrets that are written out, under the keys by which they are kept. */
export function secretNeeds(op: string, keys: Mapping): Need[] {
  const { needsSecret } = operatorSpec(op) ?? {};
  // These replace secrets in all of their keys.
  const texts =
    sends(op) === 'slack' || functionOf(op) === 'http' ? [keys] : secretPlaces(op).map((place) => keys[place]);
  const missing = needsSecret !== undefined && !needsSecret.unless.some((option) => option in keys);
  const named = [...texts.flatMap(secretKeys), ...(missing ? [needsSecret.key] : [])].filter(
    (key) => !key.includes('$'),
  );
  return named.map((key) => ({ kind: 'secret', key: mountedKey(key, keys._secrets) }));
}

/** @param candidates keys of secrets that a task may ask for by an expression (`secrets:` of trowel.yml) */
export function containerOf(op: string, keys: Mapping, candidates: readonly string[]): Container {
  const image = imageIn(keys.docker);
  const beside = imageIn(keys._beside);
  const asked = secretPlaces(op).flatMap((place) => secretKeys(keys[place]));
  const literal = asked.filter((key) => !key.includes('$')).map((key) => mountedKey(key, keys._secrets));
  const all = asked.length === literal.length ? literal : [...literal, ...candidates];
  const secrets = [...new Set(all)].sort();
  return { definition: definitionKey(image, secrets, beside), ...present({ image, beside }), secrets };
}

function imageIn(value: Value | undefined): string | undefined {
  return isMapping(value) && typeof value.image === 'string' && value.image !== '' ? value.image : undefined;
}

function definitionKey(image: string | undefined, secrets: readonly string[], beside: string | undefined): string {
  if (image === undefined && secrets.length === 0 && beside === undefined) return DEFAULT_DEFINITION;
  return createHash('sha256')
    .update(JSON.stringify([image ?? null, secrets, ...(beside === undefined ? [] : [beside])]))
    .digest('hex')
    .slice(0, 12);
}

/** @param defaults `mail:` of the `_export`s around the task */
export function mailNeed(keys: Mapping, defaults: Mapping): Need {
  const { from, host } = { ...defaults, ...keys };
  return {
    kind: 'mail',
    ...present({ from: typeof from === 'string' ? from : undefined }),
    server: host !== undefined,
  };
}

export function spotNeeds(spot: boolean): Need[] {
  return spot ? [{ kind: 'spot' }] : [];
}

/** Whether a key `spot` is anywhere in a value, and may say yes. */
export function mentionsSpot(value: Value | undefined): boolean {
  if (Array.isArray(value)) return value.some(mentionsSpot);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, each]) =>
    key === 'spot' ? each !== false && each !== null : mentionsSpot(each),
  );
}
