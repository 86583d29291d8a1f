/**
 * Diagnostics as text with carets, as JSON, as GitHub annotations. Offsets become lines and columns only here.
 */
import type { Diagnostic, Severity, Span } from '../../language/diagnostic.ts';
import { positionOf } from '../../language/position.ts';

export type Sources = ReadonlyMap<string, string>;

/** Colours; each function returns its text marked up. */
export interface Palette {
  error(text: string): string;
  warning(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

export interface TextOptions {
  readonly palette?: Palette;
  /** Columns of the terminal; longer source lines are cut around the caret. */
  readonly width?: number;
}

const PLAIN: Palette = { error: same, warning: same, strong: same, faint: same };
const TAB = 4;
/** Units of a line looked at on each side of a caret: a megabyte on one line must not cost. */
const NEAR = 400;

/**
 * ```
 * main.dig:4:3 error unknown-operator: There is no operator shell>
 *     4 |   shell>: ls
 *       |   ^^^^^^
 *       = Did you mean 'sh>'?
 * ```
 */
export function renderText(diagnostics: readonly Diagnostic[], sources: Sources, options: TextOptions = {}): string {
  return diagnostics.map((diagnostic) => renderOne(diagnostic, sources, options)).join('\n');
}

/** `2 errors, 1 warning`. */
export function renderCount(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Severity) => diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
  const words = (['error', 'warning'] as const).flatMap((severity) => {
    const number = count(severity);
    return number > 0 ? [`${number} ${severity}${number > 1 ? 's' : ''}`] : [];
  });
  return words.join(', ') || 'no errors';
}

function renderOne(
  { code, severity, message, span, notes }: Diagnostic,
  sources: Sources,
  options: TextOptions,
): string {
  const palette = options.palette ?? PLAIN;
  const source = span && sources.get(span.file);
  const position = span && source !== undefined ? positionOf(source, span.start) : undefined;
  const place = span ? `${clean(span.file)}${position ? `:${position.line}:${position.column}` : ''} ` : '';
  const head = `${palette.strong(place)}${palette[severity](`${severity} ${code}`)}: ${palette.strong(clean(message))}`;
  const gutter = position ? Math.max(5, String(position.line).length + 1) : 1;
  const lines = [head];
  if (span && source !== undefined && position) {
    const { text, caret } = excerpt(source, span, (options.width ?? 100) - gutter - 3);
    lines.push(`${palette.faint(`${String(position.line).padStart(gutter)} |`)} ${text}`.trimEnd());
    lines.push(`${palette.faint(`${' '.repeat(gutter)} |`)} ${caret.indent}${palette[severity](caret.marks)}`);
  }
  for (const note of notes) {
    const [first = '', ...more] = note.split('\n').map(clean);
    lines.push(`${palette.faint(`${' '.repeat(gutter)} =`)} ${first}`);
    for (const line of more) lines.push(`${palette.faint(`${' '.repeat(gutter)} |`)}   ${line}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The source line of a span, cut to `width` columns around its start, and the carets below its first line. */
function excerpt(
  source: string,
  span: Span,
  width: number,
): { text: string; caret: { indent: string; marks: string } } {
  const room = Math.max(20, width);
  const lineStart = span.start <= 0 ? 0 : source.lastIndexOf('\n', span.start - 1) + 1;
  const newline = source.indexOf('\n', span.start);
  const from = Math.max(lineStart, span.start - NEAR);
  const to = Math.min(newline < 0 ? source.length : newline, span.start + NEAR);
  const end = Math.max(span.start, Math.min(span.end, to));
  const before = cells(source.slice(from, span.start), 0);
  const start = columns(before);
  const marked = cells(source.slice(span.start, end).replace(/\r$/, ''), start);
  const after = cells(source.slice(end, to).replace(/\r$/, ''), start + columns(marked));
  const all = [...before, ...marked, ...after];
  const fits = from === lineStart && columns(all) <= room;
  const left = fits || (from === lineStart && start <= room / 2) ? 0 : Math.max(0, start - Math.floor(room / 3));
  const head = left > 0 ? '…' : '';
  const shown = between(all, left, left + room - head.length - (fits ? 0 : 1));
  const indent = start - shown.from + head.length;
  return {
    text: head + shown.text + (shown.more ? '…' : ''),
    caret: { indent: ' '.repeat(indent), marks: '^'.repeat(Math.max(1, Math.min(columns(marked), room - indent))) },
  };
}

/** Cells between two columns; `from` is the column where they really begin (a wide one is not cut in half). */
function between(all: readonly Cell[], left: number, right: number): { text: string; from: number; more: boolean } {
  let column = 0;
  let from: number | undefined;
  let text = '';
  for (const cell of all) {
    const end = column + cell.width;
    if (end > right) return { text, from: from ?? column, more: true };
    if (column >= left) {
      from ??= column;
      text += cell.text;
    }
    column = end;
  }
  return { text, from: from ?? column, more: false };
}

interface Cell {
  readonly text: string;
  readonly width: number;
}

/** A text as cells of a terminal: tabs expanded, characters that would move the cursor replaced. */
function cells(text: string, column: number): Cell[] {
  const result: Cell[] = [];
  let at = column;
  for (const char of text) {
    const width = char === '\t' ? TAB - (at % TAB) : charWidth(char);
    result.push({ text: char === '\t' ? ' '.repeat(width) : clean(char), width });
    at += width;
  }
  return result;
}

function columns(list: readonly Cell[]): number {
  return list.reduce((sum, { width }) => sum + width, 0);
}

/** 2 for East Asian wide characters and emoji, 0 for combining marks (Unicode Standard Annex 11, in broad ranges). */
export function charWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/^(?:\p{Mn}|\p{Me}|[\u200b-\u200d])$/u.test(char)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** What a file says must not move the cursor, set colours or turn the direction of text. */
function clean(text: string): string {
  return text.replace(/(?!\t)[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

function same(text: string): string {
  return text;
}

export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly notes: readonly string[];
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

export function toJson(diagnostics: readonly Diagnostic[], sources: Sources): JsonDiagnostic[] {
  return diagnostics.map(({ code, severity, message, notes, span }) => ({
    code,
    severity,
    message,
    notes,
    ...(span && { file: span.file, ...range(span, sources) }),
  }));
}

/** One JSON array, for tools: `trowel check --json`. */
export function renderJson(diagnostics: readonly Diagnostic[], sources: Sources): string {
  return `${JSON.stringify(toJson(diagnostics, sources), null, 2)}\n`;
}

function range(span: Span, sources: Sources) {
  const source = sources.get(span.file);
  if (source === undefined) return {};
  const { line, column } = positionOf(source, span.start);
  const end = positionOf(source, Math.max(span.start, span.end));
  return { line, column, endLine: end.line, endColumn: end.column };
}

/** Workflow commands of GitHub Actions, one a line. `prefix` is the project's folder inside the repository. */
export function renderGithub(diagnostics: readonly Diagnostic[], sources: Sources, prefix = ''): string {
  return toJson(diagnostics, sources)
    .map(({ code, severity, message, notes, file, line, column, endLine, endColumn }) => {
      const properties = {
        file: file === undefined ? undefined : prefix + file,
        line,
        col: column,
        endLine,
        // GitHub draws columns only on one line.
        endColumn: endLine === line ? endColumn : undefined,
        title: code,
      };
      const list = Object.entries(properties).flatMap(([key, value]) =>
        value === undefined ? [] : [`${key}=${escapeProperty(String(value))}`],
      );
      return `::${severity} ${list.join(',')}::${escapeData([message, ...notes].join('\n'))}\n`;
    })
    .join('');
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
