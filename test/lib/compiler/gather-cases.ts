/** Workflows of which so many tasks store, or fail, that a state does not hold even the references. */
import { expect } from 'vitest';
import { compiledText, playCompiled } from './play.ts';

/** Bytes: what a state is to keep below, that of the service's 262,144 enough is left. */
const HEADROOM = 192 * 1024;

export interface GatherCase {
  readonly name: string;
  /** What tasks of it store is `results.nN`, in this order. */
  readonly count: number;
  readonly dig: string;
  /** Not among the quick tests. */
  readonly slow?: true;
}

/** A task that stores `size` characters under a name that ends with the value of an expression. */
function fill(name: string, size: number): string {
  return `{py>: t.fill, seed: x, path: [results, "n\${${name}}"], size: ${size}}`;
}

function group(count: number, how: string): string {
  const tasks = Array.from({ length: count }, (_, index) => `  +t${index}: ${fill(String(index), 3000)}`);
  return `_parallel: ${how}\n${tasks.join('\n')}`;
}

export const GATHERED: readonly GatherCase[] = [
  { name: 'a group of 450', count: 450, dig: group(450, 'true') },
  { name: 'a group of 450, 300 at a time', count: 450, dig: group(450, '{limit: 300}'), slow: true },
  ...[
    ['450', 'true'],
    ['450', '{limit: 300}'],
    ['450', '{limit: 70}'],
    ['${rounds}', 'true'],
  ].map(([rounds, how]) => ({
    name: `a loop of ${rounds}, _parallel: ${how}`,
    count: 450,
    ...(how?.startsWith('{') ? { slow: true as const } : {}),
    dig: `loop>: ${rounds}\n  _parallel: ${how}\n  _do: ${fill('i', 3000)}`,
  })),
  {
    name: 'a loop of 10,000 at once',
    count: 10_000,
    dig: `loop>: 10000\n  _parallel: true\n  _do: ${fill('i', 3000)}`,
    slow: true,
  },
  {
    name: '1,000 small groups, one after the other',
    count: 2000,
    dig: `loop>: 1000\n  _do:\n    _parallel: true\n    +a: ${fill('2*i', 300)}\n    +b: ${fill('2*i+1', 300)}`,
    slow: true,
  },
];

export async function gathers({ dig, count }: GatherCase): Promise<void> {
  const compiled = compiledText(`_export: {rounds: 450}\n+l:\n  ${dig}\n+see: {py>: t.see, show: [results]}`);
  const played = await playCompiled(compiled, {}, true);
  expect(played.outcome).toMatchObject({ status: 'SUCCEEDED' });
  const [, text = ''] = /^\+main\+see results=(.*)$/.exec(played.seen.at(-1) ?? '') ?? [];
  const results = JSON.parse(text) as { readonly [name: string]: string };
  expect(Object.keys(results)).toEqual(Array.from({ length: count }, (_, index) => `n${index}`));
  expect(played.largest).toBeLessThan(HEADROOM);
}
