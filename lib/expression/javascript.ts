/** Checks of a template's JavaScript before anything runs. acorn is loaded only for scripts that are more than a plain path. */
import type { Node } from 'acorn';
import { parsePath } from './path.ts';
import { type Part, scan } from './scan.ts';

/** Offsets are UTF-16, in the scalar's text. */
export interface FreeVariable {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface SyntaxFault {
  readonly message: string;
  readonly offset: number;
}

type Expression = Extract<Part, { kind: 'expression' }>;

/** What the sandbox defines itself. */
const GLOBALS = new Set(
  (
    'moment print arguments undefined NaN Infinity globalThis eval parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI ' +
    'encodeURIComponent escape unescape Object Function Boolean Symbol Error AggregateError EvalError RangeError ReferenceError SyntaxError ' +
    'TypeError URIError InternalError Number BigInt Math Date String RegExp Array Map Set WeakMap WeakSet WeakRef JSON Promise Proxy Reflect ' +
    'ArrayBuffer SharedArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array ' +
    'Float64Array BigInt64Array BigUint64Array Iterator toString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString constructor'
  ).split(' '),
);

/**
 * Variables that a text reads from its scope. Left out are names that JavaScript or moment define, names that the text itself declares or
 * assigns, and names that it tests with `typeof`. Empty for a script with a syntax error.
 */
export async function freeVariables(text: string): Promise<FreeVariable[]> {
  const variables: FreeVariable[] = [];
  const known = new Set<string>();
  for (const part of expressions(text)) {
    const path = parsePath(part.script);
    if (path === undefined) {
      const program = await parse(part);
      if (!('fault' in program)) collect(program.node, part.start - 1, variables, known);
    } else {
      const start = part.start + part.script.indexOf(path[0]);
      variables.push({ name: path[0], start, end: start + path[0].length });
    }
  }
  return variables.filter(({ name }) => !known.has(name) && !GLOBALS.has(name));
}

/** The first script that is no expression, or undefined. Accepts today's JavaScript: the sandbox runs more than ES5. */
export async function syntaxFault(text: string): Promise<SyntaxFault | undefined> {
  for (const part of expressions(text)) {
    if (parsePath(part.script) !== undefined) continue;
    const program = await parse(part);
    if ('fault' in program) return program.fault;
  }
  return undefined;
}

function expressions(text: string): Expression[] {
  return scan(text).filter((part) => part.kind === 'expression');
}

async function parse({ script, start, end }: Expression): Promise<{ node: Node } | { fault: SyntaxFault }> {
  const { parse: parseProgram } = await import('acorn');
  try {
    // In parentheses, as the sandbox evaluates it.
    const { body } = parseProgram(`(${script})`, {
      ecmaVersion: 'latest',
      sourceType: 'script',
      allowReturnOutsideFunction: false,
    });
    const [statement] = body;
    if (statement?.type === 'ExpressionStatement' && body.length === 1) return { node: statement.expression };
    return { fault: { message: 'Expected one expression', offset: start } };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = 'pos' in error && typeof error.pos === 'number' ? start + error.pos - 1 : start;
    return {
      fault: { message: error.message.replace(/ \(\d+:\d+\)$/, ''), offset: Math.min(Math.max(at, start), end) },
    };
  }
}

/** A node of any type, its fields unknown. */
type AnyNode = Node & { readonly [field: string]: unknown };

function collect(root: Node, shift: number, variables: FreeVariable[], known: Set<string>): void {
  const isNode = (value: unknown): value is AnyNode => typeof value === 'object' && value !== null && 'type' in value;
  const declare = (value: unknown): void => {
    if (!isNode(value)) return;
    if (value.type === 'Identifier') known.add(String(value.name));
    else for (const child of children(value)) declare(child);
  };
  const visit = (node: AnyNode): void => {
    switch (node.type) {
      case 'Identifier':
        variables.push({ name: String(node.name), start: node.start + shift, end: node.end + shift });
        return;
      case 'MemberExpression':
        if (isNode(node.object)) visit(node.object);
        if (node.computed === true && isNode(node.property)) visit(node.property);
        return;
      case 'Property':
        if (node.computed === true && isNode(node.key)) visit(node.key);
        if (isNode(node.value)) visit(node.value);
        return;
      case 'UnaryExpression':
        if (node.operator === 'typeof' && isNode(node.argument) && node.argument.type === 'Identifier')
          known.add(String(node.argument.name));
        break;
      case 'VariableDeclarator':
        declare(node.id);
        break;
      case 'AssignmentExpression':
        declare(isNode(node.left) && node.left.type === 'MemberExpression' ? undefined : node.left);
        break;
      case 'CatchClause':
        declare(node.param);
        break;
      case 'FunctionExpression':
      case 'FunctionDeclaration':
      case 'ArrowFunctionExpression':
        declare(node.id);
        for (const parameter of Array.isArray(node.params) ? node.params : []) declare(parameter);
        break;
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      case 'LabeledStatement':
        if (isNode(node.body)) visit(node.body);
        return;
    }
    for (const child of children(node)) visit(child);
  };
  const children = (node: AnyNode): AnyNode[] => Object.values(node).flat().filter(isNode);
  if (isNode(root)) visit(root);
}
