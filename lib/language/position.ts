export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Both from 1; a column counts UTF-16 units, as editors do. */
export function positionOf(source: string, offset: number): Position {
  let line = 1;
  let start = 0;
  for (let next = source.indexOf('\n'); next >= 0 && next < offset; next = source.indexOf('\n', start)) {
    line++;
    start = next + 1;
  }
  return { line, column: offset - start + 1 };
}
