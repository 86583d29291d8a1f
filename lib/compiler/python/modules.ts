/** Which file a module's name leads to: Python's own modules first, then installed ones, then the folder that the task runs in (trowel_task/task/child.py). */
import { posix } from 'node:path';
import type { PythonSources } from './outline.ts';

export interface Module {
  readonly name: string;
  readonly where: 'standard' | 'installed' | 'project';
  /** Undefined: a folder without `__init__.py`, or one that cannot be read. */
  readonly file?: string;
  /** Where its submodules are; none: it is no package. */
  readonly folders: readonly string[];
  /** The project has something of this name, which is never loaded. */
  readonly hides?: string;
}

/** `missing`: the name of the top level that leads nowhere. */
export type Found =
  | { readonly module: Module; readonly rest: readonly string[] }
  | { readonly missing: string }
  | { readonly unknown: true };

/** The module of the most parts, and the parts that are left: names in it. `workdir` is '' or a folder of the project. */
export function findModule(parts: readonly string[], workdir: string, sources: PythonSources): Found {
  const [top = '', ...below] = parts;
  let module = topModule(top, workdir, sources);
  if (module === undefined) return { unknown: true };
  if (module === null) return { missing: top };
  for (const [at, part] of below.entries()) {
    const next = submodule(module, part, sources);
    if (next === undefined) return { module, rest: below.slice(at) };
    module = next;
  }
  return { module, rest: [] };
}

/** Null: there is none; undefined: nobody knows. */
function topModule(name: string, workdir: string, sources: PythonSources): Module | null | undefined {
  const own = inFolder(workdir, name, name, 'project', sources);
  const hides = own === undefined ? {} : { hides: own.file ?? `${own.folders[0] ?? ''}/` };
  if (sources.isStandard(name)) return { name, where: 'standard', folders: [], ...hides };
  const installed = sources.installed(name);
  if (installed === undefined) return own ?? undefined;
  if (installed === null) return own ?? (sources.isRequired(name) === false ? null : undefined);
  const { origin, folders } = installed;
  if (installed.ofProject && own !== undefined) return own;
  if (origin === null) {
    // Namespaces are one; a package or a module wins over them.
    if (own === undefined) return { name, where: 'installed', folders };
    return own.file === undefined ? { ...own, folders: [...own.folders, ...folders] } : own;
  }
  return { name, where: 'installed', folders, ...hides, ...(origin.endsWith('.py') && { file: origin }) };
}

export function submodule(of: Module, part: string, sources: PythonSources): Module | undefined {
  for (const folder of of.folders) {
    const found = inFolder(folder, part, `${of.name}.${part}`, of.where, sources);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inFolder(
  folder: string,
  part: string,
  name: string,
  where: Module['where'],
  sources: PythonSources,
): Module | undefined {
  if (/[\\/]/.test(part)) return undefined;
  const path = folder === '' ? part : `${folder}/${part}`;
  if (sources.isFile(`${path}/__init__.py`))
    return { name, where, file: posix.normalize(`${path}/__init__.py`), folders: [path] };
  if (sources.isFile(`${path}.py`)) return { name, where, file: `${path}.py`, folders: [] };
  if (sources.list(folder).some((entry) => entry.startsWith(`${part}.`) && /\.(so|pyd)$/.test(entry)))
    return { name, where, folders: [] };
  return sources.isFolder(path) ? { name, where, folders: [path] } : undefined;
}

/** Names of the modules in a package or folder. */
export function modulesIn(folders: readonly string[], sources: PythonSources): string[] {
  return folders.flatMap((folder) =>
    sources.list(folder).flatMap((entry) => {
      const name = entry.replace(/\.py$/, '');
      if (!/^[A-Za-z_]\w*$/.test(name) || name.startsWith('__')) return [];
      if (name !== entry) return [name];
      return sources.isFolder(folder === '' ? entry : `${folder}/${entry}`) && entry !== 'node_modules' ? [name] : [];
    }),
  );
}

/** The absolute name that an import in `module` means; undefined: it leads out of its package. */
export function absolute(module: Module, level: number, name: string): string | undefined {
  if (level === 0) return name;
  const parts = module.name.split('.');
  const up = module.folders.length > 0 ? level - 1 : level;
  if (up >= parts.length) return undefined;
  const base = parts.slice(0, parts.length - up).join('.');
  return name === '' ? base : `${base}.${name}`;
}
