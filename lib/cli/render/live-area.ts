/**
 * The lower part of a terminal that is drawn again and again. What was drawn is taken away by rows as the window counts them *now*: after
 * the window has become narrower, a line takes more rows than when it was written.
 */
import type { Output } from '../terminal.ts';
import { textWidth } from './text.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const ERASE_DOWN = '\u001b[0J';

export interface LiveArea {
  /** Draws these lines in place of the former ones. */
  draw(lines: readonly string[]): void;
  /** Takes the area away, so that other text can be written; the next draw brings it back below. */
  erase(): void;
  /** Takes the area away and gives the cursor back; safe to call again, and from an `exit` handler. */
  close(): void;
}

export function openLiveArea(out: Output): LiveArea {
  let widths: number[] = [];
  let hidden = false;

  const eraseSequence = (): string => {
    if (widths.length === 0) return '';
    const columns = Math.max(1, out.columns);
    const rows = widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    widths = [];
    return `\r\u001b[${rows}A${ERASE_DOWN}`;
  };

  return {
    draw(lines) {
      let text = hidden ? '' : HIDE_CURSOR;
      hidden = true;
      text += eraseSequence();
      widths = lines.map(textWidth);
      void out.write(text + lines.map((line) => `${line}\n`).join(''));
    },
    erase() {
      const text = eraseSequence();
      if (text !== '') void out.write(text);
    },
    close() {
      const text = eraseSequence() + (hidden ? SHOW_CURSOR : '');
      hidden = false;
      if (text !== '') void out.write(text);
    },
  };
}
