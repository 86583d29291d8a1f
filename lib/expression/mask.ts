/**
 * Hides the values of secrets in texts that people see. A value is found as it is and in all common encodings: escaped as JSON, `repr()`
 * (of its bytes too), `ascii()`, HTML, for a URL or a shell, in any combination, and as base64, also as part of a longer encoded text. Each
 * line of a value of several lines is hidden too, since output comes in lines. A value of fewer than LEAST characters (a line: LEAST_LINE)
 * is not hidden, since it would match everywhere. trowel_task/contract/masks.py does the same; test/lib/expression/masked.json has the
 * cases of both.
 *
 * A secret in any other encoding, or in pieces, is not recognised. So a text is masked before it is cut: the rest of a cut value would
 * match nothing.
 */
export const MASK = '***';
const LEAST = 3;
const LEAST_LINE = 4;
/** Bytes. The base64 of a shorter value could be part of other texts too. */
const LEAST_BASE64 = 6;

export class Masker {
  readonly #values = new Set<string>();
  /**
   * Each match of the pattern contains at least one of these texts. Most texts contain none, and searching for these is a hundred times as
   * fast as the pattern.
   */
  #anchors: readonly string[] = [];
  #pattern: RegExp | undefined;

  get values(): readonly string[] {
    return [...this.#values];
  }

  /** Values that are hidden from now on; known ones cost nothing. */
  add(...values: readonly string[]): void {
    const before = this.#values.size;
    for (const value of values) this.#values.add(value);
    if (this.#values.size === before) return;
    this.#anchors = [...new Set([...this.#texts().map(longestRun), ...this.#encoded().map(longestRun)])];
    this.#pattern = undefined;
  }

  mask(text: string): string {
    if (!this.#anchors.some((anchor) => text.includes(anchor))) return text;
    this.#pattern ??= this.#compiled();
    return text.replace(this.#pattern, MASK);
  }

  #texts(): string[] {
    return [...this.#values].flatMap(partsOf);
  }

  /** Base64 forms of whole values only: a single line is hardly ever encoded by itself. */
  #encoded(): string[] {
    return [...this.#values].flatMap((value) => inBase64(value.trim()));
  }

  #compiled(): RegExp {
    // Longest first: a value that holds another is hidden whole.
    const longestFirst = (texts: readonly string[]): string[] =>
      [...new Set(texts)].sort((a, b) => b.length - a.length);
    const encoded = longestFirst(this.#encoded()).map((text) =>
      text.replace(/[+/]/g, (sign) => (sign === '+' ? '[+-]' : '[/_]')),
    );
    return new RegExp([...encoded, ...longestFirst(this.#texts()).map(patternOf)].join('|'), 'g');
  }

  /** Every text in a JSON value, keys excepted. */
  maskAll<T>(value: T): T {
    if (this.#anchors.length === 0) return value;
    return this.#visit(value) as T;
  }

  #visit(value: unknown): unknown {
    if (typeof value === 'string') return this.mask(value);
    if (Array.isArray(value)) return value.map((item) => this.#visit(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#visit(inner)]));
  }
}

/** The secrets that this process has read. */
export const seen = new Masker();

/** At most `limit` characters of a text, the last of them `end` where something was cut off. No part of a secret is left by the cut. */
export function cut(text: string, limit: number, end = '…'): string {
  const masked = seen.mask(text);
  if (masked.length <= limit) return masked;
  return `${masked.slice(0, limit - end.length).replace(/[\uD800-\uDBFF]$/, '')}${end}`;
}

function partsOf(value: string): string[] {
  if (value.trim().length < LEAST) return [];
  const lines = /[\r\n]/.test(value) ? value.split(/\r\n|\r|\n/).map((line) => line.trim()) : [];
  return [value, value.trim(), ...lines.filter((line) => line.length >= LEAST_LINE)];
}

/** A regular expression for a text as it is and escaped. */
function patternOf(text: string): string {
  return (text.match(/\\+|[^\\]/gu) ?? []).map(characterPattern).join('');
}

/** The longest run of characters that are the same in every form. */
function longestRun(text: string): string {
  return (text.match(/[A-Za-z0-9.]+/g) ?? []).reduce(
    (longest, run) => (run.length > longest.length ? run : longest),
    '',
  );
}

const NAMED: { readonly [character: string]: string } = {
  '"': 'quot',
  "'": 'apos',
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '\u00a0': 'nbsp',
};
const LETTERS: { readonly [character: string]: string } = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f' };
/** A backslash in any encoding. A character that is escaped once has one before it; escaped twice it has three. */
const BACKSLASH = '(?:\\\\|%(?:25)?5[cC]|&#(?:92|[xX]5[cC]);)';
const BEFORE = `${BACKSLASH}{1,4}`;

/** One character, or several backslashes, in all forms. Letters, digits and other characters that are never escaped have one form. */
function characterPattern(character: string): string {
  if (/[A-Za-z0-9_.-]/.test(character)) return character === '.' ? '\\.' : character;
  if (character[0] === '\\') return `${BACKSLASH}{${character.length},${4 * character.length}}`;
  const code = character.codePointAt(0) ?? 0;
  const forms = [
    escaped(character),
    ...(character === ' ' ? ['\\+'] : []),
    ...(character === '\n' ? ['\\r\\n', `${BEFORE}r${BEFORE}n`, '%0[dD]%0[aA]'] : []),
    [...Buffer.from(character)].map((byte) => `%(?:25)?${hexadecimal(byte, 2)}`).join(''),
    character
      .split('')
      .map((unit) => `${BEFORE}u${hexadecimal(unit.charCodeAt(0), 4)}`)
      .join(''),
    `${BEFORE}U${hexadecimal(code, 8)}`,
    ...(code < 256 ? [`${BEFORE}x${hexadecimal(code, 2)}`] : []),
    ...(code > 127 ? [[...Buffer.from(character)].map((byte) => `${BEFORE}x${hexadecimal(byte, 2)}`).join('')] : []),
    ...(character === "'" ? [`'${BACKSLASH}''`, `'"'"'`] : []),
    ...(LETTERS[character] === undefined ? [] : [`${BEFORE}${LETTERS[character]}`]),
    `&#0{0,5}${code};`,
    `&#[xX]0{0,5}${hexadecimal(code, 1)};`,
    ...(NAMED[character] === undefined ? [] : [`&${NAMED[character]};`]),
  ];
  return `${BACKSLASH}{0,3}(?:${forms.join('|')})`;
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** Hexadecimal digits in upper or lower case. */
function hexadecimal(code: number, digits: number): string {
  return code
    .toString(16)
    .padStart(digits, '0')
    .replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/** A value begins at one of three places in a group of three bytes; characters that it shares with other bytes are left out. */
function inBase64(value: string): string[] {
  const bytes = Buffer.from(value);
  if (bytes.length < LEAST_BASE64) return [];
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const whole = (before + bytes.length) % 3 === 0 ? text.length : text.length - 1;
    return text.slice(before === 0 ? 0 : before + 1, whole);
  });
}
