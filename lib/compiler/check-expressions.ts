/**
 * Faults of `${…}` that can be told before anything runs: scripts that are no JavaScript, and variables that nothing can define.
 */
import { freeVariables, syntaxFault } from '../expression/javascript.ts';
import { builtinNames } from '../expression/session.ts';
import type { Diagnostic } from '../language/diagnostic.ts';
import { OPERATORS } from '../language/operators.ts';
import { didYouMean } from '../language/suggest.ts';
import { locate, type Template, templatesOf } from '../language/templates.ts';
import { walk } from '../language/walk.ts';
import type { Mapping, Node, Task, Workflow } from '../language/workflow.ts';
import { resolveCall } from './operators/call.ts';

export interface ExpressionScope {
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** Names that -p, -P and trowel.yml give. */
  readonly params: readonly string[];
  readonly sources: ReadonlyMap<string, string>;
}

/** What native operators store, by the name of the variable; an operator that is not here and stores may store anything. */
const STORED: { readonly [operator: string]: string } = { http: 'http', s3_wait: 's3', aws: 'aws', lambda: 'lambda' };

/** Diagnostics of one workflow and what it calls, each place once. */
export async function checkExpressions(workflow: Workflow, scope: ExpressionScope): Promise<Diagnostic[]> {
  const checker = new Checker(scope);
  const names = new Set([...builtinNames(workflow.schedule !== undefined), ...scope.params]);
  await checker.node(workflow.root, { names, anything: false }, '', [workflow.file]);
  return [...checker.found.values()];
}

/** Names defined at a point of the workflow; `anything` after a task that may store whatever it likes. */
interface Defined {
  readonly names: Set<string>;
  anything: boolean;
}

class Checker {
  readonly found = new Map<string, Diagnostic>();
  readonly #scope: ExpressionScope;

  constructor(scope: ExpressionScope) {
    this.#scope = scope;
  }

  /** Adds to `defined` what the node leaves behind for those after it. */
  async node(node: Node, defined: Defined, workdir: string, calls: readonly string[]): Promise<void> {
    const inner: Defined = {
      names: new Set([...defined.names, ...keysOf(node.directives.export)]),
      anything: defined.anything,
    };
    if (node.kind === 'group') {
      await this.#templates(node, inner);
      // Children side by side do not see each other, but a name that one of them stores is no typing error.
      for (const child of node.children) await this.node(child, inner, workdir, calls);
    } else {
      await this.#task(node, inner, workdir, calls);
    }
    const { error, check } = node.directives;
    if (error !== undefined) await this.node(error, within(inner, ['error']), workdir, calls);
    if (check !== undefined) await this.node(check, within(inner, []), workdir, calls);
    const exported = new Set(keysOf(node.directives.export));
    for (const name of inner.names) if (!exported.has(name)) defined.names.add(name);
    defined.anything ||= inner.anything;
  }

  async #task(task: Task, inner: Defined, workdir: string, calls: readonly string[]): Promise<void> {
    await this.#templates(task, within(inner, Object.keys(task.keys)));
    const loopNames = variablesOfLoop(task);
    for (const body of [task.body, task.elseBody]) {
      if (body === undefined) continue;
      const bodyScope = loopNames === undefined ? { ...within(inner, []), anything: true } : within(inner, loopNames);
      // A round of a loop sees what the rounds before it stored.
      if (stores(body)) bodyScope.anything = true;
      await this.node(body, bodyScope, workdir, calls);
      if (stores(body)) inner.anything = true;
    }
    const stored = STORED[task.operator];
    if (stored !== undefined) inner.names.add(stored);
    else if (OPERATORS[task.operator]?.stores) inner.anything = true;
    if (task.operator === 'call') await this.#call(task, inner, workdir, calls);
  }

  async #call(task: Task, inner: Defined, workdir: string, calls: readonly string[]): Promise<void> {
    const { command } = task;
    if (typeof command !== 'string' || command.includes('$')) {
      inner.anything = true;
      return;
    }
    const file = resolveCall(workdir, command);
    const callee = this.#scope.workflows.get(file.replace(/\.dig$/, ''));
    if (callee === undefined || calls.includes(file)) return;
    const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
    inner.names.add('_workdir');
    await this.node(callee.root, inner, folder, [...calls, file]);
  }

  async #templates(node: Node, defined: Defined): Promise<void> {
    for (const template of templatesOf(node)) {
      const fault = await syntaxFault(template.text);
      if (fault !== undefined) {
        this.#report(
          template,
          [fault.offset, fault.offset + 1],
          'expression-syntax',
          'error',
          `\${…} is not JavaScript: ${fault.message}`,
          [
            `In ${template.text.length < 100 ? template.text : `${template.text.slice(0, 97)}…`}, at character ${fault.offset + 1}.`,
          ],
        );
        continue;
      }
      if (defined.anything) continue;
      for (const { name, start, end } of await freeVariables(template.text)) {
        // An _export may use what only the tasks below define.
        if (defined.names.has(name) || template.path.startsWith('_export')) continue;
        const hint = didYouMean(name, [...defined.names]);
        this.#report(template, [start, end], 'undefined-variable', 'warning', `nothing defines the variable ${name}`, [
          ...(hint === undefined ? [] : [hint]),
          `Give it in an _export, store it in an earlier task, or pass it with -p ${name}=…`,
        ]);
      }
    }
  }

  #report(
    template: Template,
    [start, end]: readonly [number, number],
    code: Diagnostic['code'],
    severity: Diagnostic['severity'],
    message: string,
    notes: readonly string[],
  ): void {
    const whole = locate(this.#scope.sources.get(template.span.file), template, template.text);
    // Where YAML's escapes or folds moved the text, the whole scalar is shown.
    const exact = whole.end - whole.start === template.text.length;
    const span = exact ? { file: whole.file, start: whole.start + start, end: whole.start + end } : whole;
    const key = `${code} ${span.file} ${span.start} ${message}`;
    if (!this.found.has(key)) this.found.set(key, { code, severity, message, span, notes });
  }
}

function keysOf(mapping: Mapping | undefined): readonly string[] {
  return mapping === undefined ? [] : Object.keys(mapping);
}

function within(defined: Defined, names: readonly string[]): Defined {
  return { names: new Set([...defined.names, ...names]), anything: defined.anything };
}

/** What a loop's body sees; undefined if only the run tells. */
function variablesOfLoop(task: Task): readonly string[] | undefined {
  const { operator, command } = task;
  if (operator === 'loop') return ['i'];
  if (operator === 'for_range') return ['range'];
  if (operator !== 'for_each') return [];
  return command !== null && typeof command === 'object' && !Array.isArray(command) ? Object.keys(command) : undefined;
}

function stores(node: Node): boolean {
  for (const each of walk(node)) {
    if (each.kind === 'task' && (OPERATORS[each.operator]?.stores || each.operator === 'call')) return true;
  }
  return false;
}
