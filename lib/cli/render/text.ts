/** Widths of text in a terminal, and quoting. */
import { ESCAPES } from '../../events/text.ts';
import { charWidth } from './diagnostics.ts';

export function textWidth(text: string): number {
  let width = 0;
  for (const char of text.replace(ESCAPES, '')) width += charWidth(char);
  return width;
}

/** Cuts plain text (no escape sequences) to so many columns, with an ellipsis. */
export function truncate(text: string, columns: number, ellipsis = '…'): string {
  if (textWidth(text) <= columns) return text;
  let width = textWidth(ellipsis);
  if (columns < width) return '';
  let kept = '';
  for (const char of text) {
    width += charWidth(char);
    if (width > columns) break;
    kept += char;
  }
  return kept + ellipsis;
}

/** Cuts plain text to so many columns in its middle: names often differ in how they end. */
export function truncateMiddle(text: string, columns: number, ellipsis = '…'): string {
  if (textWidth(text) <= columns) return text;
  const room = columns - textWidth(ellipsis);
  if (room < 2) return truncate(text, columns, ellipsis);
  const head = truncate(text, Math.ceil(room / 2), '');
  let tail = '';
  let width = 0;
  for (const char of [...text].reverse()) {
    width += charWidth(char);
    if (width > Math.floor(room / 2)) break;
    tail = char + tail;
  }
  return head + ellipsis + tail;
}

/** A word as a POSIX shell reads it back. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
