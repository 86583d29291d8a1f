/** A report as the text of a mail. */
import { cut, seen } from '../../expression/mask.ts';
import { lastLines } from './blocks.ts';
import type { Report } from './report.ts';

/** Lines of a traceback. */
const LINES = 60;
/** Characters; SNS takes 256 KiB of bytes. */
const LONGEST = 60_000;

export function plainText(given: Report): string {
  const report = seen.maskAll(given);
  const { title, text, error, retry, links } = report;
  const width = Math.max(0, ...report.fields.map(([name]) => name.length)) + 2;
  const parts = [
    title,
    text,
    report.fields.map(([name, value]) => `${`${name}:`.padEnd(width)}${value}`).join('\n'),
    error,
    lastLines(report.traceback ?? '', LINES),
    links.map(({ title: name, url }) => `${name}: ${url}`).join('\n'),
    retry === undefined ? undefined : `Run it again from where it failed:\n  ${retry}`,
  ];
  return cut(parts.filter((part) => part !== undefined && part !== '').join('\n\n'), LONGEST);
}

/** SNS takes fewer than 100 characters of ASCII, no control characters. */
export function subjectLine(text: string): string {
  return seen
    .mask(text)
    .replace(/[^\x20-\x7e]+/g, '?')
    .trim()
    .slice(0, 99);
}
