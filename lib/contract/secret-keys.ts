import { isMapping } from '../asl/json.ts';
import { codeOf, operatorSpec } from '../language/operators.ts';
import type { Value } from '../language/workflow.ts';

const SECRET = /\$\{\s*secret:([^}]*)\}/g;

/** Keys of a task in which `launch` replaces secrets: `_env`, and the command of an sh>. */
export function secretPlaces(op: Value | undefined): readonly string[] {
  const operator = String(op);
  const own = codeOf(operator) === undefined ? [] : (operatorSpec(operator)?.secrets ?? []);
  return ['_env', ...own.flatMap((key) => (key === 'command' ? [`${operator}>`, '_command'] : [key]))];
}

/** Keys that `${secret:key}` names in a text or anywhere in a value; spaces around a key do not count. */
export function secretKeys(value: Value | undefined): string[] {
  const keys = new Set<string>();
  const visit = (part: Value | undefined): void => {
    if (typeof part === 'string') for (const match of part.matchAll(SECRET)) keys.add((match[1] ?? '').trim());
    else if (Array.isArray(part)) part.forEach(visit);
    else if (part !== null && typeof part === 'object') Object.values(part).forEach(visit);
  };
  visit(value);
  return [...keys];
}

/**
 * The key under which a secret is kept when `_secrets` renames it: `{pg: {password: 'my.key'}}` makes `my.key` of `pg.password`, `{pg:
 * 'other'}` makes `other.password` of it (digdag's DefaultSecretProvider). `true`, its old grant, changes nothing.
 * @param illegal called with a value that is none of these; default: it changes nothing
 */
export function mountedKey(key: string, mounts: Value | undefined, illegal?: (node: Value) => never): string {
  const segments = key.split('.');
  let scope = mounts;
  for (const [i, segment] of segments.entries()) {
    if (!isMapping(scope)) return key;
    const node = Object.hasOwn(scope, segment) ? scope[segment] : undefined;
    if (typeof node === 'string') return [node, ...segments.slice(i + 1)].join('.');
    if (node !== undefined && node !== true && !isMapping(node)) illegal?.(node);
    scope = node;
  }
  return key;
}
