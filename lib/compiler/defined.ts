/** Names that are defined at a point of a workflow, in the order in which a task's scope has them. */
import { isMapping } from '../asl/json.ts';
import type { Mapping, Value } from '../language/workflow.ts';

export interface Defined {
  /** Names with the value that an `_export` gives them; undefined for data, which only a run knows. */
  readonly names: Map<string, Value | undefined>;
  /** Names that tasks at or below the node have stored: nodes after it see them. */
  readonly stored: Set<string>;
  /** After a task that may store whatever it likes. */
  anything: boolean;
}

/** The same with further names of data. */
export function within({ names, anything }: Defined, more: Iterable<string>): Defined {
  const inner = new Map([...names, ...[...more].map((name) => [name, undefined] as const)]);
  return { names: inner, stored: new Set(), anything };
}

export function store({ names, stored }: Defined, keys: Iterable<string>): void {
  for (const key of keys) {
    names.set(key, undefined);
    stored.add(key);
  }
}

/** The same within a node with this `_export`. A name keeps its place; mappings merge. */
export function exporting(
  { names, anything }: Defined,
  exported: Mapping | undefined,
  builtins: ReadonlySet<string>,
): Defined {
  const inner = new Map(names);
  for (const [name, value] of Object.entries(exported ?? {})) {
    const before = names.get(name);
    const merged = isMapping(before) && isMapping(value) ? { ...before, ...value } : value;
    inner.set(name, builtins.has(name) ? undefined : merged);
  }
  return { names: inner, stored: new Set(), anything };
}

/** Whether `${name…}` gives the text of an expression that has not been evaluated. `after` is what follows the name in the expression. */
export function isTemplateText(value: Value | undefined, after: string): boolean {
  let at: Value | undefined = value;
  for (const [, key = ''] of (/^(?:\.[A-Za-z_$][\w$]*)+/.exec(after)?.[0] ?? '').matchAll(/\.([^.]+)/g)) {
    if (!isMapping(at)) break;
    at = Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at !== undefined && JSON.stringify(at).includes('${');
}
