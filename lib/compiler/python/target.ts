/** What `py>: module.function` leads to, as the runner finds it (trowel_task/task/bind.py). */
import { present } from '../../asl/present.ts';
import { didYouMean } from '../../language/suggest.ts';
import { findModule, type Module, modulesIn } from './modules.ts';
import { type Named, PythonNames } from './names.ts';
import type { Arguments, ClassBinding, FunctionBinding, PythonSources } from './outline.ts';

export type Target =
  | {
      readonly kind: 'fault';
      readonly message: string;
      readonly notes: readonly string[];
      readonly module?: Module;
      /** Whatever files are there when it runs, and in whichever Python. */
      readonly always?: true;
    }
  | {
      readonly kind: 'found';
      readonly module: Module;
      /** Of the constructor and of the function together; absent: nobody knows. */
      readonly arguments?: readonly { readonly of: string; readonly takes: Arguments }[];
      readonly lazy?: FunctionBinding['lazy'];
    };

export function findTarget(command: string, workdir: string, sources: PythonSources): Target | undefined {
  const parts = command.trim().split('.');
  const meant = respelled(command.trim());
  if (meant !== undefined || parts.includes('')) return notAName(command, meant, workdir, sources);
  if (parts.length === 1) return withoutModule(command.trim(), workdir, sources);
  const found = findModule(parts.slice(0, -1), workdir, sources);
  if ('unknown' in found) return undefined;
  if ('missing' in found) return noModule(parts, workdir, sources);
  const { module } = found;
  const rest = [...found.rest, parts.at(-1) ?? ''];
  if (module.where === 'standard') return { kind: 'found', module };
  if (module.file !== undefined && sources.outline(module.file)?.fault !== undefined) return { kind: 'found', module };
  const names = new PythonNames(sources, workdir);
  const [first = '', ...members] = rest;
  let at = names.inModule(module, first);
  let holder: Named<ClassBinding> | undefined;
  if (at === 'missing') return noName(first, members, module, sources);
  for (const [index, part] of members.entries()) {
    if (at === 'unknown') return { kind: 'found', module };
    holder = at.binding?.kind === 'class' ? { binding: at.binding, module: at.module } : undefined;
    const next = names.member(at, part);
    if (next === 'missing') {
      const path = rest.slice(0, index + 1).join('.');
      const known = holder === undefined ? [] : Object.keys(holder.binding.names);
      return fault(
        holder === undefined
          ? `There is no '${part}' in ${path}`
          : `The class ${path} in ${shown(holder.module)} has no method '${part}'`,
        [didYouMean(part, known)],
        module,
      );
    }
    at = next;
  }
  if (at === 'unknown') return { kind: 'found', module };
  return called(at, holder, rest, names, module, sources);
}

/** What is called in the end: a class by its constructor and `run`, a method by its constructor and itself. */
function called(
  at: Exclude<ReturnType<PythonNames['inModule']>, string>,
  holder: Named<ClassBinding> | undefined,
  rest: readonly string[],
  names: PythonNames,
  module: Module,
  sources: PythonSources,
): Target | undefined {
  const { binding } = at;
  const text = rest.join('.');
  if (binding === undefined) {
    const functions = functionsOf(at.module, sources);
    return fault(
      `'${at.module.name}' is a module, not a function`,
      [
        functions.length === 0
          ? undefined
          : `Its functions: ${functions
              .slice(0, 10)
              .map((name) => `${at.module.name}.${name}`)
              .join(', ')}.`,
      ],
      module,
    );
  }
  if (binding.kind === 'class') {
    const owner: Named<ClassBinding> = { binding, module: at.module };
    const run = names.inClass(owner, 'run');
    if (run === 'missing') {
      const note = `Write the method to call, as ${module.name}.${text}.method, or give the class a method 'run'.`;
      return fault(`The class ${text} in ${shown(at.module)} has no method 'run'`, [note], module);
    }
    if (run === 'unknown' || run.binding?.kind !== 'function') return { kind: 'found', module };
    return both(owner, text, { binding: run.binding, module: run.module }, `${text}.run`, names, module);
  }
  if (binding.kind !== 'function') return { kind: 'found', module };
  const target = { binding, module: at.module };
  if (holder !== undefined) return both(holder, rest.slice(0, -1).join('.'), target, text, names, module);
  const takes = names.argumentsOf(target, false);
  return {
    kind: 'found',
    module,
    ...present({ arguments: takes !== undefined ? [{ of: text, takes }] : undefined }),
    ...present({ lazy: binding.lazy !== undefined && binding.decorators.length === 0 ? binding.lazy : undefined }),
  };
}

function both(
  owner: Named<ClassBinding>,
  ownerText: string,
  method: Named<FunctionBinding>,
  text: string,
  names: PythonNames,
  module: Module,
): Target {
  const constructed = names.constructorArguments(owner);
  const takes = names.argumentsOf(method, true);
  return {
    kind: 'found',
    module,
    ...present({
      arguments:
        constructed !== undefined && takes !== undefined
          ? [
              { of: ownerText, takes: constructed },
              { of: text, takes },
            ]
          : undefined,
    }),
    ...present({
      lazy:
        method.binding.lazy !== undefined && method.binding.decorators.length === 0 ? method.binding.lazy : undefined,
    }),
  };
}

/** `tasks/a.py`, `tasks.a:f`, `f()`: what the name that was meant leads to is said with it. */
function notAName(command: string, meant: string | undefined, workdir: string, sources: PythonSources): Target {
  const there = meant === undefined ? undefined : findTarget(meant, workdir, sources);
  const notes =
    there?.kind === 'fault'
      ? [`${there.message}.`, ...there.notes]
      : meant === undefined
        ? []
        : [`Write \`py>: ${meant}\`.`];
  const message = `'${command}' is not a name: py> wants module.function or module.Class.method`;
  return { kind: 'fault', message, notes, always: true };
}

function noModule(parts: readonly string[], workdir: string, sources: PythonSources): Target {
  const [top = ''] = parts;
  const path = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);
  const known = modulesIn([workdir], sources);
  // The same file from the project's folder, or from that of the workflow.
  const elsewhere = workdir !== '' && modulesIn([''], sources).includes(top);
  return fault(`There is no Python module '${top}'`, [
    didYouMean(top, known),
    elsewhere
      ? `py> looks in the folder '${workdir}' of the workflow that is called; '${top}' is in the project's folder.`
      : `py> looks for ${path(workdir, `${top}.py`)} and ${path(workdir, `${top}/`)}, and among the installed packages.`,
  ]);
}

/** The first name behind the module: a submodule that is not there, or a function. */
function noName(name: string, members: readonly string[], module: Module, sources: PythonSources): Target {
  const isPackage = module.folders.length > 0;
  const below = modulesIn(module.folders, sources);
  const functions = functionsOf(module, sources);
  if (members.length > 0 && isPackage) {
    return fault(
      `There is no Python module '${module.name}.${name}'`,
      [
        didYouMean(name, [...below, ...functions]),
        module.where === 'project' ? `py> looks for ${module.folders[0]}/${name}.py.` : undefined,
      ],
      module,
    );
  }
  const place = module.file === undefined ? `the folder ${module.folders[0]}` : shown(module);
  return fault(
    `There is no function '${name}' in ${place}`,
    [
      didYouMean(name, [...functions, ...below]) ??
        (functions.length > 0 && functions.length <= 10
          ? `There ${functions.length === 1 ? 'is' : 'are'}: ${functions.join(', ')}.`
          : undefined),
    ],
    module,
  );
}

function withoutModule(name: string, workdir: string, sources: PythonSources): Target {
  const own = modulesIn([workdir], sources);
  const functions = own.includes(name)
    ? functionsOf(
        { name, where: 'project', file: `${workdir === '' ? '' : `${workdir}/`}${name}.py`, folders: [] },
        sources,
      )
    : [];
  const note =
    functions[0] === undefined
      ? `For example \`py>: tasks.${name}\` for the function ${name} of tasks.py.`
      : `For example \`py>: ${name}.${functions[0]}\`.`;
  return {
    kind: 'fault',
    message: `py> needs module.function, but '${name}' has no module`,
    notes: [note],
    always: true,
  };
}

export function functionsOf(module: Module, sources: PythonSources): string[] {
  const names = module.file === undefined ? undefined : sources.outline(module.file)?.names;
  return Object.entries(names ?? {}).flatMap(([name, { kind }]) =>
    (kind === 'function' || kind === 'class') && !name.startsWith('_') ? [name] : [],
  );
}

function shown(module: Module): string {
  return module.where === 'project' ? (module.file ?? module.name) : `the installed package ${module.name}`;
}

/** `tasks/a.py:f`, `tasks.a:f`, `tasks.a.f()`: the name that was meant. */
function respelled(command: string): string | undefined {
  const meant = command
    .replace(/\(.*\)\s*$/, '')
    .replace(/\.py(?=[:./]|$)/, '')
    .replaceAll(/[:/\\]+/g, '.')
    .replaceAll(/\.{2,}/g, '.')
    .replace(/^\.|\.$/g, '');
  return meant === command || !/^[A-Za-z_][\w.]*$/.test(meant) ? undefined : meant;
}

function fault(message: string, notes: readonly (string | undefined)[], module?: Module): Target {
  const kept = notes.filter((note) => note !== undefined);
  return { kind: 'fault', message, notes: kept, ...present({ module }) };
}
