/** Words and numbers about a run, for the terminal, the history and the page. */
import { plainMessage } from '../contract/failure.ts';

/** ECMA-48: CSI …, OSC … to its end, others of two characters. Node's stripVTControlCharacters takes text away with them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
export const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-~])/g;
/** C0, delete, C1; not tab and line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

function two(n: number): string {
  return String(n).padStart(2, '0');
}

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

export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

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
