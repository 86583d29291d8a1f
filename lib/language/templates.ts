import { present } from '../asl/present.ts';
import type { Span } from './diagnostic.ts';
import type { Node, Value } from './workflow.ts';

export interface Template {
  /** Keys joined by `.`, e.g. `_export.greeting` or `py>`. */
  readonly path: string;
  /** The same, key by key; items of a list by their index. */
  readonly keys: readonly string[];
  /**
   * Set if the text is in a mapping inside a key's value: the keys before and after it there. Absent if it is the value of a key itself, or
   * in its list.
   */
  readonly within?: { readonly earlier: readonly string[]; readonly later: readonly string[] };
  readonly text: string;
  /** Span of the whole scalar in its file. */
  readonly span: Span;
}

/** The texts of a node that hold `$`: its own keys and its `_export`; not those of its bodies, which are nodes of their own. */
export function templatesOf(node: Node): Template[] {
  const found: Template[] = [];
  const visit = (value: Value, keys: readonly string[], within: Template['within'], isTop: boolean) => {
    if (typeof value === 'string') {
      if (!value.includes('$')) return;
      const path = keys.join('.');
      found.push({
        path,
        keys,
        text: value,
        ...present({ within }),
        // Computed only when needed, for a fault.
        get span() {
          return node.spans?.[path] ?? node.span;
        },
      });
    } else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, [...keys, String(index)], within, false);
    } else if (value !== null && typeof value === 'object') {
      const names = Object.keys(value);
      for (const [index, key] of names.entries()) {
        // Bodies inside values are not evaluated with their parent, at any depth.
        if (key === '_do' || key === '_else_do') continue;
        const own = { earlier: names.slice(0, index), later: names.slice(index + 1) };
        visit(value[key] ?? null, [...keys, key], isTop ? undefined : own, false);
      }
    }
  };
  const { export: exported, env } = node.directives;
  if (exported) visit(exported, ['_export'], undefined, true);
  if (node.kind === 'task') visit(node.keys, [], undefined, true);
  else if (env) visit(env, ['_env'], undefined, false);
  return found;
}

/**
 * The place of one `${…}` inside its scalar, found in the text of the file: YAML's escapes, folds and indents change offsets. The
 * whole scalar if the expression is written over several lines or escaped.
 */
export function locate(source: string | undefined, { span }: Template, expression: string): Span {
  const at = source?.slice(span.start, span.end).indexOf(expression) ?? -1;
  return at < 0 ? span : { file: span.file, start: span.start + at, end: span.start + at + expression.length };
}
