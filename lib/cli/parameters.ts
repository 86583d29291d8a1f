/** Session parameters from the command line: `-P` files (YAML or JSON, types kept) under `-p KEY=VALUE` (always texts). */
import { isMapping } from '../asl/json.ts';
import { getOwn, setOwn } from '../contract/merge.ts';
import { escapedKey } from '../language/value-form.ts';
import type { Mapping } from '../language/workflow.ts';
import { usageError } from './exit-codes.ts';

/** `a.b=c` builds `{a: {b: 'c'}}`, as values travel; later ones win. Throws a usage error for an entry without `=`. */
export function parseParams(entries: readonly string[]): Mapping {
  const params: Mapping = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at <= 0) {
      throw usageError(`-p ${entry}: expected KEY=VALUE`, 'For example: -p region=eu -p db.host=localhost');
    }
    const path = entry.slice(0, at).split('.');
    if (path.includes('')) throw usageError(`-p ${entry}: a part of the key is empty`);
    setPath(params, path, entry.slice(at + 1));
  }
  return params;
}

function setPath(target: Mapping, path: readonly string[], value: string): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  const key = escapedKey(name);
  if (rest.length === 0) {
    setOwn(target, key, value);
    return;
  }
  const inner = getOwn(target, key);
  const mapping = isMapping(inner) ? inner : {};
  setOwn(target, key, mapping);
  setPath(mapping, rest, value);
}
