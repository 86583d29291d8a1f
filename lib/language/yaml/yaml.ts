/**
 * YAML text → Tree. The `yaml` package composes the document (failsafe: every scalar as text); typing, duplicate keys, aliases
 * and merge keys are done here, as SnakeYAML does them in digdag, and in linear time.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type ParsedNode,
  Parser,
  type YAMLMap,
} from 'yaml';
import type { Span } from '../diagnostic.ts';
import type { Report } from '../report.ts';
import { reportIncludeFaults } from './include-faults.ts';
import { typedScalar } from './scalar.ts';
import { Source } from './source-lines.ts';
import { type Entry, INCLUDE_KEY, type MapTree, type ScalarTree, type Tree } from './tree.ts';
import { type ComposeErrorHandler, reportYamlFaults, type YamlError } from './yaml-faults.ts';

/** A file beyond this is data, not a workflow. 10,000 tasks take less than 1 MB. */
const MAX_CHARS = 4 * 1024 * 1024;
/** Levels of nesting; later phases recurse. */
const MAX_DEPTH = 100;
/** Keys, values, brackets, spaces: some 10 a line. 10,000 tasks of 4 lines make 400,000. */
const MAX_LEXEMES = 1_000_000;
/** The parser's errors are costly, and one slip may make one of every character. */
const MAX_ERRORS = 200;
const KEEP_DATA_OUT = 'Keep data out of workflow files: read it in a task, or pass it with -P.';
/** Nodes that aliases may add to what is written ("billion laughs"). */
const MAX_ALIASED_NODES = 100_000;

/** The tree of a file, or undefined after an error of syntax was reported. An empty file is a null scalar. */
export function readTree(file: string, text: string, report: Report): Tree | undefined {
  if (text.length > MAX_CHARS) {
    report.error(
      'yaml-too-large',
      { file, start: 0, end: 0 },
      `The file has ${text.length} characters, more than ${MAX_CHARS}`,
      KEEP_DATA_OUT,
    );
    return undefined;
  }
  const tokens = tokensOf(file, text, report);
  if (!tokens) return undefined;
  const composer = new Composer({
    schema: 'failsafe',
    version: '1.1',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    keepSourceTokens: false,
  });
  const { documents, errors } = compose(composer, tokens, text.length);
  const [document, second] = documents;
  if (errors.length > 0 || !document) {
    reportYamlFaults(file, text, errors, report);
    return undefined;
  }
  if (second) {
    const start = second.range[0];
    // A second document can also begin after `...`, which ends the first.
    const mark = text.startsWith('---', start) ? '---' : '...';
    report.error(
      'yaml-syntax',
      { file, start, end: Math.min(start + 3, text.length) },
      'A second document begins here; a file may have only one',
      `Remove the line \`${mark}\`, or move what follows it into a separate file.`,
    );
    return undefined;
  }
  const reader = new Reader(file, report);
  const contents = document.contents as ParsedNode | null;
  const tree = contents ? reader.read(contents) : reader.nothing(0);
  if (reader.badInclude === undefined) return tree;
  // Later checks would only report consequences of it.
  if (!reportIncludeFaults(file, new Source(text), report)) {
    report.error(
      'include-path',
      reader.badInclude,
      '`!include` is not written as a key here',
      'Write it as a key, with a space before the colon: `!include : path/to/file.yml`.',
    );
  }
  return undefined;
}

/** The documents, or the errors so far once there are too many: composing on would only find more of them. */
function compose(composer: Composer, tokens: readonly CST.Token[], length: number) {
  const documents: Document.Parsed[] = [];
  const errors: YamlError[] = [];
  // Its own handler makes an Error with a stack for each fault, and cannot stop.
  const onError: ComposeErrorHandler = (source, code, message, warning) => {
    if (warning) return;
    // Thrown anew at each level, for the composer catches what its collections throw.
    if (errors.length >= MAX_ERRORS) throw new TooManyErrors();
    if (typeof source === 'number') errors.push({ code, message, pos: [source, source + 1] });
    else if ('offset' in source) {
      errors.push({ code, message, pos: [source.offset, source.offset + (source.source?.length ?? 1)] });
    } else errors.push({ code, message, pos: [source[0], source[1]] });
  };
  Object.assign(composer, { onError });
  try {
    for (const document of composer.compose(tokens, true, length)) documents.push(document);
  } catch (error) {
    if (!(error instanceof TooManyErrors)) throw error;
  }
  // Errors of tokens between documents do not reach the handler.
  for (const document of documents) errors.push(...document.errors);
  return { documents, errors };
}

class TooManyErrors extends Error {}

/** Tokens of the documents. Stops at nesting that would overflow the stack of later phases. */
function tokensOf(file: string, text: string, report: Report): CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let offset = 0;
  let lexemes = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === 'error') errors++;
    }
    if (errors > MAX_ERRORS) return tokens;
    offset += lexeme.length;
    if (++lexemes <= MAX_LEXEMES && parser.stack.length <= MAX_DEPTH) continue;
    const span = { file, start: Math.min(offset, text.length), end: Math.min(offset + 1, text.length) };
    if (lexemes > MAX_LEXEMES) {
      report.error(
        'yaml-too-large',
        span,
        `The file has more than ${MAX_LEXEMES} keys, values and signs`,
        KEEP_DATA_OUT,
      );
    } else {
      report.error(
        'limit-nesting',
        span,
        `More than ${MAX_DEPTH} levels of nesting`,
        'Move a part into a separate file and use call> or !include.',
      );
    }
    return undefined;
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

interface Anchored {
  tree: Tree | undefined;
  size: number;
}

class Reader {
  readonly #file: string;
  readonly #report: Report;
  readonly #anchors = new Map<string, Anchored>();
  #size = 0;
  #aliased = 0;
  #bombReported = false;
  /** Place of an `!include` that is not valid. */
  badInclude: Span | undefined;

  constructor(file: string, report: Report) {
    this.#file = file;
    this.#report = report;
  }

  nothing(offset: number): ScalarTree {
    return { kind: 'scalar', value: null, span: this.#span(offset, offset) };
  }

  read(node: ParsedNode): Tree {
    this.#size++;
    if (isAlias(node)) return this.#alias(node.source, this.#span(node.range[0], node.range[1]));
    if (!node.anchor) return this.#readPlain(node);
    const anchored: Anchored = { tree: undefined, size: 0 };
    this.#anchors.set(node.anchor, anchored);
    const before = this.#size + this.#aliased;
    anchored.tree = this.#readPlain(node);
    anchored.size = this.#size + this.#aliased - before + 1;
    return anchored.tree;
  }

  #readPlain(node: ParsedNode): Tree {
    if (isScalar(node)) return this.#scalar(node);
    const span = this.#span(node.range[0], node.range[1]);
    this.#checkCollectionTag(node, span);
    if (isSeq(node)) return { kind: 'list', items: (node.items as ParsedNode[]).map((item) => this.read(item)), span };
    if (isMap(node)) return this.#mapping(node, span);
    return { kind: 'scalar', value: null, span };
  }

  #checkCollectionTag(node: ParsedNode, span: Span): void {
    const { tag } = node;
    if (tag === undefined || COLLECTION_TAGS.has(tag)) return;
    if (isMap(node) && tag === INCLUDE_TAG) {
      const [first] = node.items;
      if (isScalar(first?.key) && first.key.source === '') return;
    }
    this.#badTag(tag, span);
  }

  #badTag(tag: string, span: Span): void {
    if (/^!include/i.test(tag)) {
      this.badInclude ??= span;
      return;
    }
    const shown = tag.replace(/^tag:yaml.org,2002:/, '!!');
    this.#report.error('yaml-syntax', span, `Unknown tag \`${shown}\``, 'If this is text, put it in quotes.');
  }

  #alias(name: string, span: Span): Tree {
    const anchored = this.#anchors.get(name);
    if (!anchored?.tree) {
      const message = anchored ? `\`*${name}\` is inside its own anchor` : `No anchor \`&${name}\` before this alias`;
      this.#report.error(
        'yaml-syntax',
        span,
        message,
        anchored ? undefined : `If this is text, put it in quotes: "*${name}".`,
      );
      // A text here prevents a second report by later checks.
      return { kind: 'scalar', value: `*${name}`, span };
    }
    this.#aliased += anchored.size;
    if (this.#aliased <= MAX_ALIASED_NODES) return anchored.tree;
    if (!this.#bombReported) {
      this.#report.error(
        'yaml-alias-bomb',
        span,
        `The aliases of this file expand to more than ${MAX_ALIASED_NODES} values`,
        'Use !include or call> for large common parts.',
      );
    }
    this.#bombReported = true;
    return { kind: 'scalar', value: null, span };
  }

  #scalar(node: ParsedNode & { value: unknown }): ScalarTree {
    const span = this.#span(node.range[0], node.range[1]);
    const { source, type, tag } = node as { source?: string; type?: string; tag?: string };
    const text = source ?? '';
    const typed = this.#typed(text, type === undefined || type === 'PLAIN', tag, span);
    return { kind: 'scalar', value: typed, span };
  }

  #typed(text: string, plain: boolean, tag: string | undefined, span: Span): ScalarTree['value'] {
    let value: ReturnType<typeof typedScalar> = text;
    if (tag === undefined ? plain : TYPE_TAGS.has(tag)) value = typedScalar(text);
    else if (tag === 'tag:yaml.org,2002:null') value = null;
    else if (tag !== undefined && !TEXT_TAGS.has(tag)) this.#badTag(tag, span);
    return value;
  }

  #mapping(node: YAMLMap.Parsed, span: Span): MapTree {
    const written = new Set<string>();
    const entries: Entry[] = [];
    const at = new Map<string, number>();
    /** Own keys win over merged ones; the place is that of the first mention (SnakeYAML's mergeNode). */
    const put = (entry: Entry, own: boolean) => {
      const index = entry.key === INCLUDE_KEY ? undefined : at.get(entry.key);
      if (index === undefined) {
        at.set(entry.key, entries.length);
        entries.push(entry);
      } else if (own) entries[index] = entry;
    };
    for (const [index, { key: keyNode, value: valueNode }] of node.items.entries()) {
      const first = index === 0 && node.tag === INCLUDE_TAG;
      const key = this.#key(keyNode as ParsedNode, first);
      if (!key) {
        if (valueNode) this.read(valueNode);
        continue;
      }
      const value = valueNode ? this.read(valueNode) : this.nothing(key.span.end);
      const twice = written.has(key.name);
      if (twice && key.name !== INCLUDE_KEY) {
        this.#report.error(
          'duplicate-key',
          key.span,
          `The key '${key.name}' is written twice in the same mapping`,
          key.name.startsWith('+') ? 'Give one of the two tasks another name.' : 'Remove one of the two.',
        );
        continue;
      }
      written.add(key.name);
      if (key.merge) for (const entry of this.#merged(value)) put(entry, false);
      else put({ key: key.name, keySpan: key.span, value }, true);
    }
    return { kind: 'map', entries, span };
  }

  /** The entries that `<<: value` adds; of several sources the earlier wins. */
  #merged(value: Tree): readonly Entry[] {
    if (value.kind === 'map') return value.entries;
    if (value.kind === 'list' && value.items.every((item) => item.kind === 'map')) {
      return value.items.flatMap((item) => (item.kind === 'map' ? item.entries : []));
    }
    this.#report.error('yaml-syntax', value.span, '`<<` wants a mapping or a list of mappings', 'Use `<<: *anchor`.');
    return [];
  }

  /** `includes`: the parser gave the tag of a first key `!include :` to the mapping, for the key itself is empty. */
  #key(node: ParsedNode | null, includes: boolean): { name: string; span: Span; merge: boolean } | undefined {
    if (!node) return undefined;
    const span = this.#span(node.range[0], node.range[1]);
    if (isScalar(node) && (node.tag === INCLUDE_TAG || (includes && node.source === ''))) {
      return {
        name: INCLUDE_KEY,
        span: this.#span(Math.max(0, node.range[0] - '!include '.length), node.range[0] - 1),
        merge: false,
      };
    }
    const tree = this.read(node);
    if (tree.kind !== 'scalar' || tree.value === null) {
      this.#report.error(
        'yaml-syntax',
        span,
        tree.kind === 'scalar' ? 'A key is empty' : 'A key must be text, not a list or a mapping',
        tree.kind === 'map' ? 'If this is text with braces, put it in quotes: "{{…}}".' : undefined,
      );
      return undefined;
    }
    const name = String(tree.value);
    if (name === INCLUDE_TAG) this.badInclude ??= span;
    if (name === '__proto__') {
      this.#report.error('bad-value', span, 'A key cannot be named `__proto__`', 'Choose another name.');
      return undefined;
    }
    if (/^[\u00a0\u3000]/.test(name)) {
      this.#report.error(
        'yaml-syntax',
        span,
        'A no-break or full-width space indents this line; YAML allows only plain spaces',
        'Type the indentation anew.',
      );
    }
    const merge = name === '<<' && isScalar(node) && (node.type === undefined || node.type === 'PLAIN');
    return { name, span, merge };
  }

  #span(start: number, end: number): Span {
    return { file: this.#file, start, end };
  }
}

const INCLUDE_TAG = '!include';
const COLLECTION_TAGS = new Set(['!', 'tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq']);
const TYPE_TAGS = new Set(['int', 'float', 'bool'].map((name) => `tag:yaml.org,2002:${name}`));
const TEXT_TAGS = new Set(['!', 'tag:yaml.org,2002:str', 'tag:yaml.org,2002:timestamp', 'tag:yaml.org,2002:binary']);
