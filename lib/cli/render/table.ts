import type { Colors } from '../terminal.ts';
import { textWidth } from './text.ts';

/** Columns as wide as their widest cell, two spaces between them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], colors: Colors): string {
  const widths = head.map((title, i) => Math.max(...[title, ...rows.map((row) => row[i] ?? '')].map(textWidth)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - textWidth(cell))))
      .join('  ')
      .trimEnd();
  return `${[colors.dim(line(head)), ...rows.map(line)].join('\n')}\n`;
}
