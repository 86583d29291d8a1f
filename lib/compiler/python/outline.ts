/**
 * What a Python file defines, as `trowel_task.check.outline` reads it from its text, and what the lookups ask of the files and of Python.
 * Nothing of a user's code runs.
 */

export interface Outline {
  readonly fault?: Fault;
  /** Too large, or not to be read: nothing is known. */
  readonly unknown?: true;
  readonly names?: { readonly [name: string]: Binding };
  /** `from x import *`. */
  readonly stars?: readonly { readonly module: string; readonly level: number }[];
  /** `__all__`, where it is written out. */
  readonly all?: readonly string[];
  readonly imports?: readonly Import[];
  /** Keys that `env.store` gets by literals. */
  readonly stores?: readonly string[];
  /** It may store other keys too. */
  readonly storesMore?: true;
  /** It adds folders to import from. */
  readonly paths?: true;
  /** It may bind names that its text does not show. */
  readonly dynamic?: true;
}

/** A SyntaxError: line from 1, columns from 0 in UTF-16. */
export interface Fault {
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly end?: number;
}

export type Binding =
  | FunctionBinding
  | ClassBinding
  | { readonly kind: 'import'; readonly module: string; readonly name?: string; readonly level: number }
  | { readonly kind: 'alias'; readonly of: string }
  | { readonly kind: 'other' };

export interface FunctionBinding extends Arguments {
  readonly kind: 'function';
  readonly line: number;
  /** `name`, or `name()` for one that is called; `?` for what is no name. */
  readonly decorators: readonly string[];
  /** Calling it does nothing yet. */
  readonly lazy?: 'async def' | 'a generator';
  /** A decorator by functools.wraps (1), or what makes one (2). */
  readonly wraps?: 1 | 2;
}

export interface ClassBinding {
  readonly kind: 'class';
  readonly line: number;
  readonly bases: readonly string[];
  readonly names: { readonly [name: string]: Binding };
  readonly decorators: readonly string[];
  /** A metaclass, or other keywords. */
  readonly meta?: true;
  /** Of a dataclass: arguments of the constructor that it gets. */
  readonly fields?: readonly Argument[];
}

export interface Arguments {
  readonly args: readonly Argument[];
  /** `**kwargs`. */
  readonly rest?: true;
}

/** Name; whether it is required; p (only by position), a (either way) or k (only by keyword). */
export type Argument = readonly [string, boolean, 'p' | 'a' | 'k'];

export interface Import {
  readonly module: string;
  readonly level: number;
  /** `from module import names`. */
  readonly names?: readonly string[];
  /** Where the module's name is: line from 1, columns from 0. */
  readonly line: number;
  readonly column: number;
  readonly end: number;
  /** It may fail without harm, or depends on a condition. */
  readonly guarded?: true;
  /** In a function's body. */
  readonly lazy?: true;
}

/** A module that is installed. */
export interface Installed {
  /** Its file; null: a namespace that several may share. */
  readonly origin: string | null;
  readonly folders: readonly string[];
  readonly distributions?: readonly string[];
  /** A path of the environment leads into the project itself. */
  readonly ofProject?: true;
}

/** The files of a project and its Python. Paths are relative to the project, with `/`, or absolute for what is installed. */
export interface PythonSources {
  /** `3.11`. */
  readonly version: string;
  /** Of Python itself, or there for every task. */
  isStandard(name: string): boolean;
  /** Whether the requirements bring a module of the top level; undefined: nobody knows before they are installed. */
  isRequired(name: string): boolean | undefined;
  /** What to add to the requirements for it. */
  distribution(name: string): string;
  /** Where requirements are written, for people. */
  readonly requirementsFile: string;
  /** Deployed, packages come with an image. */
  readonly hasImage: boolean;
  /** A module of the top level; null: it is not installed; undefined: nobody knows. */
  installed(name: string): Installed | null | undefined;
  outline(file: string): Outline | undefined;
  text(file: string): string | undefined;
  isFile(path: string): boolean;
  isFolder(path: string): boolean;
  /** Names in a folder; none where there is no folder. */
  list(folder: string): readonly string[];
  /** Reads the outlines of files, and of modules that may be installed; those that are known already cost nothing. */
  load(files: Iterable<string>, modules: Iterable<string>): Promise<void>;
}
