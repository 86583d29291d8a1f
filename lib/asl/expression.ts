import jsonata from 'jsonata';
import { present } from './present.ts';

/**
 * `{% … %}`: finding, parsing and walking JSONata expressions. The parser is jsonata's own, in the version that Step Functions runs, so an
 * expression that parses here parses there. jsonata's published types describe only part of the tree; `AstNode` describes what the parser
 * really returns.
 */
export interface AstNode {
  readonly type: string;
  readonly value?: unknown;
  readonly position?: number;
  readonly steps?: readonly AstNode[];
  readonly arguments?: readonly AstNode[];
  readonly procedure?: AstNode;
  readonly body?: AstNode;
  readonly expression?: AstNode;
  readonly expressions?: readonly AstNode[];
  readonly condition?: AstNode;
  readonly then?: AstNode;
  readonly else?: AstNode;
  readonly lhs?: AstNode | readonly (readonly [AstNode, AstNode])[];
  readonly rhs?: AstNode;
  /** `{…}` after a path. */
  readonly group?: { readonly lhs: readonly (readonly [AstNode, AstNode])[] };
  /** Names bound by `@$name` and `#$name`. */
  readonly focus?: string;
  readonly index?: string;
  readonly tuple?: boolean;
}

/** The text between `{%` and `%}`, or undefined for a text that is not an expression. No space is allowed outside the marks. */
export function expressionIn(text: string): string | undefined {
  return text.length >= 4 && text.startsWith('{%') && text.endsWith('%}') ? text.slice(2, -2) : undefined;
}

export type Parsed = { readonly ast: AstNode } | { readonly error: string; readonly position?: number };

export function parseExpression(source: string): Parsed {
  try {
    return { ast: jsonata(source).ast() as AstNode };
  } catch (cause) {
    const { code, message, position } = cause as { code?: string; message?: string; position?: number };
    return {
      error: `${code === undefined ? '' : `${code}: `}${message ?? String(cause)}`,
      ...present({ position }),
    };
  }
}

/** Calls `visit` for every node, parents first; the tree may share nodes, each is visited once. */
export function walkAst(root: AstNode, visit: (node: AstNode) => void): void {
  const seen = new Set<object>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (!Array.isArray(value) && typeof (value as { type?: unknown }).type === 'string') visit(value as AstNode);
    // Pushed backwards, so that they are visited in the order written.
    open.push(...Object.values(value).reverse());
  }
}

/** Parts of the tree that have a type and are not evaluated themselves. */
const NOT_EVALUATED: ReadonlySet<unknown> = new Set(['filter', 'index', 'operator']);

/** The depth of nesting of an expression: the most frames that it can take if no function calls another. */
export function staticDepth(root: AstNode): number {
  let deepest = 0;
  const open: [unknown, number][] = [[root, 0]];
  const seen = new Set<object>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, depth] = next;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const { type } = value as { type?: unknown };
    const inside = typeof type === 'string' && !NOT_EVALUATED.has(type) ? depth + 1 : depth;
    deepest = Math.max(deepest, inside);
    for (const child of Object.values(value)) {
      open.push([child, inside]);
    }
  }
  return deepest;
}
