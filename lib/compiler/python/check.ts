/**
 * `py>` tasks against the files they name: a module or function that is not there, arguments that nothing gives, keys that are no
 * argument, files that are no Python, imports that will fail. What text does not show is not reported.
 */
import type { Diagnostic, DiagnosticCode, Severity, Span } from '../../language/diagnostic.ts';
import { operatorSpec } from '../../language/operators.ts';
import { nearest } from '../../language/suggest.ts';
import type { Task } from '../../language/workflow.ts';
import { type Closure, Closures, type Stores } from './closure.ts';
import { fileFaults } from './files.ts';
import { hiddenModule } from './hidden.ts';
import { findModule, type Module } from './modules.ts';
import type { PythonSources } from './outline.ts';
import { findTarget, type Target } from './target.ts';

/** What a task can take arguments from, besides its own keys. */
export interface Given {
  readonly has: (name: string) => boolean;
  /** Something before it may have stored anything. */
  readonly anything: boolean;
}

export interface PythonCheckOptions {
  /** Text of every sh> in the project: what it may write is not missing. */
  readonly scripts: string;
  /** Some `_env` names further folders to import from. */
  readonly paths: boolean;
  /** Installed modules that are known not to store anything for a task. */
  readonly harmless: (name: string) => boolean;
  /** For a note about the first task that leads to a file. */
  readonly place: (span: Span) => string;
}

const ANYTHING: Stores = { keys: [], anything: true };
const NOTHING: Stores = { keys: [], anything: false };

export class PythonCheck {
  readonly #sources: PythonSources;
  readonly #options: PythonCheckOptions;
  readonly #closures: Closures;
  /** Closures of tasks that run in the project's own Python, by the first task that leads to each. */
  readonly #used = new Map<Closure, { readonly by: string; readonly workdir: string }>();

  constructor(sources: PythonSources, options: PythonCheckOptions) {
    this.#sources = sources;
    this.#options = options;
    this.#closures = new Closures(sources, options.harmless);
  }

  /** What a task may store. */
  stores(task: Task, workdir: string): Stores {
    const text = literal(task);
    const target = text === undefined ? undefined : findTarget(text, workdir, this.#sources);
    if (text === undefined || target?.kind !== 'found' || target.module.where === 'installed') return ANYTHING;
    if (target.module.where === 'standard') return NOTHING;
    return this.#closures.stores(this.#closures.of(this.#loaded(text, workdir, target.module), workdir));
  }

  /** Faults go to `report`. `elsewhere`: the task runs in another Python than the project's. */
  task(task: Task, workdir: string, given: Given, report: (diagnostic: Diagnostic) => void, elsewhere: boolean): void {
    const text = literal(task);
    const span = task.spans['py>'] ?? task.spans._command ?? task.span;
    const target = text === undefined ? undefined : findTarget(text, workdir, this.#sources);
    if (text === undefined || target === undefined) return;
    if (target.kind === 'fault') {
      if (this.#options.paths && target.module === undefined && !target.always) return;
      const certain = target.always || (!elsewhere && !this.#mayBeWritten(text, target));
      const note = certain
        ? undefined
        : elsewhere
          ? 'Another Python or an image may have it.'
          : 'An earlier task may write it.';
      const notes = [...target.notes, ...(note === undefined ? [] : [note])];
      report(diagnostic('python-not-found', certain ? 'error' : 'warning', span, target.message, notes));
      return;
    }
    const closure = this.#closures.of(this.#loaded(text, workdir, target.module), workdir);
    if (!elsewhere && !this.#used.has(closure)) {
      this.#used.set(closure, { by: this.#options.place(span), workdir });
    }
    this.#hidden(text, workdir, span, report);
    if (target.lazy !== undefined) {
      const what = target.lazy === 'async def' ? 'is `async def`' : 'is a generator: it has a `yield`';
      report(
        diagnostic('python-not-run', 'warning', span, `\`${text.trim()}\` ${what}, so that calling it runs nothing`, [
          target.lazy === 'async def'
            ? 'Call a plain function that runs it: `asyncio.run(…)`.'
            : 'Call a plain function that goes through what it yields.',
        ]),
      );
    }
    this.#arguments(task, target, closure, given, span, report);
  }

  /** Of the files that the tasks seen so far lead to. */
  files(): Diagnostic[] {
    return [...this.#used].flatMap(([closure, { by, workdir }]) =>
      fileFaults(closure, workdir, by, this.#sources, this.#options.paths),
    );
  }

  #loaded(command: string, workdir: string, module: Module): Module[] {
    const parts = command.trim().split('.');
    const above = parts.map((_, at) => findModule(parts.slice(0, at + 1), workdir, this.#sources));
    const modules = above.flatMap((found) => ('module' in found && found.rest.length === 0 ? [found.module] : []));
    return [...new Map([...modules, module].map((each) => [each.name, each])).values()];
  }

  #hidden(command: string, workdir: string, span: Span, report: (diagnostic: Diagnostic) => void): void {
    const found = findModule(command.trim().split('.').slice(0, 1), workdir, this.#sources);
    if ('module' in found && found.module.hides !== undefined) report(hiddenModule(found.module, span));
  }

  #arguments(
    task: Task,
    target: Extract<Target, { kind: 'found' }>,
    closure: Closure,
    given: Given,
    span: Span,
    report: (diagnostic: Diagnostic) => void,
  ): void {
    const calls = target.arguments;
    if (calls === undefined) return;
    const own = new Set(Object.keys(task.keys));
    const wanted = calls.flatMap(({ of, takes }) => takes.args.map(([name, required]) => ({ of, name, required })));
    const takesAll = calls.some(({ takes }) => takes.rest === true);
    const names = new Set(wanted.map(({ name }) => name));
    const free = [...names].filter((name) => !own.has(name));
    const missing = wanted.filter(
      ({ name, required }) => required && !given.anything && !own.has(name) && !given.has(name),
    );
    const explained = new Set<string>();
    const options = operatorSpec(task.operator)?.options ?? {};
    for (const key of takesAll ? [] : own) {
      if (key.startsWith('_') || key.endsWith('>') || names.has(key) || options[key] !== undefined) continue;
      const [meant] = nearest(key, free, NEAR);
      if (meant === undefined || this.#mentioned(key, closure) || usedByTemplate(key, task)) continue;
      const lacking = missing.find(({ name }) => name === meant);
      explained.add(meant);
      const at = task.spans[`${key}:`] ?? task.spans[key] ?? span;
      const of = wanted.find(({ name }) => name === meant)?.of ?? '';
      report(
        diagnostic('python-argument', 'warning', at, `\`${of}\` has no argument \`${key}\``, [
          `Did you mean '${meant}'?`,
          ...(lacking === undefined ? [] : [`\`${of}\` needs the argument \`${meant}\`, which nothing gives.`]),
        ]),
      );
    }
    for (const { of, name } of missing) {
      if (explained.has(name)) continue;
      report(
        diagnostic(
          'python-argument',
          'warning',
          span,
          `\`${of}\` needs the argument \`${name}\`, which nothing gives`,
          [
            `Give it as a key of this task (\`${name}: …\`) or in an _export, store it in an earlier task, or pass it with -p ${name}=…`,
          ],
        ),
      );
    }
  }

  /** A parameter may be read by its name as well, as digdag.env.params["key"]. */
  #mentioned(key: string, { files }: Closure): boolean {
    const word = new RegExp(`(?<![\\w])${key.replace(/[^\w]/g, '\\$&')}(?![\\w])`);
    return [...files.keys()].some((file) => word.test(this.#sources.text(file) ?? ''));
  }

  /** A module that an earlier sh> or Python file names as a file. */
  #mayBeWritten(command: string, { module }: Extract<Target, { kind: 'fault' }>): boolean {
    if (module?.file !== undefined && module.folders.length === 0) return false;
    const parts = command.trim().split('.').slice(0, -1);
    return parts.some((part) =>
      new RegExp(`(?<![\\w])${part.replace(/[^\w]/g, '\\$&')}(?:\\.py|/|\\.proto|\\.ipynb)`).test(
        this.#options.scripts,
      ),
    );
  }
}

/** Share of an argument's letters that may differ from a key's. */
const NEAR = 0.34;

/** The function that a task names; undefined: an expression, or a script of its own. */
function literal({ command }: Task): string | undefined {
  if (command === null || typeof command === 'object') return undefined;
  const text = String(command);
  return text.includes('${') ? undefined : text;
}

function usedByTemplate(key: string, task: Task): boolean {
  const { [key]: _, ...others } = task.keys;
  return new RegExp(`\\$\\{[^]*(?<![\\w])${key.replace(/[^\w]/g, '\\$&')}(?![\\w])`).test(JSON.stringify(others));
}

function diagnostic(
  code: DiagnosticCode,
  severity: Severity,
  span: Span,
  message: string,
  notes: readonly string[],
): Diagnostic {
  return { code, severity, span, message, notes };
}
