/** Files of the project that a module brings with it by its imports, and what they may do together. */
import { absolute, findModule, type Module, submodule } from './modules.ts';
import type { Import, PythonSources } from './outline.ts';

export interface Closure {
  /** Every file that may be loaded, with its module. */
  readonly files: ReadonlyMap<string, Module>;
  /** Those that certainly are. */
  readonly eager: ReadonlySet<string>;
  /** Installed modules of the top level, and those that are not there. */
  readonly outside: ReadonlySet<string>;
}

/** What a task may store: by literal keys, and whether anything else too. */
export interface Stores {
  readonly keys: readonly string[];
  readonly anything: boolean;
}

export class Closures {
  readonly #sources: PythonSources;
  readonly #known = new Map<string, Closure>();
  readonly #stores = new Map<string, Stores>();
  /** Modules that are known not to store anything by themselves. */
  readonly #harmless: (name: string) => boolean;

  constructor(sources: PythonSources, harmless: (name: string) => boolean) {
    this.#sources = sources;
    this.#harmless = harmless;
  }

  of(modules: readonly Module[], workdir: string): Closure {
    const id = `${workdir}\n${modules.map(({ file, name }) => file ?? name).join('\n')}`;
    let found = this.#known.get(id);
    if (found === undefined) {
      found = closureOf(modules, workdir, this.#sources);
      this.#known.set(id, found);
    }
    return found;
  }

  stores(closure: Closure): Stores {
    const id = [...closure.files.keys()].join('\n');
    let found = this.#stores.get(id);
    if (found === undefined) {
      found = this.#storesOf(closure);
      this.#stores.set(id, found);
    }
    return found;
  }

  #storesOf({ files, outside }: Closure): Stores {
    // A package of somebody's own may store on a task's behalf.
    const cannot = (name: string) =>
      this.#harmless(name) || (this.#sources.installed(name) === null && this.#sources.isRequired(name) === false);
    if (![...outside].every(cannot)) return { keys: [], anything: true };
    const outlines = [...files.keys()].map((file) => this.#sources.outline(file));
    if (outlines.some((outline) => outline?.imports === undefined)) return { keys: [], anything: true };
    const stores = outlines.some((outline) => outline?.imports?.some(({ module }) => /^digdag\b/.test(module)));
    if (!stores) return { keys: [], anything: outlines.some((outline) => outline?.dynamic && outline.storesMore) };
    return {
      keys: [...new Set(outlines.flatMap((outline) => outline?.stores ?? []))],
      anything: outlines.some((outline) => outline?.storesMore),
    };
  }
}

function closureOf(modules: readonly Module[], workdir: string, sources: PythonSources): Closure {
  const files = new Map<string, Module>();
  const eager = new Set<string>();
  const outside = new Set<string>();
  const add = (module: Module, certain: boolean): void => {
    if (module.file === undefined || module.where !== 'project') return;
    if (files.has(module.file) && (!certain || eager.has(module.file))) return;
    files.set(module.file, module);
    if (certain) eager.add(module.file);
    for (const each of sources.outline(module.file)?.imports ?? []) {
      const sure = certain && !each.guarded && !each.lazy;
      for (const imported of importedModules(each, module, workdir, sources)) {
        if (typeof imported === 'string') outside.add(imported);
        else add(imported, sure);
      }
    }
  };
  for (const module of modules) add(module, true);
  return { files, eager, outside };
}

/** The modules that an import loads, packages around them too; a name of the top level for what is not of the project. */
export function importedModules(
  { module, level, names = [] }: Import,
  from: Module,
  workdir: string,
  sources: PythonSources,
): (Module | string)[] {
  const path = absolute(from, level, module)?.split('.');
  if (path === undefined) return [];
  const [top = ''] = path;
  const found = modulesOnTheWay(path, workdir, sources);
  if (found === undefined) return sources.isStandard(top) ? [] : [top];
  const last = found.at(-1);
  if (last?.where === 'standard') return [];
  if (last?.where === 'installed') return [top];
  const below = names.map((name) => last && submodule(last, name, sources)).filter((each) => each !== undefined);
  return [...found, ...below];
}

/** Every package and module from the top down to the last that exists; undefined: the top does not, as far as is known. */
export function modulesOnTheWay(
  path: readonly string[],
  workdir: string,
  sources: PythonSources,
): Module[] | undefined {
  const top = findModule(path.slice(0, 1), workdir, sources);
  if (!('module' in top)) return undefined;
  const found = [top.module];
  for (const part of path.slice(1)) {
    const next = submodule(found.at(-1)!, part, sources);
    if (next === undefined) break;
    found.push(next);
  }
  return found;
}
