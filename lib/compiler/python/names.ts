/** What a name in a module is, as far as text shows it: through imports, aliases, stars and base classes. */
import { present } from '../../asl/present.ts';
import { absolute, findModule, type Module, submodule } from './modules.ts';
import type { Argument, Arguments, Binding, ClassBinding, FunctionBinding, PythonSources } from './outline.ts';

/** A binding, with the module in which its names are looked up. */
export interface Named<B extends Binding = Binding> {
  readonly binding: B;
  readonly module: Module;
}

/** `unknown`: it may be there; `missing`: it is not. */
export type Lookup = Named | { readonly module: Module; readonly binding?: undefined } | 'unknown' | 'missing';

/** Imports and base classes that lead in circles, or far away. */
const MOST_STEPS = 30;

export class PythonNames {
  readonly #sources: PythonSources;
  readonly #workdir: string;

  /** @param workdir the folder that tasks run in: '' or one of the project */
  constructor(sources: PythonSources, workdir: string) {
    this.#sources = sources;
    this.#workdir = workdir;
  }

  /** A name of a module, followed to where it is defined. */
  inModule(module: Module, name: string, steps = 0): Lookup {
    if (steps > MOST_STEPS || module.where === 'standard') return 'unknown';
    const below = submodule(module, name, this.#sources);
    const found = module.file === undefined ? undefined : this.#sources.outline(module.file);
    if (module.file !== undefined && (found === undefined || found.unknown === true || found.fault !== undefined))
      return 'unknown';
    const binding = own(found?.names, name);
    if (binding !== undefined) return this.#followed({ binding, module }, steps);
    if (module.file === undefined) {
      if (below !== undefined) return { module: below };
      return module.folders.length > 0 ? 'missing' : 'unknown';
    }
    // `from .part import *` may bind `part` itself.
    for (const { module: from, level } of found?.stars ?? []) {
      const source = this.#imported(module, level, from);
      if (source === undefined) return 'unknown';
      if (!this.#exports(source, name)) continue;
      const there = this.inModule(source, name, steps + 1);
      if (there !== 'missing') return there;
    }
    if (below !== undefined) return { module: below };
    if (found?.dynamic || own(found?.names, '__getattr__') !== undefined || /^__\w+__$/.test(name)) return 'unknown';
    return 'missing';
  }

  /** A member of a class, through its bases. */
  inClass(named: Named<ClassBinding>, name: string, steps = 0): Lookup {
    const { binding, module } = named;
    if (steps > MOST_STEPS) return 'unknown';
    const member = own(binding.names, name);
    if (member !== undefined) return this.#followed({ binding: member, module }, steps, named);
    // `_Class__name` is what `__name` is called from outside.
    if (own(binding.names, '__getattr__') !== undefined || /^_\w+__\w/.test(name)) return 'unknown';
    for (const base of this.#bases(named, steps)) {
      if (base === 'unknown') return 'unknown';
      const there = this.inClass(base, name, steps + 1);
      if (there !== 'missing') return there;
    }
    const plain = binding.meta === undefined && binding.decorators.every(isDataclass);
    const dynamic = module.file === undefined || this.#sources.outline(module.file)?.dynamic === true;
    return plain && !dynamic ? 'missing' : 'unknown';
  }

  /** `a.b.c` from the names of a module, or of a class in it. */
  dotted(path: readonly string[], module: Module, within?: Named<ClassBinding>, steps = 0): Lookup {
    const [first = '', ...rest] = path;
    let at: Lookup = within && own(within.binding.names, first) ? this.inClass(within, first, steps + 1) : 'missing';
    if (at === 'missing') at = this.inModule(module, first, steps + 1);
    for (const part of rest) {
      if (at === 'unknown' || at === 'missing') return at;
      at = this.member(at, part, steps + 1);
    }
    return at;
  }

  member(of: Exclude<Lookup, string>, part: string, steps = 0): Lookup {
    if (of.binding === undefined) return this.inModule(of.module, part, steps);
    return of.binding.kind === 'class'
      ? this.inClass({ binding: of.binding, module: of.module }, part, steps)
      : 'unknown';
  }

  /** The arguments that the constructor of a class takes without `self`; undefined: nobody knows. */
  constructorArguments(named: Named<ClassBinding>): Arguments | undefined {
    const { binding } = named;
    if (binding.meta || !binding.decorators.every(isDataclass)) return undefined;
    if (own(binding.names, '__new__') !== undefined) return undefined;
    if (binding.decorators.length > 0 && own(binding.names, '__init__') === undefined) {
      return this.#dataclassArguments(named);
    }
    const found = this.inClass(named, '__init__');
    if (found === 'missing') {
      // A base that is a dataclass makes the constructor.
      const [base] = this.#bases(named, 0);
      return base === undefined || base === 'unknown' ? NOTHING : this.constructorArguments(base);
    }
    if (found === 'unknown' || found.binding?.kind !== 'function') return undefined;
    return this.argumentsOf({ binding: found.binding, module: found.module }, true);
  }

  /** The arguments that a function takes by name, with its decorators in mind; undefined: nobody knows. */
  argumentsOf({ binding, module }: Named<FunctionBinding>, bound: boolean): Arguments | undefined {
    const decorators = binding.decorators.filter((name) => !METHODS.has(name));
    if (!decorators.every((name) => this.#keepsArguments(name, module))) return undefined;
    const isMethod = bound && !binding.decorators.includes('staticmethod');
    const [first, ...others] = binding.args;
    const skips = isMethod && first !== undefined && first[2] !== 'k';
    return { args: skips ? others : binding.args, ...present({ rest: binding.rest || undefined }) };
  }

  #dataclassArguments(named: Named<ClassBinding>): Arguments | undefined {
    const fields = new Map<string, Argument>();
    for (const base of [...this.#bases(named, 0)].reverse()) {
      if (base === 'unknown') return undefined;
      const inherited = base.binding.decorators.length > 0 ? this.#dataclassArguments(base) : NOTHING;
      if (inherited === undefined) return undefined;
      for (const field of inherited.args) fields.set(field[0], field);
    }
    if (named.binding.fields === undefined) return undefined;
    for (const field of named.binding.fields) fields.set(field[0], field);
    return { args: [...fields.values()] };
  }

  *#bases({ binding, module }: Named<ClassBinding>, steps: number): Generator<Named<ClassBinding> | 'unknown'> {
    for (const base of binding.bases) {
      if (base === 'object') continue;
      const found = base === '?' ? 'unknown' : this.dotted(base.split('.'), module, undefined, steps + 1);
      if (found === 'unknown' || found === 'missing' || found.binding?.kind !== 'class') yield 'unknown';
      else yield { binding: found.binding, module: found.module };
    }
  }

  #followed(named: Named, steps: number, within?: Named<ClassBinding>): Lookup {
    const { binding, module } = named;
    if (steps > MOST_STEPS || binding.kind === 'other') return 'unknown';
    if (binding.kind === 'alias') {
      const found = this.dotted(binding.of.split('.'), module, within, steps + 1);
      // A built-in, or a name that is bound in some other way.
      return found === 'missing' ? 'unknown' : found;
    }
    if (binding.kind !== 'import') return named;
    const source = this.#imported(module, binding.level, binding.module);
    if (source === undefined) return 'unknown';
    if (binding.name === undefined) return { module: source };
    const found = this.inModule(source, binding.name, steps + 1);
    // The import itself is at fault then, and is reported where it is.
    return found === 'missing' ? 'unknown' : found;
  }

  /** The module that an import means, as long as it is one whose files are read. */
  #imported(from: Module, level: number, name: string): Module | undefined {
    const path = absolute(from, level, name);
    if (path === undefined) return undefined;
    const found = findModule(path.split('.'), this.#workdir, this.#sources);
    return 'module' in found && found.rest.length === 0 && found.module.where !== 'standard' ? found.module : undefined;
  }

  #exports(module: Module, name: string): boolean {
    const outline = module.file === undefined ? undefined : this.#sources.outline(module.file);
    return outline?.all === undefined ? !name.startsWith('_') || outline?.dynamic === true : outline.all.includes(name);
  }

  /** Whether a decorator leaves the arguments as they are, by functools.wraps or in another way that inspect.signature sees. */
  #keepsArguments(decorator: string, module: Module): boolean {
    const called = decorator.endsWith('()');
    const path = decorator.replace(/\(\)$/, '');
    const last = path.slice(path.lastIndexOf('.') + 1);
    const found = path === '?' ? 'unknown' : this.dotted(path.split('.'), module);
    if (found === 'unknown' || found === 'missing') return KEEPING.has(last);
    return found.binding?.kind === 'function' && found.binding.wraps === (called ? 2 : 1);
  }
}

const NOTHING: Arguments = { args: [] };
const METHODS = new Set(['staticmethod', 'classmethod', 'abstractmethod', 'abc.abstractmethod']);
/** Of the standard library. */
const KEEPING = new Set(['cache', 'lru_cache', 'override', 'no_type_check', 'final', 'wraps']);

function isDataclass(decorator: string): boolean {
  return /(?:^|\.)dataclass(?:\(\))?$/.test(decorator);
}

function own<T>(table: { readonly [name: string]: T } | undefined, name: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}
