/** `!include : path`: replaced by the keys of the file, merged deeply at that point (YamlConfigLoader.evalObjectRecursive). */
import { posix } from 'node:path';
import type { Span } from '../diagnostic.ts';
import type { Report } from '../report.ts';
import { type Entry, INCLUDE_KEY, type MapTree, type Tree } from './tree.ts';
import { readTree } from './yaml.ts';

/** Text of a file of the project (path relative to it, with `/`), or why there is none. */
export type ReadFile = (path: string) => FileText;
export type FileText = { readonly text: string } | { readonly fault: FileFault };
export type FileFault = 'missing' | 'outside' | 'not-text' | 'folder' | 'unreadable' | 'too-large';

/** Files and characters that the includes of one workflow may add: two files that include each other's copies grow without end. */
const MAX_INCLUDES = 1000;
const MAX_INCLUDED_CHARS = 16 * 1024 * 1024;

export class Includer {
  /** Files read, relative to the project, in order. */
  readonly files: string[] = [];
  readonly #readFile: ReadFile;
  readonly #report: Report;
  readonly #parsed = new Map<string, MapTree | undefined>();
  readonly #open: string[] = [];
  #count = 0;
  #chars = 0;

  constructor(readFile: ReadFile, report: Report) {
    this.#readFile = readFile;
    this.#report = report;
  }

  /** The same tree without include keys. `file` is where the tree is. */
  expand(tree: MapTree, file: string): MapTree {
    this.#open.push(file);
    const expanded = this.#mapping(tree, file);
    this.#open.pop();
    return expanded;
  }

  #any(tree: Tree, file: string): Tree {
    if (tree.kind === 'map') return this.#mapping(tree, file);
    if (tree.kind === 'scalar') return tree;
    const items = tree.items.map((item) => this.#any(item, file));
    return items.every((item, index) => item === tree.items[index]) ? tree : { ...tree, items };
  }

  #mapping(tree: MapTree, file: string): MapTree {
    const built = new Map<string, Entry>();
    let changed = false;
    for (const entry of tree.entries) {
      if (entry.key === INCLUDE_KEY) {
        changed = true;
        for (const added of this.#include(entry, file)) {
          const before = built.get(added.key);
          built.set(added.key, before ? mergeEntries(before, added) : added);
        }
        continue;
      }
      const value = this.#any(entry.value, file);
      if (value !== entry.value) changed = true;
      built.set(entry.key, value === entry.value ? entry : { ...entry, value });
    }
    return changed ? { ...tree, entries: [...built.values()] } : tree;
  }

  #include(entry: Entry, file: string): readonly Entry[] {
    const { value } = entry;
    const span = value.span.end > value.span.start ? value.span : entry.keySpan;
    if (value.kind !== 'scalar' || value.value === null || value.value === '') {
      this.#report.error(
        'include-path',
        span,
        '`!include` wants the path of a file',
        'Write `!include : path/to/file.yml`.',
      );
      return [];
    }
    const path = String(value.value);
    if (path.includes('${')) {
      this.#report.error(
        'include-path',
        span,
        'The path of `!include` is taken as written: it cannot contain an expression',
        'Give each environment its parameters with -P FILE, or choose a workflow with call>.',
      );
      return [];
    }
    const folder = posix.dirname(file);
    const target = posix.normalize(posix.join(folder, path));
    if (path.startsWith('/') || (folder === '.' ? target.startsWith('..') : !target.startsWith(`${folder}/`))) {
      this.#report.error(
        'file-outside-project',
        span,
        `\`!include\` reads only files in its own folder and below: '${path}' is outside`,
        'Move the file next to this one, or include it from a file in a folder above both.',
      );
      return [];
    }
    if (this.#open.includes(target)) {
      const ring = [...this.#open.slice(this.#open.indexOf(target)), target].join(' → ');
      this.#report.error('include-cycle', span, `'${path}' includes itself: ${ring}`, 'Remove one of these includes.');
      return [];
    }
    const included = this.#load(target, path, span);
    if (included === undefined) return [];
    return this.expand(included, target).entries.map((added) => ({ included: { span, path }, ...added }));
  }

  #load(target: string, path: string, span: Span): MapTree | undefined {
    if (++this.#count > MAX_INCLUDES || this.#chars > MAX_INCLUDED_CHARS) {
      if (this.#count <= MAX_INCLUDES + 1) {
        this.#report.error(
          'yaml-alias-bomb',
          span,
          'The includes of this workflow read too many files',
          'Use call> instead.',
        );
      }
      this.#count = MAX_INCLUDES + 1;
      return undefined;
    }
    if (this.#parsed.has(target)) return this.#parsed.get(target);
    const tree = this.#parse(target, path, span);
    this.#parsed.set(target, tree);
    return tree;
  }

  #parse(target: string, path: string, span: Span): MapTree | undefined {
    const read = this.#readFile(target);
    if ('fault' in read) {
      reportFileFault(read.fault, path, span, this.#report);
      return undefined;
    }
    this.files.push(target);
    this.#chars += read.text.length;
    const tree = readTree(target, read.text, this.#report);
    if (!tree || tree.kind === 'map') return tree;
    const got = tree.kind === 'list' ? 'a list' : tree.value === null ? 'nothing' : 'a single value';
    this.#report.error('root-not-mapping', span, `An included file must be a mapping; '${path}' is ${got}`);
    return undefined;
  }
}

/** Objects merge key by key, anything else is replaced; the merged entry keeps the place of the first. */
function mergeEntries(before: Entry, after: Entry): Entry {
  if (before.value.kind !== 'map' || after.value.kind !== 'map') return after;
  const merged = new Map(before.value.entries.map((entry) => [entry.key, entry]));
  for (const entry of after.value.entries) {
    const old = merged.get(entry.key);
    merged.set(entry.key, old ? mergeEntries(old, entry) : entry);
  }
  return { ...before, value: { ...before.value, entries: [...merged.values()] } };
}

/** Reports a fault of a file that is named somewhere, always in the same words. */
export function reportFileFault(
  fault: FileFault,
  path: string,
  span: Span | undefined,
  report: Report,
  ...notes: string[]
) {
  switch (fault) {
    case 'missing':
      return report.error('file-not-found', span, `The file '${path}' does not exist`, ...notes);
    case 'outside':
      return report.error('file-outside-project', span, `The file '${path}' is outside the project's folder`, ...notes);
    case 'not-text':
      return report.error('file-not-text', span, `The file '${path}' is not UTF-8 text`, ...notes);
    case 'folder':
      return report.error('file-not-found', span, `'${path}' is a folder, not a file`, ...notes);
    case 'unreadable':
      return report.error('file-not-found', span, `The file '${path}' cannot be read`, ...notes);
    case 'too-large':
      return report.error('yaml-too-large', span, `The file '${path}' is too large for a workflow`, ...notes);
  }
}
