import type { Span } from './diagnostic.ts';

/** Line numbers from 1; each file is read through only once. */
export function lineFinder(sources: ReadonlyMap<string, string>): (span: Span) => number {
  const starts = new Map<string, number[]>();
  return ({ file, start }) => {
    let lines = starts.get(file);
    if (lines === undefined) {
      lines = [0];
      for (const { index } of (sources.get(file) ?? '').matchAll(/\n/g)) lines.push(index + 1);
      starts.set(file, lines);
    }
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((lines[middle] ?? 0) <= start) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
