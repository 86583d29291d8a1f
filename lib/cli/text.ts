/** Small pieces of text that every rendering shares: durations, widths, cleaning, quoting. */
import { plainMessage } from '../expression/failure.ts';
import { charWidth } from './render-diagnostics.ts';
/** `0.04 s`, `12.3 s`, `4 min 07 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** For a clock that ticks: `3 s`, `4:07`, `1:02:03`. */
export function elapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** ECMA-48: CSI …, OSC … to its end, others of two characters. Node's stripVTControlCharacters takes text away with them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-~])/g;
/** C0, delete, C1; not tab and line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text of others (an error's message, a name) without what could move the cursor or recolour the terminal. */
export function clean(text: string): string {
  return text.replace(ESCAPES, '').replace(/\r\n?/g, '\n').replace(CONTROLS, '');
}

export function firstLine(text: string): string {
  const line = clean(text)
    .split('\n')
    .find((each) => each.trim() !== '');
  return line?.trim() ?? '';
}

/** What an error says, in one line. */
export function headline(message: string): string {
  return firstLine(plainMessage(message));
}

export function indent(text: string, by: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : by + line))
    .join('\n');
}

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
