/**
 * A parser for the part of JavaScript that lower.ts can translate: literals, variables and their members, arithmetic,
 * comparison, logic, the conditional. Anything else is undefined, never misread: every token and operator that is not
 * listed here ends the attempt.
 */
export type SimpleNode =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Names joined by dots: `range.from`. */
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'unary'; readonly operator: '!' | '-' | '+'; readonly operand: SimpleNode }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: SimpleNode;
      readonly right: SimpleNode;
    }
  | { readonly kind: 'conditional'; readonly test: SimpleNode; readonly yes: SimpleNode; readonly no: SimpleNode };

export type BinaryOperator = keyof typeof PRECEDENCE;

const PRECEDENCE = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '===': 3,
  '!==': 3,
  '<': 4,
  '>': 4,
  '<=': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
} as const;

/** Deeper trees are left to the sandbox: an expression on AWS can have only some 100 nested frames. */
const MAX_DEPTH = 12;

const TOKEN =
  /[ \t\r\n]*(?:((?:0|[1-9]\d{0,14})(?:\.\d{1,6})?(?![\w.$]))|([A-Za-z_$][\w$]*(?:[ \t]*\.[ \t]*[A-Za-z_$][\w$]*)*)|('(?:[^'\\\r\n]|\\[\\'"nt])*'|"(?:[^"\\\r\n]|\\[\\'"nt])*")|(===|!==|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:()]))/y;
const OPERATORS_NOT_KNOWN = /\+\+|--|\*\*|\/\/|\/\*|<<|>>|\?\?|\?\.|=>/;
const NOT_NAMES =
  /^(?:break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|finally|for|function|if|import|in|instanceof|new|null|return|super|switch|this|throw|try|typeof|var|void|while|with|yield|let|static|await|arguments|eval|undefined|NaN|Infinity)$/;

type Token = { kind: 'operator' | 'name' | 'number' | 'string' | 'end'; text: string };

/** The tree of a script, or undefined if it uses anything that this parser does not know. */
export function parseSimple(script: string): SimpleNode | undefined {
  const tokens = tokenize(script);
  if (tokens === undefined) return undefined;
  try {
    const parser = new Parser(tokens);
    const node = parser.expression(0);
    return parser.atEnd() ? node : undefined;
  } catch (error) {
    if (error === NOT_SIMPLE) return undefined;
    throw error;
  }
}

function tokenize(script: string): Token[] | undefined {
  const tokens: Token[] = [];
  let position = 0;
  const end = script.trimEnd().length;
  while (position < end) {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(script);
    if (match === null) return undefined;
    const [, number, name, string, operator] = match;
    if (
      operator !== undefined &&
      OPERATORS_NOT_KNOWN.test(script.slice(TOKEN.lastIndex - operator.length, TOKEN.lastIndex + 1))
    )
      return undefined;
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name.replace(/[ \t]/g, '') });
    else if (string !== undefined) tokens.push({ kind: 'string', text: string });
    else tokens.push({ kind: 'operator', text: operator ?? '' });
    position = TOKEN.lastIndex;
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

const NOT_SIMPLE = Symbol('not simple');

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  atEnd(): boolean {
    return this.#peek().kind === 'end';
  }

  expression(depth: number): SimpleNode {
    const test = this.#binary(1, depth);
    if (!this.#take('?')) return test;
    const yes = this.expression(depth + 1);
    if (!this.#take(':')) throw NOT_SIMPLE;
    return { kind: 'conditional', test, yes, no: this.expression(depth + 1) };
  }

  #binary(least: number, depth: number): SimpleNode {
    let left = this.#unary(depth);
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind !== 'operator' || !Object.hasOwn(PRECEDENCE, text)) return left;
      const operator = text as BinaryOperator;
      if (PRECEDENCE[operator] < least) return left;
      this.#position++;
      left = { kind: 'binary', operator, left, right: this.#binary(PRECEDENCE[operator] + 1, depth + 1) };
    }
  }

  #unary(depth: number): SimpleNode {
    if (depth > MAX_DEPTH) throw NOT_SIMPLE;
    for (const operator of ['!', '-', '+'] as const) {
      if (this.#take(operator)) return { kind: 'unary', operator, operand: this.#unary(depth + 1) };
    }
    if (this.#take('(')) {
      const inner = this.expression(depth + 1);
      if (!this.#take(')')) throw NOT_SIMPLE;
      return inner;
    }
    return this.#primary();
  }

  #primary(): SimpleNode {
    const { kind, text } = this.#peek();
    this.#position++;
    switch (kind) {
      case 'number':
        return { kind, value: Number(text) };
      case 'string':
        return {
          kind,
          value: text.slice(1, -1).replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c === 't' ? '\t' : c)),
        };
      case 'name':
        if (text === 'true' || text === 'false') return { kind: 'boolean', value: text === 'true' };
        if (NOT_NAMES.test(text.split('.')[0] ?? '') || /^(?:true|false)\./.test(text)) throw NOT_SIMPLE;
        return { kind: 'path', path: text };
      default:
        throw NOT_SIMPLE;
    }
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: 'end', text: '' };
  }

  #take(operator: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== 'operator' || text !== operator) return false;
    this.#position++;
    return true;
  }
}
