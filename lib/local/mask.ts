/**
 * Hides the values of secrets in every text that leaves. A value counts as it is, as it stands in JSON and in a URL, and, if it
 * has several lines, line by line, since output comes in lines. Values (and lines) of fewer than 3 characters are not hidden: they
 * are everywhere. Output of tasks comes in whole lines, and the runner has already masked what its own task was given.
 */
const LEAST = 3;
const LONE_SURROGATE = /[\uD800-\uDFFF]/gu;
export const MASK = '***';

export class Masker {
  #values = new Set<string>();
  #pattern: RegExp | undefined;

  /** Values that are there from now on; known ones cost nothing. */
  add(...values: readonly string[]): void {
    const before = this.#values.size;
    for (const value of values) {
      for (const form of formsOf(value)) if (form.trim().length >= LEAST) this.#values.add(form);
    }
    if (this.#values.size === before) return;
    // Longest first: a value that holds another is hidden whole.
    const sorted = [...this.#values].sort((a, b) => b.length - a.length);
    this.#pattern = new RegExp(sorted.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');
  }

  mask(text: string): string {
    return this.#pattern === undefined ? text : text.replace(this.#pattern, MASK);
  }

  /** Every text in a JSON value, keys excepted. */
  maskAll<T>(value: T): T {
    if (this.#pattern === undefined) return value;
    return this.#visit(value) as T;
  }

  #visit(value: unknown): unknown {
    if (typeof value === 'string') return this.mask(value);
    if (Array.isArray(value)) return value.map((item) => this.#visit(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#visit(inner)]));
  }
}

function formsOf(value: string): string[] {
  // A lone surrogate has no form in a URL.
  return [
    value,
    ...value.split(/\r?\n/),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.replace(LONE_SURROGATE, '')),
  ];
}
