/**
 * Shows which parts of a rendered text the workflow's author wrote, and which came from expressions.
 *
 * The renderer leaves `${secret:…}` as it is, so that afterwards text of the workflow and text that came in as data (an error message, a
 * stored value) look alike. Only the workflow's own may be filled in; otherwise anybody who controls data could ask for any secret. So each
 * one in the templates is marked before rendering, with a word that nobody can guess; data has no marks. In the same way `${…}` is put
 * between marks if its result must be escaped. A word is used for one rendering only.
 */
import { randomBytes } from 'node:crypto';
import { mapValues, setOwn } from '../contract/merge.ts';
import type { Layer } from '../contract/payload.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { scan } from './scan.ts';

/** A `${secret:key}`, with its key after rendering. */
export interface Asked {
  readonly key: string;
  /** True if an expression gave the key, so that data may have chosen it. */
  readonly computed: boolean;
}

/** `${word:…}` with a word that is not `secret`, as digdag takes it. The message is digdag's. */
export class UnknownWord extends Error {
  constructor(text: string) {
    super(`Invalid parametrization: '${text}' (config)`);
  }
}

/** Signs after the word: `<` and `[` begin `${secret:…}`, with a key that is written out or computed, `>` ends it; `(` and `)` are around what
 * an expression gives. */
const SIGNS = '<\\[>()';
/** Expressions that the renderer leaves to operators. */
const OPENING = /\$\{[a-z]+:/;

export class Marks {
  readonly #word = `@${randomBytes(12).toString('hex')}`;
  readonly #sign = new RegExp(`${this.#word}([${SIGNS}])`, 'g');
  readonly #ask = new RegExp(`${this.#word}([<\\[])([\\s\\S]*?)${this.#word}>`, 'g');

  /** Marks each `${secret:…}` in the templates of a value, at any depth, in keys too. */
  secrets<T extends Value>(template: T): T {
    return mapTexts(template, (text) => this.#secretsIn(text));
  }

  /**
   * The same in the templates of `_export` layers; the others are data. `authored`: the number of layers, from the outermost, that come
   * from the project's files; default all.
   */
  secretsOfLayers(layers: readonly Layer[], authored = layers.length): Layer[] {
    return layers.map((layer, i) =>
      i < authored && Array.isArray(layer) && layer.length === 1 ? [this.secrets(layer[0])] : layer,
    );
  }

  /** Puts marks around each `${…}` in the templates of a value. */
  inserted<T extends Value>(template: T): T {
    return mapTexts(template, (text) => this.#insertedIn(text));
  }

  /** Whether a text asks for a secret. */
  asks(text: string): boolean {
    return text.includes(`${this.#word}<`) || text.includes(`${this.#word}[`);
  }

  /**
   * A rendered text in pieces: texts, and secrets that it asks for.
   * @throws UnknownWord
   */
  pieces(text: string): (string | Asked)[] {
    const pieces: (string | Asked)[] = [];
    let at = 0;
    for (const match of text.matchAll(this.#ask)) {
      const [whole, sign, content = ''] = match;
      const [, word, key = ''] = /^([a-z]+):([\s\S]*)$/.exec(this.#plain(content)) ?? [];
      if (word !== 'secret') throw new UnknownWord(`\${${this.#plain(content)}}`);
      if (match.index > at) pieces.push(this.#plain(text.slice(at, match.index)));
      pieces.push({ key: key.trim(), computed: sign === '[' });
      at = match.index + whole.length;
    }
    if (at < text.length || pieces.length === 0) pieces.push(this.#plain(text.slice(at)));
    return pieces;
  }

  /** Puts secrets in place of marks, at any depth, in keys too. `lookup` throws for a missing one. @throws UnknownWord */
  async fill<T extends Value>(rendered: T, lookup: (asked: Asked) => Promise<string>): Promise<T> {
    const values = new Map<string, string>();
    const asked = new Map<string, Asked>();
    mapTexts(rendered, (text) => {
      for (const piece of this.pieces(text)) {
        if (typeof piece !== 'string') asked.set(`${piece.computed} ${piece.key}`, piece);
      }
      return text;
    });
    for (const each of asked.values()) values.set(each.key, await lookup(each));
    return mapTexts(rendered, (text) =>
      this.pieces(text)
        .map((piece) => (typeof piece === 'string' ? piece : (values.get(piece.key) ?? '')))
        .join(''),
    );
  }

  /** Turns marks back into the text that the author wrote, for messages and for fields that take no secrets. */
  unmark<T extends Value>(rendered: T): T {
    return mapTexts(rendered, (text) => this.#plain(text));
  }

  /** The text without marks, with `change` applied to the parts that came from expressions. */
  changed(text: string, change: (inserted: string) => string): string {
    let depth = 0;
    let result = '';
    let at = 0;
    const add = (piece: string): void => {
      const plain = this.#plain(piece);
      result += depth > 0 ? change(plain) : plain;
    };
    for (const match of text.matchAll(this.#sign)) {
      const [whole, sign] = match;
      if (sign !== '(' && sign !== ')') continue;
      add(text.slice(at, match.index));
      depth = Math.max(0, depth + (sign === '(' ? 1 : -1));
      at = match.index + whole.length;
    }
    add(text.slice(at));
    return result;
  }

  /** Whether one expression gave the whole text. */
  wholly(text: string): boolean {
    const inner = text.trim();
    return (
      inner.startsWith(`${this.#word}(`) && inner.indexOf(`${this.#word})`) === inner.length - this.#word.length - 1
    );
  }

  /** Marks a text as if an expression had given it. */
  enclosed(text: string): string {
    return `${this.#word}(${text}${this.#word})`;
  }

  #plain(text: string): string {
    if (!text.includes(this.#word)) return text;
    return text.replace(this.#sign, (_, sign: string) => PLAIN[sign] ?? '');
  }

  #secretsIn(text: string): string {
    const start = text.search(OPENING);
    if (start < 0) return text;
    const end = closingBrace(text, start + 2);
    if (end < 0) return text;
    const content = text.slice(start + 2, end);
    const sign = content.includes('${') ? '[' : '<';
    return `${text.slice(0, start)}${this.#word}${sign}${this.#secretsIn(content)}${this.#word}>${this.#secretsIn(text.slice(end + 1))}`;
  }

  #insertedIn(text: string): string {
    let result = '';
    let at = 0;
    for (const part of scan(text)) {
      if (part.kind !== 'expression') continue;
      result += `${text.slice(at, part.start - 2)}${this.enclosed(`\${${part.script}}`)}`;
      at = part.end + 1;
    }
    return result + text.slice(at);
  }
}

const PLAIN: { readonly [sign: string]: string } = { '<': '${', '[': '${', '>': '}' };

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  return -1;
}

/** Every text of a value, at any depth, in keys too. */
export function mapTexts<T extends Value>(value: T, change: (text: string) => string): T {
  const walk = (part: Value): Value => {
    if (typeof part === 'string') return change(part);
    if (Array.isArray(part)) return part.map(walk);
    if (part === null || typeof part !== 'object') return part;
    const changed: Mapping = {};
    for (const [key, inner] of Object.entries(mapValues(part, walk))) setOwn(changed, change(key), inner);
    return changed;
  };
  return walk(value) as T;
}
