import { charWidth } from '../../../lib/cli/render/diagnostics.ts';

/** What a terminal of so many columns would show after this text: enough of ECMA-48 for what lib/cli writes. */
export function screen(text: string, columns = 80): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  const put = (char: string) => {
    if (column + charWidth(char) > columns) newLine();
    const line = (lines[row] ?? '').padEnd(column);
    lines[row] = line.slice(0, column) + char + line.slice(column + 1);
    column += 1;
  };
  const newLine = () => {
    row++;
    column = 0;
    if (lines[row] === undefined) lines[row] = '';
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal reads them
  for (const [token, sequence] of text.matchAll(/\u001b\[([?0-9;]*[A-Za-z])|./gsu)) {
    if (sequence !== undefined) {
      const amount = Number.parseInt(sequence, 10);
      if (sequence.endsWith('A')) row = Math.max(0, row - amount);
      if (sequence === '0J') {
        lines[row] = (lines[row] ?? '').slice(0, column);
        lines.length = row + 1;
      }
    } else if (token === '\n') newLine();
    else if (token === '\r') column = 0;
    else put(token);
  }
  while (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.trimEnd());
}
