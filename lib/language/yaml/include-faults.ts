/** Reports an `!include` that is written almost correctly. The correct form is a key, with a space before and after the colon. */
import type { Report } from '../report.ts';
import type { Source } from './source-lines.ts';

interface IncludeFault {
  readonly start: number;
  readonly end: number;
  /** As written, without quotes; empty if there is none. */
  readonly path: string;
}

/** Text that may be before it on its line: a dash, a key, a brace. */
const BEFORE = /^\s*(?:-\s+)*(?:[\w.+-]+>?:\s+)?\{?\s*$/;

export function includeFaults(source: Source): IncludeFault[] {
  const found: IncludeFault[] = [];
  let offset = 0;
  for (const line of source.text.split('\n')) {
    const match = /(?:!\s?include|(["'])!include\1)\s*:?\s*(?:"([^"]*)"|'([^']*)'|([^\s"'{}#]*))/i.exec(line);
    const before = line.slice(0, match?.index ?? 0);
    const isRight = match !== null && /^!include\s+:(?:\s|$)/.test(line.slice(match.index)) && !before.includes(':');
    if (match !== null && !isRight && BEFORE.test(before)) {
      const start = offset + match.index;
      found.push({ start, end: start + match[0].trimEnd().length, path: match[2] ?? match[3] ?? match[4] ?? '' });
    }
    offset += line.length + 1;
  }
  return found;
}

/** Returns whether there was a fault. */
export function reportIncludeFaults(file: string, source: Source, report: Report): boolean {
  const found = includeFaults(source);
  for (const { start, end, path } of found) {
    report.error(
      'include-path',
      { file, start, end },
      '`!include` is not written as a key here',
      `Write \`!include : ${path || 'path/to/file.yml'}\`, on its own line, with a space before the colon.`,
    );
  }
  return found.length > 0;
}
