/** Faults of the Python files that tasks lead to: no Python, imports of what is not there or not deployed. */
import type { Diagnostic, DiagnosticCode, Severity, Span } from '../../language/diagnostic.ts';
import { didYouMean } from '../../language/suggest.ts';
import type { Closure } from './closure.ts';
import { hiddenModule } from './hidden.ts';
import { absolute, findModule, type Module, modulesIn } from './modules.ts';
import { PythonNames } from './names.ts';
import type { Import, PythonSources } from './outline.ts';
import { functionsOf } from './target.ts';

/** `by`: the first task that leads here, as `main.dig:3`. */
export function fileFaults(
  closure: Closure,
  workdir: string,
  by: string,
  sources: PythonSources,
  morePaths: boolean,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const names = new PythonNames(sources, workdir);
  const paths = morePaths || [...closure.files.keys()].some((file) => sources.outline(file)?.paths === true);
  for (const [file, module] of closure.files) {
    const outline = sources.outline(file);
    const eager = closure.eager.has(file);
    if (outline?.fault !== undefined) {
      const { message, line, column, end } = outline.fault;
      const span = spanOf(file, line, column, end ?? column + 1, sources);
      const severity = eager ? 'error' : 'warning';
      found.push({
        code: 'python-syntax',
        severity,
        span,
        message: `This is not Python ${sources.version}: ${message}`,
        notes: [`The task at ${by} needs this file.`],
      });
    }
    for (const each of outline?.imports ?? []) {
      if (each.guarded) continue;
      const span = spanOf(file, each.line, each.column, each.end, sources);
      found.push(...importFaults(each, module, workdir, eager && !each.lazy, paths, span, names, sources));
    }
  }
  return found;
}

function importFaults(
  imported: Import,
  from: Module,
  workdir: string,
  certain: boolean,
  paths: boolean,
  span: Span,
  names: PythonNames,
  sources: PythonSources,
): Diagnostic[] {
  const path = absolute(from, imported.level, imported.module)?.split('.');
  if (path === undefined) return [];
  const [top = ''] = path;
  const found = findModule(path, workdir, sources);
  const fault = (code: DiagnosticCode, severity: Severity, message: string, ...notes: (string | undefined)[]) => [
    { code, severity, span, message, notes: notes.filter((note) => note !== undefined) },
  ];
  if ('unknown' in found) return [];
  const add = (): string => `Add \`${sources.distribution(top)}\` to ${sources.requirementsFile}.`;
  if ('missing' in found) {
    if (!certain || paths || sources.isRequired(top) !== false) return [];
    const near = didYouMean(top, modulesIn([workdir], sources), 0.34);
    return fault(
      'python-package',
      'warning',
      `There is no module '${top}' here, and the requirements do not bring it`,
      near,
      near === undefined ? add() : undefined,
    );
  }
  const { module, rest } = found;
  if (module.where === 'standard') {
    const { hides } = module;
    return hides === undefined || hides === from.file ? [] : [hiddenModule(module, span)];
  }
  if (module.where === 'installed') {
    const installed = sources.installed(top);
    if (sources.hasImage || installed?.ofProject || sources.isRequired(top) !== false) return [];
    return fault(
      'python-package',
      'warning',
      `'${top}' is installed here, but is in no requirements: deployed tasks do not have it`,
      add(),
    );
  }
  if (!certain) return [];
  const [part] = rest;
  if (part !== undefined) {
    const outline = module.file === undefined ? undefined : sources.outline(module.file);
    // A module that makes itself a package, as six does.
    if (outline?.dynamic || Object.hasOwn(outline?.names ?? {}, '__path__')) return [];
    if (module.file !== undefined && module.folders.length === 0)
      return fault('python-not-found', 'warning', `'${module.name}' is a module, not a package: it has no '${part}'`);
    if (module.file !== undefined && names.inModule(module, part) !== 'missing') return [];
    return fault(
      'python-not-found',
      'warning',
      `There is no Python module '${module.name}.${part}'`,
      didYouMean(part, modulesIn(module.folders, sources)),
    );
  }
  const [absent] = (imported.names ?? []).filter((name) => names.inModule(module, name) === 'missing');
  if (absent === undefined) return [];
  return fault(
    'python-not-found',
    'warning',
    `There is no '${absent}' in ${module.file ?? module.folders[0]}, from which it is imported`,
    didYouMean(absent, [...functionsOf(module, sources), ...modulesIn(module.folders, sources)]),
  );
}

/** Lines from 1, columns from 0 in UTF-16. */
function spanOf(file: string, line: number, column: number, end: number, sources: PythonSources): Span {
  const text = sources.text(file) ?? '';
  let start = 0;
  for (let at = 1; at < line; at++) {
    const next = /\r\n|\n|\r/g;
    next.lastIndex = start;
    const match = next.exec(text);
    if (match === null) break;
    start = match.index + match[0].length;
  }
  const from = Math.min(start + column, text.length);
  return { file, start: from, end: Math.min(Math.max(start + end, from + 1), text.length) };
}
