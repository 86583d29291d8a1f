/**
 * The files and the Python of a project, for the lookups of `trowel check`. What was read once is kept in the user's cache,
 * `$XDG_CACHE_HOME/trowel/outlines/HASH.json`, by the hash of each file: where nothing has changed, no Python is started.
 */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import type { Installed, Outline, PythonSources } from '../compiler/python/outline.ts';
import { writeAtomically } from '../host/files.ts';
import { cacheFolder } from '../host/user-folders.ts';
import { normalised } from '../host/versions.ts';
import { distributionOf, isWellKnown, isWellKnownDistribution } from './distributions.ts';
import { type PythonSettings, preparedPackages, readRequirements } from './environment.ts';
import { fileMark, interpreterMark } from './interpreter-mark.ts';
import { type About, type FoundModules, LookupProcess } from './lookup-process.ts';
import { type PythonHint, pythonHint } from './python-hint.ts';
import { requirementNames } from './requirement-names.ts';

export interface PythonLookupOptions {
  /** The project's folder. */
  readonly project: string;
  readonly python: PythonSettings;
  readonly env: NodeJS.ProcessEnv;
  readonly hasImage: boolean;
}

/** Changes with what `trowel_task.check` says. */
const FORMAT = 3;
/** Modules that every task has, whatever is installed. */
const ALWAYS = new Set(['digdag', 'trowel_task', '__main__', '_typeshed']);
/** Packages that come with Python's images. */
const OF_IMAGES = new Set(['pip', 'setuptools', 'pkg_resources', 'wheel']);

interface Kept {
  readonly mark: string;
  readonly about: About;
  readonly modules: FoundModules & { readonly mark: string };
  readonly outlines: { readonly [hash: string]: Outline };
}

interface ReadFile {
  readonly text: string;
  readonly hash: string;
}

const NO_MODULES: FoundModules = { found: {}, closure: [], missing: [] };

export class PythonLookup implements PythonSources {
  readonly requirementsFile: string;
  readonly hasImage: boolean;
  readonly #project: string;
  readonly #process: LookupProcess;
  readonly #about: About;
  readonly #standard: ReadonlySet<string>;
  /** Folder of the environment's packages, if it has been made. */
  readonly #site: string | undefined;
  readonly #hasRequirements: boolean;
  readonly #requirements: ReturnType<typeof requirementNames>;
  readonly #modulesMark: string;
  #modules: FoundModules;
  readonly #keptOutlines: { readonly [hash: string]: Outline };
  readonly #outlines = new Map<string, Outline>();
  readonly #read = new Map<string, ReadFile | undefined>();
  readonly #kinds = new Map<string, 'file' | 'folder' | 'neither'>();
  readonly #listed = new Map<string, readonly string[]>();
  readonly #file: string;
  readonly #mark: string;
  #changed: boolean;

  /** Or what a command that starts no Python says of itself, if anything; undefined where there is no such command. */
  static async open(options: PythonLookupOptions): Promise<PythonLookup | PythonHint | undefined> {
    const { python, env } = options;
    const project = resolve(options.project);
    const command = python.version === undefined ? 'python3' : `python${python.version}`;
    const mark = interpreterMark(command, project, env);
    if (mark === undefined) return undefined;
    const name = createHash('sha256').update(`${project}\n${command}`).digest('hex').slice(0, 20);
    const file = join(cacheFolder(env), 'outlines', `${name}.json`);
    const kept = await readKept(file);
    const process = new LookupProcess(command, project, env);
    try {
      const about = kept?.mark === mark ? kept.about : await process.about();
      const requirements = readRequirements({ project, python });
      const content = 'content' in requirements ? requirements.content : '';
      const lines = 'lines' in requirements ? requirements.lines : 0;
      const site = lines > 0 ? await preparedPackages(about.identity, content, env) : undefined;
      return new PythonLookup(options, { process, about, site, content, lines, file, mark }, kept);
    } catch {
      process.close();
      return pythonHint(process.errors);
    }
  }

  constructor(
    options: PythonLookupOptions,
    made: {
      readonly process: LookupProcess;
      readonly about: About;
      readonly site: string | undefined;
      readonly content: string;
      readonly lines: number;
      readonly file: string;
      readonly mark: string;
    },
    kept: Kept | undefined,
  ) {
    const { requirements } = options.python;
    this.requirementsFile =
      requirements !== undefined && 'file' in requirements
        ? requirements.file
        : requirements === undefined
          ? 'requirements.txt'
          : '`python.requirements` of trowel.yml';
    this.hasImage = options.hasImage;
    this.#project = resolve(options.project);
    this.#process = made.process;
    this.#about = made.about;
    this.#standard = new Set(made.about.standard);
    this.#site = made.site;
    this.#hasRequirements = made.lines > 0;
    this.#requirements = requirementNames(made.content);
    this.#file = made.file;
    this.#mark = made.mark;
    const folders = made.site === undefined ? made.about.sites : [made.site];
    const state = [made.mark, made.content, ...folders.map(fileMark)].join('\n');
    this.#modulesMark = createHash('sha256').update(state).digest('hex');
    this.#modules = kept?.modules.mark === this.#modulesMark ? kept.modules : NO_MODULES;
    this.#keptOutlines = kept?.mark === made.mark ? kept.outlines : {};
    this.#changed = kept?.mark !== made.mark;
  }

  get version(): string {
    return this.#about.version.split('.').slice(0, 2).join('.');
  }

  isStandard(name: string): boolean {
    return this.#standard.has(name) || ALWAYS.has(name);
  }

  installed(name: string): Installed | null | undefined {
    const found = Object.hasOwn(this.#modules.found, name) ? this.#modules.found[name] : undefined;
    if (!found) return found;
    const place = found.origin ?? found.folders[0];
    if (place?.startsWith(this.#project + sep) && !/[\\/](?:site|dist)-packages[\\/]/.test(place))
      return { ...found, ofProject: true };
    return found;
  }

  isRequired(name: string): boolean | undefined {
    if (OF_IMAGES.has(name)) return true;
    const installed = this.installed(name);
    if (this.#site !== undefined) return installed !== null && installed !== undefined;
    const known = new Set([...this.#requirements.names, ...this.#modules.closure]);
    const own = (installed?.distributions ?? []).map(normalised);
    const guessed = [normalised(name), normalised(distributionOf(name))];
    if ([...own, ...guessed].some((each) => known.has(each))) return true;
    // A name space such as google, of which each package has a part.
    if (this.#requirements.names.some((each) => each.startsWith(`${normalised(name)}-`))) return true;
    if (!this.#hasRequirements) return false;
    if (!this.#requirements.complete || this.#modules.missing.length > 0) return undefined;
    if (installed) return false;
    // Packages that well-known ones bring are well known too.
    return isWellKnown(name) || !this.#requirements.names.every(isWellKnownDistribution) ? undefined : false;
  }

  distribution(name: string): string {
    const [own] = this.installed(name)?.distributions ?? [];
    return own ?? distributionOf(name);
  }

  outline(file: string): Outline | undefined {
    return this.#outlines.get(file);
  }

  text(file: string): string | undefined {
    return this.#read.get(file)?.text;
  }

  isFile(path: string): boolean {
    return this.#kind(path) === 'file';
  }

  isFolder(path: string): boolean {
    return this.#kind(path) === 'folder';
  }

  /** Asked for often, of the same few. */
  #kind(path: string): 'file' | 'folder' | 'neither' {
    let kind = this.#kinds.get(path);
    if (kind === undefined) {
      const found = stat(this.#path(path));
      kind = found?.isFile() ? 'file' : found?.isDirectory() ? 'folder' : 'neither';
      this.#kinds.set(path, kind);
    }
    return kind;
  }

  list(folder: string): readonly string[] {
    let found = this.#listed.get(folder);
    if (found === undefined) {
      try {
        found = readdirSync(this.#path(folder)).sort();
      } catch {
        found = [];
      }
      this.#listed.set(folder, found);
    }
    return found;
  }

  async load(files: Iterable<string>, modules: Iterable<string>): Promise<void> {
    const names = [...new Set(modules)].filter((name) => !Object.hasOwn(this.#modules.found, name));
    if (names.length > 0) {
      this.#changed = true;
      const { found, closure, missing } = await this.#process.find(names, this.#requirements.names, this.#site);
      this.#modules = { found: { ...this.#modules.found, ...found }, closure, missing };
    }
    const waiting = [...new Set(files)].filter((file) => !this.#outlines.has(file));
    await Promise.all(waiting.map(async (file) => this.#read.set(file, await this.#readFile(file))));
    const unread: string[] = [];
    for (const file of waiting) {
      const kept = this.#keptOutlines[this.#read.get(file)?.hash ?? ''];
      if (kept === undefined) unread.push(file);
      else this.#outlines.set(file, kept);
    }
    if (unread.length === 0) return;
    this.#changed = true;
    const outlines = await this.#process.outlines(unread.map((file) => this.#path(file)));
    for (const [index, file] of unread.entries()) this.#outlines.set(file, outlines[index] ?? { unknown: true });
  }

  /** Ends the process and keeps what was read. Where the cache cannot be written, the next check reads anew. */
  async close(): Promise<void> {
    this.#process.close();
    if (!this.#changed) return;
    const outlines = [...this.#outlines].flatMap(([file, outline]) => {
      const hash = this.#read.get(file)?.hash;
      return hash === undefined || outline.unknown ? [] : [[hash, outline] as const];
    });
    const kept: Kept = {
      mark: this.#mark,
      about: this.#about,
      modules: { ...this.#modules, mark: this.#modulesMark },
      outlines: Object.fromEntries(outlines),
    };
    await writeAtomically(this.#file, JSON.stringify({ format: FORMAT, ...kept }), 0o600).catch(() => {});
  }

  #path(path: string): string {
    return isAbsolute(path) ? path : join(this.#project, path);
  }

  async #readFile(file: string): Promise<ReadFile | undefined> {
    const bytes = await readFile(this.#path(file)).catch(() => undefined);
    if (bytes === undefined) return undefined;
    return { text: bytes.toString('utf8'), hash: createHash('sha256').update(bytes).digest('hex') };
  }
}

async function readKept(file: string): Promise<Kept | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, 'utf8')) as Kept & { readonly format: number };
    return kept.format === FORMAT ? kept : undefined;
  } catch {
    return undefined;
  }
}

function stat(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}
