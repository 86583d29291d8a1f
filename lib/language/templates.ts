import type { Span } from './diagnostic.ts';
import type { Node, Value } from './workflow.ts';

export interface Template {
  /** Keys joined by `.`, e.g. `_export.greeting` or `py>`. */
  readonly path: string;
  readonly text: string;
  /** Of the whole scalar in its file. */
  readonly span: Span;
}

/** The texts of a node that hold `$`: its own keys and its `_export`; not those of bodies, which are nodes of their own. */
export function templatesOf(node: Node): Template[] {
  const found: Template[] = [];
  const visit = (value: Value, path: string) => {
    if (typeof value === 'string') {
      if (!value.includes('$')) return;
      found.push({
        path,
        text: value,
        // Only a fault asks for it.
        get span() {
          return node.spans?.[path] ?? node.span;
        },
      });
    } else if (value !== null && typeof value === 'object') {
      for (const [key, item] of Object.entries(value)) {
        // Bodies inside values are not evaluated with their parent, at any depth.
        if (key !== '_do' && key !== '_else_do') visit(item, path ? `${path}.${key}` : key);
      }
    }
  };
  const { export: exported, env } = node.directives;
  if (exported) visit(exported, '_export');
  if (node.kind === 'task') visit(node.keys, '');
  else if (env) visit(env, '_env');
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
