/** Session parameters of the command line: `-P` files (YAML or JSON, types kept) under `-p KEY=VALUE` (always texts). */

import { isMapping } from '../../asl/json.ts';
import { getOwn, setOwn } from '../../contract/merge.ts';
import { merged } from '../../contract/stores.ts';
import { usageFault } from '../../language/request-fault.ts';
import { escapedKey } from '../../language/value-form.ts';
import type { Mapping } from '../../language/workflow.ts';
import { readMapping } from './read-text.ts';

export interface ParamFlags {
  readonly param?: readonly string[] | undefined;
  readonly paramsFile?: readonly string[] | undefined;
}

/** Later ones over earlier; undefined if there are none. Throws a RequestFault for what cannot be read. */
export async function givenParams(
  cwd: string,
  { param, paramsFile = [] }: ParamFlags,
): Promise<readonly Mapping[] | undefined> {
  if (param === undefined && paramsFile.length === 0) return undefined;
  const words = parseParams(param ?? []);
  const params: Mapping[] = [];
  for (const file of paramsFile) params.push(await readMapping(cwd, file));
  return [...params, words];
}

/** The same as one mapping. */
export async function givenMapping(cwd: string, flags: ParamFlags): Promise<Mapping> {
  return (await givenParams(cwd, flags))?.reduce(merged, {}) ?? {};
}

/** `a.b=c` builds `{a: {b: 'c'}}`, as values travel; later ones win. Throws a usage error for an entry without `=`. */
export function parseParams(entries: readonly string[]): Mapping {
  const params: Mapping = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at <= 0) {
      throw usageFault(`-p ${entry}: expected KEY=VALUE`, 'For example: -p region=eu -p db.host=localhost');
    }
    const path = entry.slice(0, at).split('.');
    if (path.includes('')) throw usageFault(`-p ${entry}: a part of the key is empty`);
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
