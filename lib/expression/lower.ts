/**
 * Translates a template to one JSONata expression (2.0.6) that gives exactly the renderer's text; if it cannot, it does not translate at
 * all. It is exact for these reasons: types are known at compile time; numbers are the same doubles in both languages, so only turning them
 * into text differs, and `$formatBase` does that for integers without `$string`'s rounding to 15 digits; comparison is translated between
 * equal types only; strings compare by UTF-16 units in both. Every result is total: it never fails. A test compares it with the sandbox.
 */
import { scan } from './scan.ts';
import { type BinaryOperator, parseSimple, type SimpleNode } from './simple-script.ts';

/** A variable whose value has this type whenever the expression runs. Integers are safe integers. */
export interface Variable {
  /** JSONata, e.g. `$b.session_date`; atomic or in parentheses. */
  readonly expr: string;
  readonly type: 'string' | 'integer' | 'boolean';
}

/** By name, members of mappings by path: `i`, `range.from`. A name that is absent is not known at compile time. */
export type Environment = { readonly [path: string]: Variable };

export interface Lowered {
  /** JSONata without `{% %}`. User text in it holds neither `$` nor `%}`. */
  readonly expression: string;
}

/** `number`: a finite double that may not be an integer, never turned into text. */
interface Typed {
  readonly type: 'string' | 'integer' | 'number' | 'boolean';
  readonly expr: string;
  /** For numbers: the greatest magnitude that the value can have. */
  readonly bound: number;
}

/** Longer results are left to the sandbox: operands that occur twice could grow without limit. */
const MAX_LENGTH = 8000;
/** Far below the greatest double, so that no operation gives an infinity. */
const MAX_BOUND = 1e300;

/** Gives an expression whose value is the rendered text. */
export function lower(text: string, environment: Environment): Lowered | undefined {
  const pieces: string[] = [];
  for (const part of scan(text)) {
    const piece = part.kind === 'text' ? literal(part.text) : new Lowering(environment).scriptText(part.script);
    if (piece === undefined) return undefined;
    pieces.push(piece);
  }
  return finish(joined(pieces));
}

/** Gives a Boolean expression for if>: only for what is always true, false or empty. */
export function lowerCondition(text: string, environment: Environment): Lowered | undefined {
  const parts = scan(text);
  const scripts = parts.flatMap((part) => (part.kind === 'expression' ? [part.script] : []));
  const texts = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('');
  const [script] = scripts;
  if (script === undefined) return finish(truth(texts));
  if (scripts.length > 1 || texts.trim() !== '') return undefined;
  const node = parseSimple(script);
  return finish(node && new Lowering(environment).conditionOf(node));
}

function finish(expression: string | undefined): Lowered | undefined {
  return expression === undefined || expression.length > MAX_LENGTH ? undefined : { expression };
}

/** JSONata's text literal. Escapes characters that have a meaning in the definition around it: `$` (CloudFormation's `${…}`) and `%}`. */
export function literal(text: string): string {
  return JSON.stringify(text).replaceAll('$', '\\u0024').replaceAll('%}', '%\\u007d');
}

/** How if> reads a text. */
function truth(text: string): 'true' | 'false' | undefined {
  const word = text.trim();
  if (word === 'true' || word === 'True') return 'true';
  return word === '' || word === 'false' || word === 'False' ? 'false' : undefined;
}

function joined(pieces: readonly string[]): string {
  if (pieces.length <= 1) return pieces[0] ?? '""';
  return `$join([${pieces.join(',')}])`;
}

class Lowering {
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  scriptText(script: string): string | undefined {
    const node = parseSimple(script);
    return node && this.#textOf(node);
  }

  conditionOf(node: SimpleNode): string | undefined {
    if (node.kind === 'string') return truth(node.value);
    if (node.kind === 'conditional')
      return this.#choose(node.test, this.conditionOf(node.yes), this.conditionOf(node.no));
    const typed = this.#typed(node);
    return typed?.type === 'boolean' ? typed.expr : undefined;
  }

  #textOf(node: SimpleNode): string | undefined {
    if (node.kind === 'conditional') return this.#choose(node.test, this.#textOf(node.yes), this.#textOf(node.no));
    const pieces = node.kind === 'binary' && node.operator === '+' ? this.#concatenation(node) : undefined;
    if (pieces !== undefined) return joined(pieces);
    const typed = this.#typed(node);
    return typed && typedText(typed);
  }

  #choose(test: SimpleNode, yes: string | undefined, no: string | undefined): string | undefined {
    const condition = this.#truthOf(test);
    return condition === undefined || yes === undefined || no === undefined
      ? undefined
      : `(${condition} ? ${yes} : ${no})`;
  }

  #typed(node: SimpleNode): Typed | undefined {
    switch (node.kind) {
      case 'string':
        return { type: 'string', expr: literal(node.value), bound: 0 };
      case 'number':
        return {
          type: Number.isInteger(node.value) ? 'integer' : 'number',
          expr: String(node.value),
          bound: node.value,
        };
      case 'boolean':
        return { type: 'boolean', expr: String(node.value), bound: 0 };
      case 'path': {
        const variable = Object.hasOwn(this.#environment, node.path) ? this.#environment[node.path] : undefined;
        return variable && { ...variable, bound: variable.type === 'integer' ? Number.MAX_SAFE_INTEGER : 0 };
      }
      case 'unary':
        return this.#unary(node.operator, node.operand);
      case 'binary':
        return this.#binary(node);
      case 'conditional': {
        const [yes, no] = [this.#typed(node.yes), this.#typed(node.no)];
        if (yes === undefined || no === undefined || yes.type !== no.type) return undefined;
        const expr = this.#choose(node.test, yes.expr, no.expr);
        return expr === undefined ? undefined : { type: yes.type, expr, bound: Math.max(yes.bound, no.bound) };
      }
    }
  }

  #unary(operator: '!' | '-' | '+', operand: SimpleNode): Typed | undefined {
    if (operator === '!') {
      const condition = this.#truthOf(operand);
      return condition === undefined ? undefined : { type: 'boolean', expr: `$not(${condition})`, bound: 0 };
    }
    const typed = this.#typed(operand);
    if (typed?.type !== 'integer' && typed?.type !== 'number') return undefined;
    return operator === '+' ? typed : { ...typed, expr: `(-${typed.expr})` };
  }

  #binary(node: Extract<SimpleNode, { kind: 'binary' }>): Typed | undefined {
    const { operator } = node;
    if (operator === '+') {
      const pieces = this.#concatenation(node);
      if (pieces !== undefined) return { type: 'string', expr: joined(pieces), bound: 0 };
    }
    const [left, right] = [this.#typed(node.left), this.#typed(node.right)];
    if (left === undefined || right === undefined) return undefined;
    switch (operator) {
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return arithmetic(operator, left, right, node.right);
      case '&&':
      case '||':
        return logical(operator, left, right);
      default:
        return comparison(operator, left, right);
    }
  }

  /** Operands of a chain of `+` from its first text on; undefined where it adds numbers, or cannot be known. */
  #concatenation(node: Extract<SimpleNode, { kind: 'binary' }>): string[] | undefined {
    const { left, right } = node;
    const chain = left.kind === 'binary' && left.operator === '+' ? this.#concatenation(left) : undefined;
    if (chain === undefined && !this.#isText(left) && !this.#isText(right)) return undefined;
    const start = chain ?? [this.#textOf(left)];
    const pieces = [...start, this.#textOf(right)];
    return pieces.every((piece) => piece !== undefined) ? pieces : undefined;
  }

  #isText(node: SimpleNode): boolean {
    return this.#typed(node)?.type === 'string';
  }

  /** A Boolean: JavaScript's truthiness. */
  #truthOf(node: SimpleNode): string | undefined {
    const typed = this.#typed(node);
    return typed && truthiness(typed);
  }
}

function truthiness({ type, expr }: Typed): string {
  if (type === 'boolean') return expr;
  return type === 'string' ? `(${expr} != "")` : `(${expr} != 0)`;
}

function typedText({ type, expr }: Typed): string | undefined {
  switch (type) {
    case 'string':
      return expr;
    case 'integer':
      return `$formatBase(${expr})`;
    case 'boolean':
      return `$string(${expr})`;
    case 'number':
      return undefined;
  }
}

function arithmetic(
  operator: '+' | '-' | '*' | '/' | '%',
  left: Typed,
  right: Typed,
  divisor: SimpleNode,
): Typed | undefined {
  const isNumber = ({ type }: Typed) => type === 'integer' || type === 'number';
  if (!isNumber(left) || !isNumber(right)) return undefined;
  // A divisor that may be zero can give a number that is not finite.
  if ((operator === '/' || operator === '%') && !(divisor.kind === 'number' && divisor.value !== 0)) return undefined;
  const bound =
    operator === '*' ? left.bound * right.bound : operator === '/' ? left.bound * 1e6 : left.bound + right.bound;
  if (bound > MAX_BOUND) return undefined;
  const type = operator !== '/' && left.type === 'integer' && right.type === 'integer' ? 'integer' : 'number';
  return { type, expr: `(${left.expr} ${operator} ${right.expr})`, bound };
}

function logical(operator: '&&' | '||', left: Typed, right: Typed): Typed | undefined {
  if (left.type !== right.type) return undefined;
  const bound = Math.max(left.bound, right.bound);
  if (left.type === 'boolean')
    return { type: 'boolean', expr: `(${left.expr} ${operator === '&&' ? 'and' : 'or'} ${right.expr})`, bound };
  const [yes, no] = operator === '&&' ? [right, left] : [left, right];
  return { type: left.type, expr: `(${truthiness(left)} ? ${yes.expr} : ${no.expr})`, bound };
}

function comparison(
  operator: Exclude<BinaryOperator, '+' | '-' | '*' | '/' | '%' | '&&' | '||'>,
  left: Typed,
  right: Typed,
): Typed | undefined {
  const kind = ({ type }: Typed) => (type === 'integer' ? 'number' : type);
  const boolean = (expr: string): Typed => ({ type: 'boolean', expr, bound: 0 });
  if (kind(left) !== kind(right)) {
    if (operator === '===') return boolean('false');
    return operator === '!==' ? boolean('true') : undefined;
  }
  switch (operator) {
    case '==':
    case '===':
      return boolean(`(${left.expr} = ${right.expr})`);
    case '!=':
    case '!==':
      return boolean(`(${left.expr} != ${right.expr})`);
    default:
      // JavaScript orders Booleans as numbers, JSONata not at all.
      return kind(left) === 'boolean' ? undefined : boolean(`(${left.expr} ${operator} ${right.expr})`);
  }
}
