import { type AstNode, staticDepth } from './expression.ts';
import { FUNCTIONS } from './functions.ts';

/** What an expression reads from outside itself. */
export interface References {
  /** Variables it reads, without `$`; a function that is passed on as a value looks the same. */
  readonly variables: ReadonlySet<string>;
  /** Functions it calls that are JSONata's or Step Functions', without `$`. */
  readonly functions: ReadonlySet<string>;
  /** Variables whose existence it tests, by `$exists(…)`, a condition or the like: it expects that they may be missing. */
  readonly guarded: ReadonlySet<string>;
  /** Calls of functions that do not exist: neither JSONata's, nor Step Functions', nor the expression's own. */
  readonly unknownFunctions: ReadonlySet<string>;
  readonly usesEval: boolean;
  /** The least number of frames that it takes, if all of it is evaluated. */
  readonly depth: number;
  /** Names, `$`, `*` … that would be looked up in a context; at the top of an expression there is none. */
  readonly bareNames: ReadonlySet<string>;
  /** Paths below `$states` as far as they are names, joined by `.`: `input.a`, `context.Task.Token`; `` for `$states` itself. */
  readonly states: ReadonlySet<string>;
}

export function referencesOf(ast: AstNode): References {
  const reader = new Reader();
  reader.read(ast, new Set(), false);
  reader.depth = staticDepth(ast);
  return reader;
}

/** More of the parser's tree than AstNode has. */
interface Node extends AstNode {
  readonly predicate?: readonly { readonly expr?: AstNode }[];
  readonly stages?: readonly { readonly expr?: AstNode }[];
  readonly terms?: readonly { readonly expression: AstNode }[];
  readonly pattern?: AstNode;
  readonly update?: AstNode;
  readonly delete?: AstNode;
}

/** Functions that have a result even if an argument is nothing (undefined). */
const TAKES_NOTHING: ReadonlySet<string> = new Set(['exists', 'count', 'append']);
/** Operators with a result even if an operand is nothing. */
const OPERATORS: ReadonlySet<unknown> = new Set(['and', 'or', '&', '=', '!=', 'in']);

class Reader implements References {
  readonly variables = new Set<string>();
  readonly functions = new Set<string>();
  readonly guarded = new Set<string>();
  readonly unknownFunctions = new Set<string>();
  readonly bareNames = new Set<string>();
  readonly states = new Set<string>();
  usesEval = false;
  depth = 0;
  /** Inside a guarded part only variables are collected, and no further guards. */
  #inGuard = false;

  /**
   * @param locals names that the expression itself has bound so far; grows as bindings are met
   * @param inside whether there is a context: in a later step of a path, in a predicate, a sort or a group
   */
  read(node: Node, locals: Set<string>, inside: boolean): void {
    this.#readNode(node, locals, inside);
    for (const { expr } of [...(node.predicate ?? []), ...(node.stages ?? [])]) {
      if (expr !== undefined) this.read(expr, locals, true);
    }
    if (node.group !== undefined) this.#pairs(node.group.lhs, locals, true);
  }

  #readNode(node: Node, locals: Set<string>, inside: boolean): void {
    switch (node.type) {
      case 'variable':
        this.#variable(String(node.value), locals, inside);
        this.#bind(node, locals);
        break;
      case 'name':
      case 'wildcard':
      case 'descendant':
        if (!inside) this.bareNames.add(node.type === 'descendant' ? '**' : String(node.value));
        break;
      case 'path':
        this.#path(node, locals, inside);
        break;
      case 'block': {
        const scope = new Set(locals);
        for (const expression of node.expressions ?? []) {
          this.read(expression, scope, inside);
        }
        break;
      }
      case 'bind': {
        const name = String((node.lhs as AstNode).value);
        // A function can call itself; any other name is bound only after its value is evaluated.
        if (node.rhs?.type === 'lambda') locals.add(name);
        this.#all([node.rhs], locals, inside);
        locals.add(name);
        break;
      }
      case 'lambda': {
        const scope = new Set(locals);
        for (const argument of node.arguments ?? []) {
          scope.add(String(argument.value));
        }
        this.#all([node.body], scope, inside);
        break;
      }
      case 'function':
      case 'partial':
        this.#call(node, locals, inside);
        break;
      case 'transform':
        this.#all([node.pattern, node.update, node.delete], locals, true);
        break;
      case 'sort':
        for (const { expression } of node.terms ?? []) {
          this.read(expression, locals, true);
        }
        break;
      case 'condition':
        // A condition that is nothing (undefined) counts as false.
        this.#guard([node.condition], locals, inside);
        this.#all([node.condition, node.then, node.else], locals, inside);
        break;
      case 'binary':
        if (OPERATORS.has(node.value)) this.#guard([node.lhs as AstNode, node.rhs], locals, inside);
        this.#all([node.lhs as AstNode, node.rhs], locals, inside);
        break;
      case 'apply':
        if (node.rhs?.type === 'variable' && TAKES_NOTHING.has(String(node.rhs.value))) {
          this.#guard([node.lhs as AstNode], locals, inside);
        }
        this.#all([node.lhs as AstNode, node.rhs], locals, inside);
        break;
      default:
        // A list leaves out items that are nothing.
        if (node.type === 'unary' && node.value === '[') this.#guard(node.expressions ?? [], locals, inside);
        if (node.type === 'unary' && node.value === '{') {
          this.#pairs(node.lhs as readonly (readonly [AstNode, AstNode])[], locals, inside);
          break;
        }
        this.#all(
          [
            node.expression,
            ...(node.expressions ?? []),
            node.lhs as AstNode | undefined,
            node.rhs,
            node.condition,
            node.then,
            node.else,
          ],
          locals,
          inside,
        );
    }
  }

  #all(nodes: readonly (AstNode | undefined)[], locals: Set<string>, inside: boolean): void {
    for (const node of nodes) {
      if (node !== undefined) this.read(node, locals, inside);
    }
  }

  #pairs(pairs: readonly (readonly [AstNode, AstNode])[], locals: Set<string>, inside: boolean): void {
    for (const pair of pairs) {
      this.#all(pair, locals, inside);
    }
  }

  /** Bindings by `@$a` and `#$i`. */
  #bind(node: Node, locals: Set<string>): void {
    for (const name of [node.focus, node.index]) {
      if (typeof name === 'string') locals.add(name);
    }
  }

  #path(node: Node, locals: Set<string>, inside: boolean): void {
    const steps = node.steps ?? [];
    if (steps[0]?.type === 'variable' && steps[0].value === 'states' && !locals.has('states')) {
      const rest = steps.slice(1);
      const end = rest.findIndex((part) => part.type !== 'name');
      this.states.add((end === -1 ? rest : rest.slice(0, end)).map((part) => String(part.value)).join('.'));
    }
    const scope = new Set(locals);
    for (const [index, part] of steps.entries()) {
      if (!(index === 0 && part.type === 'variable' && part.value === 'states')) {
        this.#readNode(part, scope, inside || index > 0);
      }
      this.#bind(part, scope);
      for (const { expr } of (part as Node).stages ?? []) {
        this.#all([expr], scope, true);
      }
      for (const { expr } of (part as Node).predicate ?? []) {
        this.#all([expr], scope, true);
      }
      if (part.group !== undefined) this.#pairs(part.group.lhs, scope, true);
    }
  }

  #variable(name: string, locals: ReadonlySet<string>, inside: boolean): void {
    if (name === '$' || (name === '' && !inside)) {
      this.bareNames.add(`$${name}`);
    } else if (name === 'states' && !locals.has(name)) {
      this.states.add('');
    } else if (name === 'eval') {
      this.usesEval = true;
    } else if (name !== '' && !locals.has(name)) {
      this.variables.add(name);
    }
  }

  #guard(nodes: readonly (AstNode | undefined)[], locals: ReadonlySet<string>, inside: boolean): void {
    if (this.#inGuard) return;
    const inner = new Reader();
    inner.#inGuard = true;
    inner.#all(nodes, new Set(locals), inside);
    for (const variable of inner.variables) {
      this.guarded.add(variable);
    }
  }

  #call(node: Node, locals: Set<string>, inside: boolean): void {
    const { procedure } = node;
    const name = procedure?.type === 'variable' ? String(procedure.value) : undefined;
    if (name === 'eval') {
      this.usesEval = true;
    } else if (name !== undefined && !locals.has(name)) {
      if (FUNCTIONS.has(name)) {
        this.functions.add(name);
      } else {
        this.unknownFunctions.add(`$${name}`);
      }
    } else if (procedure?.type === 'path' && procedure.steps?.[0]?.type === 'name') {
      this.unknownFunctions.add(String(procedure.steps[0].value));
    } else if (name === undefined && procedure !== undefined) {
      this.read(procedure, locals, inside);
    }
    if (name !== undefined && TAKES_NOTHING.has(name) && !locals.has(name)) {
      this.#guard(node.arguments ?? [], locals, inside);
    }
    this.#all(
      (node.arguments ?? []).filter(({ type }) => type !== 'operator'),
      locals,
      inside,
    );
  }
}
