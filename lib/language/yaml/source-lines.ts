/** The number of characters before the first that is no space. */
export function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

/** Lines of a YAML text by offset, and what surrounds them. */
export class Source {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  lineStart(offset: number): number {
    return offset <= 0 ? 0 : this.text.lastIndexOf('\n', offset - 1) + 1;
  }

  /** At most 400 characters: enough to explain, and a megabyte on one line costs nothing. */
  line(offset: number): string {
    const start = this.lineStart(offset);
    const end = this.text.indexOf('\n', start);
    return this.text.slice(start, Math.min(end < 0 ? this.text.length : end, start + 400)).replace(/\r$/, '');
  }

  /** The nearest line above that is neither empty nor a comment. */
  lineBefore(offset: number): string {
    return this.#linesAbove(offset).next().value ?? '';
  }

  *#linesAbove(offset: number): Generator<string> {
    let start = this.lineStart(offset);
    for (let count = 0; start > 0 && count < 200; count++) {
      const line = this.line(start - 1);
      start = this.lineStart(start - 1);
      if (line.trim() !== '' && !line.trimStart().startsWith('#')) yield line;
    }
  }

  /** The nearest line above that is a key with a value and not deeper than the line in question. */
  keyAbove(offset: number, indent: number): { line: string; indent: number; key: string } | undefined {
    for (const line of this.#linesAbove(offset)) {
      const match = /^(\s*)(?:- )?([^\s:#][^:]*:)\s+\S/.exec(line);
      const own = indentOf(line);
      if (own > indent) continue;
      return match && own < indent ? { line, indent: own, key: match[2] ?? '' } : undefined;
    }
    return undefined;
  }

  /** Columns in which the mappings around a line have their keys, deepest first. */
  columnsAbove(offset: number): number[] {
    const columns: number[] = [];
    for (const line of this.#linesAbove(offset)) {
      const indent = indentOf(line);
      if (columns.length === 0 || indent < (columns.at(-1) ?? 0)) columns.push(indent);
      if (indent === 0) break;
    }
    return columns;
  }

  /** The line at an offset and those below that are deeper (at most 6), moved to another column. */
  block(offset: number, column: number): string[] {
    const first = this.line(offset);
    const indent = indentOf(first);
    const lines = [' '.repeat(column) + first.trimStart()];
    let at = this.lineStart(offset);
    while (lines.length < 6) {
      const next = this.text.indexOf('\n', at) + 1;
      if (next <= 0 || next >= this.text.length) break;
      const line = this.line(next);
      if (line.trim() === '' || indentOf(line) <= indent) break;
      lines.push(' '.repeat(Math.max(0, column + indentOf(line) - indent)) + line.trimStart());
      at = next;
    }
    return lines;
  }
}
