/**
 * Faults of `${…}` that can be found before anything runs: scripts that are not JavaScript, and variables that nothing can define.
 */
import { isMapping } from '../asl/json.ts';
import { freeVariables, syntaxFault } from '../expression/javascript.ts';
import { builtinNames } from '../expression/session.ts';
import type { Diagnostic } from '../language/diagnostic.ts';
import { codeOf, isCall, loopOver, operatorSpec } from '../language/operators.ts';
import { locate, type Template, templatesOf } from '../language/templates.ts';
import { walk } from '../language/walk.ts';
import type { Node, Task, Workflow } from '../language/workflow.ts';
import { resolveCall } from './called-file.ts';
import { type Defined, exporting, store, within } from './defined.ts';
import type { PythonCheck } from './python/check.ts';
import type { Stores } from './python/closure.ts';
import { faultOf } from './variable-fault.ts';

export interface ExpressionScope {
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** Names that -p, -P and trowel.yml give. */
  readonly params: readonly string[];
  readonly sources: ReadonlyMap<string, string>;
  /** Facts from the Python files. Absent: a py> may store anything, and its function is not looked up. */
  readonly python?: PythonCheck | undefined;
  /** Names may come from where nothing is seen: a workflow that calls it, or an included file that could not be read. */
  readonly anything?: boolean;
}

/** Diagnostics of one workflow and what it calls, each place once. */
export async function checkExpressions(workflow: Workflow, scope: ExpressionScope): Promise<Diagnostic[]> {
  const checker = new Checker(scope, new Set(builtinNames(workflow.schedule !== undefined)));
  const names = [...builtinNames(workflow.schedule !== undefined), ...scope.params];
  const defined = (): Defined => ({
    names: new Map(names.map((name) => [name, undefined])),
    stored: new Set(),
    anything: scope.anything === true,
  });
  await checker.node(workflow.root, defined(), '', [workflow.file]);
  if (workflow.sla?.body !== undefined) await checker.sla(workflow, workflow.sla.body, defined());
  return [...checker.found.values()];
}

class Checker {
  readonly found = new Map<string, Diagnostic>();
  readonly #scope: ExpressionScope;
  readonly #builtins: ReadonlySet<string>;

  constructor(scope: ExpressionScope, builtins: ReadonlySet<string>) {
    this.#scope = scope;
    this.#builtins = builtins;
  }

  /** Adds to `defined` what the node leaves behind for those after it. */
  async node(node: Node, defined: Defined, workdir: string, calls: readonly string[]): Promise<void> {
    const inner = exporting(defined, node.directives.export, this.#builtins);
    if (node.kind === 'group') {
      await this.#templates(node, inner);
      // Children side by side do not see each other, but a name that one of them stores is no typing error.
      for (const child of node.children) await this.node(child, inner, workdir, calls);
    } else {
      await this.#task(node, inner, workdir, calls);
    }
    const { error, check } = node.directives;
    if (error !== undefined) await this.node(error, within(inner, ['error']), workdir, calls);
    if (check !== undefined) await this.node(check, inner, workdir, calls);
    store(defined, inner.stored);
    defined.anything ||= inner.anything;
  }

  /** Its tasks see what the top of the workflow exports. */
  async sla({ root, file }: Workflow, body: Node, defined: Defined): Promise<void> {
    await this.node(body, exporting(defined, root.directives.export, this.#builtins), '', [file]);
  }

  async #task(task: Task, inner: Defined, workdir: string, calls: readonly string[]): Promise<void> {
    await this.#templates(task, inner);
    if (codeOf(task.operator) === 'python') this.#python(task, inner, workdir);
    const loopNames = variablesOfLoop(task);
    for (const body of [task.body, task.elseBody]) {
      if (body === undefined) continue;
      const bodyScope = within(inner, loopNames ?? []);
      if (loopNames === undefined) bodyScope.anything = true;
      // A round of a loop sees what the rounds before it stored.
      const stored = this.#stores(body, workdir, calls);
      add(stored, bodyScope);
      await this.node(body, bodyScope, workdir, calls);
      add(stored, inner);
    }
    if (isCall(task.operator)) await this.#call(task, inner, workdir, calls);
    else add(this.#storesOf(task, workdir), inner);
  }

  /** What a task stores itself. */
  #storesOf(task: Task, workdir: string): Stores {
    const stores = operatorSpec(task.operator)?.stores ?? 'anything';
    if (stores === 'nothing') return { keys: [], anything: false };
    if (stores !== 'anything') return { keys: [stores.variable], anything: false };
    const known = codeOf(task.operator) === 'python' ? this.#scope.python?.stores(task, workdir) : undefined;
    return known ?? { keys: [], anything: true };
  }

  /** Names that tasks at or below a node store. */
  #stores(node: Node, workdir: string, calls: readonly string[]): Stores {
    const keys: string[] = [];
    let anything = false;
    for (const each of walk(node)) {
      if (each.kind !== 'task') continue;
      const callee = isCall(each.operator) ? this.#callee(each, workdir, calls) : undefined;
      if (isCall(each.operator) && callee === undefined) anything = true;
      const found =
        callee === undefined
          ? this.#storesOf(each, workdir)
          : this.#stores(callee.root, folderOf(callee.file), [...calls, callee.file]);
      keys.push(...found.keys);
      anything ||= found.anything;
    }
    return { keys, anything };
  }

  #python(task: Task, inner: Defined, workdir: string): void {
    const { python } = this.#scope;
    if (python === undefined) return;
    const defaults = inner.names.get(operatorSpec(task.operator)?.defaults ?? '');
    const settings = { ...(isMapping(defaults) ? defaults : {}), ...task.keys };
    const has = (name: string) => inner.names.has(name) || Object.hasOwn(settings, name);
    const elsewhere = settings.python !== undefined || settings.docker !== undefined;
    python.task(task, workdir, { has, anything: inner.anything }, (each) => this.#keep(each), elsewhere);
  }

  #callee(task: Task, workdir: string, calls: readonly string[]): Workflow | undefined {
    const { command } = task;
    if (typeof command !== 'string' || command.includes('$')) return undefined;
    const file = resolveCall(workdir, command);
    return calls.includes(file) ? undefined : this.#scope.workflows.get(file.replace(/\.dig$/, ''));
  }

  async #call(task: Task, inner: Defined, workdir: string, calls: readonly string[]): Promise<void> {
    const callee = this.#callee(task, workdir, calls);
    if (callee === undefined) {
      inner.anything = true;
      return;
    }
    store(inner, ['_workdir']);
    await this.node(callee.root, inner, folderOf(callee.file), [...calls, callee.file]);
  }

  async #templates(node: Node, outer: Defined): Promise<void> {
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
      for (const variable of await freeVariables(template.text)) {
        const found = faultOf(variable, template, node, outer);
        if (found === undefined) continue;
        const { start, end } = variable;
        this.#report(template, [start, end], found.code, 'warning', found.message, found.notes);
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
    this.#keep({ code, severity, message, span, notes });
  }

  #keep(diagnostic: Diagnostic): void {
    const { code, span, message } = diagnostic;
    const key = `${code} ${span?.file} ${span?.start} ${message}`;
    if (!this.found.has(key)) this.found.set(key, diagnostic);
  }
}

function add({ keys, anything }: Stores, to: Defined): void {
  store(to, keys);
  if (anything) to.anything = true;
}

function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
}

/** Variables that a loop's body sees; undefined if only a run knows them. */
function variablesOfLoop(task: Task): readonly string[] | undefined {
  const { operator, command } = task;
  switch (loopOver(operator)) {
    case 'count':
      return ['i'];
    case 'range':
      return ['range'];
    case 'lists':
      return isMapping(command) ? Object.keys(command) : undefined;
    case undefined:
      return [];
  }
}
