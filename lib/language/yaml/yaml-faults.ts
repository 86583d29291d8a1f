/**
 * Explains errors of the YAML parser to the person who wrote the file: what is wrong there, and how the lines should be. The parser only
 * reports tokens, so the meaning is guessed from the lines around.
 */
import type { ErrorCode, Range } from 'yaml';
import type { DiagnosticCode } from '../diagnostic.ts';
import type { Report } from '../report.ts';
import { includeFaults, reportIncludeFaults } from './include-faults.ts';
import { indentOf, Source } from './source-lines.ts';

/** Further faults are mostly consequences of the first ones. */
const MAX_FAULTS = 20;

/** An error of the parser; `pos` are offsets. */
export interface YamlError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly pos: readonly [number, number];
}

export type ComposeErrorHandler = (
  source: number | readonly [number, number] | Range | { offset: number; source?: string },
  code: ErrorCode,
  message: string,
  warning?: boolean,
) => void;

interface Fault {
  readonly code?: DiagnosticCode;
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly note?: string | undefined;
}

export function reportYamlFaults(file: string, text: string, errors: readonly YamlError[], report: Report): void {
  const source = new Source(text);
  const lines = new Set<number>();
  // A misspelt include also causes errors on the lines after it; those are not reported.
  const [include] = includeFaults(source);
  if (include !== undefined) reportIncludeFaults(file, source, report);
  for (const error of widest(errors)) {
    if (include !== undefined && error.pos[1] >= source.lineStart(include.start)) break;
    const fault = explain(error, source);
    const line = source.lineStart(fault.start);
    // Two faults on one line have the same cause.
    if (lines.has(line)) continue;
    lines.add(line);
    const start = Math.min(fault.start, text.length);
    const span = { file, start, end: Math.min(Math.max(fault.end, start + 1), text.length) };
    report.error(fault.code ?? 'yaml-syntax', span, fault.message, fault.note);
    if (lines.size >= MAX_FAULTS) return;
  }
}

/** If the parser reports several errors at one place, the one about a key over several lines is the most useful. */
function widest(errors: readonly YamlError[]): YamlError[] {
  const byStart = new Map<number, YamlError>();
  for (const error of errors) {
    const before = byStart.get(error.pos[0]);
    if (!before || error.code === 'MULTILINE_IMPLICIT_KEY') byStart.set(error.pos[0], error);
  }
  return [...byStart.values()].sort((a, b) => a.pos[0] - b.pos[0]);
}

function explain(error: YamlError, source: Source): Fault {
  const [start, end] = error.pos;
  const fault = wideCharacter(start, source) ?? EXPLAIN[error.code]?.(error, source);
  return fault ?? { start, end, message: `YAML does not allow this: ${lowerFirst(error.message)}` };
}

type Explain = (error: YamlError, source: Source) => Fault | undefined;

const EXPLAIN: { readonly [code in ErrorCode]?: Explain } = {
  TAB_AS_INDENT: tabIndent,
  BLOCK_AS_IMPLICIT_KEY: twoColons,
  MULTILINE_IMPLICIT_KEY: keyOverLines,
  BAD_INDENT: (error, source) =>
    error.message.startsWith('Flow') ? openBracket(error, source) : badIndent(error, source),
  MISSING_CHAR: (error, source) =>
    /quote/.test(error.message)
      ? openQuote(error, source)
      : /map values/.test(error.message)
        ? noColon(error, source)
        : (textAfterList(error.pos[0], source) ?? bareExpression(error.pos[0], source)),
  UNEXPECTED_TOKEN: afterEnd,
  BAD_SCALAR_START: reserved,
  BAD_DQ_ESCAPE: ({ pos }) => ({
    start: pos[0],
    end: pos[1] + 1,
    message: 'There is no such escape in text between double quotes',
    note: "Write the backslash twice, or put the text in single quotes '…', where a backslash is itself.",
  }),
};

function tabIndent({ pos: [start] }: YamlError, source: Source): Fault {
  const line = source.line(start);
  return {
    code: 'yaml-tab',
    start,
    end: start + (/^\t+/.exec(source.text.slice(start, start + 40))?.[0].length ?? 1),
    message: 'A tab indents this line; YAML allows only spaces',
    note: corrected([line.replace(/^[\t ]+/, (indent) => indent.replaceAll('\t', '  '))]),
  };
}

/** `docker: image: x`, `echo>: note: this`, `echo>: ${a ? b : c}`. */
function twoColons({ pos: [start] }: YamlError, source: Source): Fault | undefined {
  const parts = /^(\s*(?:- )*)([^\s:][^:]*):\s+(.*?)\s*$/.exec(source.line(start));
  const [, indent = '', outer = '', rest = ''] = parts ?? [];
  const inner = /^([\w.+-]+>?):(?:\s+(.*))?$/.exec(rest);
  if (!parts) return undefined;
  if (inner && !outer.endsWith('>') && outer !== inner[1]) {
    const [, key = '', value = ''] = inner;
    return {
      start,
      end: start + key.length + 1,
      message: `\`${key}:\` begins a mapping on the line of \`${outer}:\`; it must be on its own line, indented`,
      note: corrected([`${indent}${outer}:`, `${indent.replaceAll('-', ' ')}  ${key}: ${value}`]),
    };
  }
  const colon = rest.search(/:(?:\s|$)/);
  if (colon < 0) return undefined;
  return {
    start: start + colon,
    end: start + colon + 1,
    message: 'A colon and a space inside a value make YAML take it for a key',
    note: quoted(indent, outer, rest),
  };
}

/** A line that continues the value above it but holds a colon; or lines under `|` that are not indented. */
function keyOverLines({ pos: [start, end] }: YamlError, source: Source): Fault | undefined {
  const first = source.line(start);
  const bar = /^(\s*)(\S.*?):\s+[|>][-+0-9]*\s*$/.exec(source.lineBefore(start));
  if (bar && indentOf(first) <= (bar[1] ?? '').length) return notUnderBar(start, bar[2] ?? '', bar[1] ?? '', source);
  const line = source.line(end);
  const at = source.lineStart(end) + indentOf(line);
  if (at <= start) return undefined;
  return underScalar(at, source);
}

function badIndent({ pos: [start] }: YamlError, source: Source): Fault | undefined {
  // Blank lines before it are no fault.
  const at = start + (/^(?:[ \t]*\r?\n)*/.exec(source.text.slice(start))?.[0].length ?? 0);
  const line = source.line(at);
  return underScalar(source.lineStart(at) + indentOf(line), source);
}

/** A line deeper than the one above it, which already has a value; or in a column where nothing begins. */
function underScalar(at: number, source: Source): Fault {
  const line = source.line(at);
  const indent = indentOf(line);
  const key = /^\s*(?:- )?([^\s:][^:]*:)/.exec(line)?.[1] ?? line.trim().slice(0, 30);
  const end = at + key.length;
  const above = source.keyAbove(at, indent);
  if (above && above.indent < indent) {
    return {
      start: at,
      end,
      message: `\`${key}\` is indented below \`${above.key}\`, which already has a value`,
      note: corrected([above.line, ...source.block(at, above.indent)]),
    };
  }
  const columns = source.columnsAbove(at);
  const column = columns.find((one) => one < indent) ?? columns[0] ?? 0;
  return {
    start: at,
    end,
    message: `\`${key}\` is in column ${indent + 1}, where no key above it begins`,
    note: corrected(
      source.block(at, columns.includes(indent + 1) ? indent + 1 : nearestColumn(columns, indent, column)),
    ),
  };
}

function nearestColumn(columns: readonly number[], indent: number, fallback: number): number {
  return columns.reduce((best, one) => (Math.abs(one - indent) < Math.abs(best - indent) ? one : best), fallback);
}

function notUnderBar(start: number, key: string, indent: string, source: Source): Fault {
  const line = source.line(start);
  return {
    start,
    end: start + line.trim().length,
    message: `The text of \`${key}: |\` must be indented below it`,
    note: corrected([`${indent}${key}: |`, `${indent}  ${line.trim()}`]),
  };
}

/** A `[` or `{` that is still open where a new key begins. */
function openBracket({ pos: [at], message }: YamlError, source: Source): Fault {
  const close = message.includes('end with a ]') ? ']' : '}';
  const open = close === ']' ? '[' : '{';
  let depth = 1;
  let start = at - 1;
  for (; start >= 0; start--) {
    const char = source.text[start];
    if (char === close) depth++;
    if (char === open && --depth === 0) break;
  }
  start = Math.max(start, 0);
  const line = source.line(start);
  const unclosed = line.replace(/\s+$/, '');
  return {
    start,
    end: start + 1,
    message: `This \`${open}\` is not closed: a \`${close}\` is missing`,
    note:
      source.lineStart(start) === source.lineStart(Math.max(at - 1, 0)) || source.lineBefore(at) === line
        ? corrected([unclosed + close])
        : undefined,
  };
}

/** The parser notices a missing quote at the end of the file; it was opened on the first line with an odd number of them. */
function openQuote({ pos: [at], message }: YamlError, source: Source): Fault {
  const quote = message.includes("'") ? "'" : '"';
  const before = source.text.slice(0, at);
  let offset = 0;
  for (const line of before.split('\n')) {
    const opened = new RegExp(`(?:^|[:\\-,[{]\\s+|[[{])${quote}`).exec(line);
    const count = line.replaceAll(`\\${quote}`, '').split(quote).length - 1;
    if (opened && count % 2 === 1 && !/^\s*#/.test(line)) {
      const start = offset + opened.index + opened[0].length - 1;
      return {
        start,
        end: offset + line.length,
        message: `The text that begins with ${quote} here never ends`,
        note: `Close it with ${quote}.`,
      };
    }
    offset += line.length + 1;
  }
  return { start: at, end: at + 1, message: `A closing ${quote} is missing before this place` };
}

function noColon({ pos: [start, end] }: YamlError, source: Source): Fault {
  const key = source.text.slice(start, end).split('\n')[0] ?? '';
  const indent = ' '.repeat(indentOf(source.line(start)));
  const bar = /^(\s*)(\S.*?):\s+[|>][-+0-9]*\s*$/.exec(source.lineBefore(start));
  if (bar && indent.length <= (bar[1] ?? '').length) return notUnderBar(start, bar[2] ?? '', bar[1] ?? '', source);
  const fixed = missingColon(key);
  return {
    start,
    end: start + key.length,
    message: fixed
      ? `\`${key}\`: ${fixed.what}`
      : `\`${key.slice(0, 60)}\` is neither a key nor part of the value above it`,
    note: fixed
      ? corrected([indent + fixed.line])
      : 'A key ends with a colon and a space. If this is text, put it after its key or under `|`.',
  };
}

/** `sh>:ls` and `sh> ls`, as they should be written. */
export function missingColon(text: string): { what: string; line: string } | undefined {
  const glued = /^([+_]?[\w.-]+>?):(?=\S)(?!\/\/)(.*)$/.exec(text);
  if (glued) return { what: 'a space is missing after the colon', line: `${glued[1]}: ${glued[2]}` };
  const bare = /^([a-z_][\w]*>)\s+(.+)$/.exec(text);
  if (bare) return { what: `a colon is missing after ${bare[1]}`, line: `${bare[1]}: ${bare[2]}` };
  return undefined;
}

/** `subject: [x] news`. */
function textAfterList(at: number, source: Source): Fault | undefined {
  const line = source.line(at);
  const [, indent = '', key = '', value = '', list = ''] =
    /^(\s*(?:- )*)([^\s:][^:]*):\s+((\[[^\]]*\]|\{.*\})\s*[^\s#,\]}].*?)\s*$/.exec(line) ?? [];
  if (key === '') return undefined;
  const start = source.lineStart(at) + line.indexOf(value);
  const what = list.startsWith('[') ? 'a list' : 'a mapping';
  return {
    start,
    end: start + list.length,
    message: `A value that begins with ${list[0]} is ${what}: no text may follow it`,
    note: quoted(indent, key, value),
  };
}

/** `{a: ${x}}`: braces are YAML's own there. */
function bareExpression(at: number, source: Source): Fault | undefined {
  if (source.text.slice(at - 1, at + 1) !== '${') return undefined;
  const line = source.line(at);
  const expression = /^\$\{[^{}]*\}/.exec(source.text.slice(at - 1, at + 200))?.[0];
  return {
    start: at - 1,
    end: at - 1 + (expression?.length ?? 2),
    message: 'Between { } or [ ] an expression must be in quotes',
    note:
      expression &&
      corrected([line.replace(expression, expression.includes('"') ? `'${expression}'` : `"${expression}"`)]),
  };
}

/** `echo>: "a" b`, `echo>: 'it's'`, `sh>: | echo`. */
function afterEnd({ pos: [start, end] }: YamlError, source: Source): Fault | undefined {
  const bare = bareExpression(start, source);
  if (bare) return bare;
  const line = source.line(start);
  const [, indent = '', key = '', rest = ''] = /^(\s*)([^\s:][^:]*):\s+(.*?)\s*$/.exec(line) ?? [];
  if (/^[|>]/.test(rest)) {
    return {
      start,
      end,
      message: `Text cannot follow \`${rest[0]}\` on its line`,
      note: corrected([`${indent}${key}: ${rest[0]}`, `${indent}  ${rest.slice(1).trim()}`]),
    };
  }
  if (/^["']/.test(rest)) {
    const quote = rest[0];
    const whole = rest.endsWith(quote ?? '') && rest.length > 1 ? rest.slice(1, -1) : rest;
    return {
      start,
      end,
      message: `The text of \`${key}\` ended with the ${quote} before this place`,
      note: quoted(indent, key, whole),
    };
  }
  return undefined;
}

/** A value that begins with a character YAML keeps for itself. */
function reserved({ pos: [start, end] }: YamlError, source: Source): Fault | undefined {
  const line = source.line(start);
  const [, indent = '', key = '', rest = ''] = /^(\s*(?:- )*)([^\s:][^:]*):\s+(.*?)\s*$/.exec(line) ?? [];
  return {
    start,
    end,
    message: `A value cannot begin with ${source.text[start]} unless it is in quotes`,
    note: key ? quoted(indent, key, rest) : undefined,
  };
}

/** Characters of an input method that look like those of YAML. */
function wideCharacter(at: number, source: Source): Fault | undefined {
  const line = source.line(at);
  const found = wideIn(line);
  if (!found) return undefined;
  const start = source.lineStart(at) + found.index;
  return { start, end: start + 1, message: found.message, note: corrected([found.line]) };
}

const WIDE: { readonly [char: string]: readonly [string, string] } = {
  '：': [':', 'full-width colon'],
  '＞': ['>', 'full-width >'],
  '＋': ['+', 'full-width plus'],
  '\u3000': [' ', 'full-width space'],
  '\u00a0': [' ', 'no-break space'],
};

/** A look-alike before the value of a line, or undefined. */
export function wideIn(line: string): { index: number; message: string; line: string } | undefined {
  const match = /^([^:"'#]*?)([：＞＋\u3000\u00a0])/.exec(line);
  const [plain, name] = WIDE[match?.[2] ?? ''] ?? [];
  if (!match || plain === undefined) return undefined;
  const fixed = line
    .replace(/[：＞＋\u3000\u00a0]/g, (char) => WIDE[char]?.[0] ?? char)
    .replace(/^(\s*[^\s:]+):(?=\S)/, '$1: ');
  return {
    index: (match[1] ?? '').length,
    message: `This is a ${name}, which YAML does not read as ${plain === ' ' ? 'a space' : plain}`,
    line: fixed,
  };
}

/** `key: "text"`, in the quotes that need no escapes. */
function quoted(indent: string, key: string, text: string): string {
  const body = /["\\]/.test(text) ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
  return corrected([`${indent}${key}: ${body}`]);
}

/** The lines as they should be, one below the other, as in a note. */
export function corrected(lines: readonly string[]): string {
  return `Write:\n${lines.map((line) => (line.length > 100 ? `${line.slice(0, 99)}…` : line)).join('\n')}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
