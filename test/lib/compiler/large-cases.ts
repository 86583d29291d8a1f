import { expect } from 'vitest';
import { LIMITS } from '../../../lib/asl/limits.ts';
import { lintMachine } from '../../../lib/asl/lint.ts';
import { definitionText } from '../../../lib/compiler/definition-text.ts';
import { compiledText, playCompiled } from './play.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Tasks `+t0`…, some of which store, and one that looks at the end. */
function tasks(count: number): string {
  const stores = (index: number): boolean => index % 500 === 0 || index === count - 1;
  return numbers(count)
    .map(
      (index) =>
        `  +t${index}: {py>: t.store, data: ${stores(index) ? `{k${index}: ${index}, last: ${index}}` : '{}'}}\n`,
    )
    .join('');
}

const ITEMS = JSON.stringify(numbers(20_000));
const BODY = '_do: {py>: t.store, data: {last: "${ID}"}}';

/** Workflows that no single machine can hold. */
export interface LargeCase {
  readonly name: string;
  readonly dig: string;
  readonly others?: { readonly [file: string]: string };
  /** Tasks that run. */
  readonly runs: number;
  /** What the last task sees. */
  readonly sees: string;
  /** Not among the quick tests. */
  readonly slow?: true;
}

export const LARGE: readonly LargeCase[] = [
  {
    name: '3,000 tasks in sequence',
    dig: `+g:\n${tasks(3000)}+see: {py>: t.see, show: [last, k0, k1500]}`,
    runs: 3001,
    sees: 'last=2999 k0=0 k1500=1500',
  },
  {
    name: '3,000 tasks in parallel',
    dig: `+g:\n  _parallel: true\n${tasks(3000)}+see: {py>: t.see, show: [last, k0, k1500]}`,
    runs: 3001,
    sees: 'last=2999 k0=0 k1500=1500',
    slow: true,
  },
  {
    name: '3,000 tasks, seven at a time, in a group that is tried again',
    dig: `
+g:
  _parallel: {limit: 7}
  _retry: 1
${tasks(2999)}  +f: {py>: t.flaky, fails: 1}
+see: {py>: t.see, show: [last, k0, k1500]}`,
    runs: 6001,
    sees: 'last=2998 k0=0 k1500=1500',
    slow: true,
  },
  ...['', '_parallel: true', '_parallel: {limit: 1000}', '_parallel: {limit: 5000}', '_parallel: "${how}"'].map(
    (how) => ({
      name: `a loop of 20,000 rounds, ${how || 'in sequence'}`,
      dig: `
_export: {how: "true"}
+l:
  loop>: 20000
  ${how}
  ${BODY.replace('ID', 'i')}
+see: {py>: t.see, show: [last]}`,
      runs: 20_001,
      sees: 'last=19999',
      slow: true as const,
    }),
  ),
  ...['', '_parallel: true', '_parallel: {limit: 900}'].map((how) => ({
    name: `for_each> over 20,000 written items, ${how || 'in sequence'}`,
    dig: `
+l:
  for_each>: {id: ${ITEMS}}
  ${how}
  ${BODY.replace('ID', 'id')}
+see: {py>: t.see, show: [last]}`,
    runs: 20_001,
    sees: 'last=19999',
    slow: true as const,
  })),
  {
    name: 'for_range> of 20,000 steps in parallel',
    dig: `
+l:
  for_range>: {from: -10, to: 199985, step: 10}
  _parallel: true
  ${BODY.replace('ID', 'range.index}:${range.from}-${range.to')}
+see: {py>: t.see, show: [last]}`,
    runs: 20_001,
    sees: 'last=19999:199980-199985',
    slow: true,
  },
  ...['', '_parallel: true', '_parallel: {limit: 70}', '_parallel: "${how}"'].map((how) => ({
    name: `a loop whose 5,000 rounds only the run tells, ${how || 'in sequence'}`,
    dig: `
_export: {how: "true"}
+count: {py>: t.store, data: {rounds: 5000}}
+l:
  loop>: \${rounds}
  ${how}
  ${BODY.replace('ID', 'i')}
+see: {py>: t.see, show: [last]}`,
    runs: 5002,
    sees: 'last=4999',
    slow: true as const,
  })),
  ...['', '_parallel: true'].map((how) => ({
    name: `for_each> over a list of 2,500 that a task made, ${how || 'in sequence'}`,
    dig: `
+count: {py>: t.store, data: {ids: ${JSON.stringify(numbers(2500))}}}
+l:
  for_each>: {id: "\${ids}"}
  ${how}
  ${BODY.replace('ID', 'id')}
+see: {py>: t.see, show: [last]}`,
    runs: 2502,
    sees: 'last=2499',
    ...(how === '_parallel: true' ? {} : { slow: true as const }),
  })),
  {
    name: 'a loop in a loop, of 100 rounds each, as only the run tells',
    dig: `
+count: {py>: t.store, data: {rounds: 100}}
+l:
  loop>: \${rounds}
  _do:
    +inner:
      loop>: \${rounds}
      _do: {py>: t.store, data: {last: "\${i}"}}
    +store: {py>: t.store, data: {outer: "\${i}"}}
+see: {py>: t.see, show: [last, outer]}`,
    runs: 10_102,
    sees: 'last=99 outer=99',
    slow: true,
  },
  {
    name: '100 calls of a file of 100 tasks',
    dig: `${numbers(100)
      .map((index) => `+c${index}: {call>: part, _export: {from: c${index}}}\n`)
      .join('')}+see: {py>: t.see, show: [last, by]}`,
    others: {
      'part.dig': `+g:\n${tasks(99)}+by: {py>: t.store, data: {by: "\${from}"}}`,
    },
    runs: 10_001,
    sees: 'last=98 by=c99',
    slow: true,
  },
];

/** Every machine within the limits, and the result right: the engine enforces those of history, payload and variables. */
export async function staysWithinLimits({ dig, others, runs, sees }: LargeCase): Promise<void> {
  const compiled = compiledText(dig, others);
  for (const machine of [compiled.machine, ...Object.values(compiled.nested)]) {
    expect(lintMachine(machine)).toEqual([]);
    expect(Buffer.byteLength(definitionText(machine))).toBeLessThanOrEqual(LIMITS.definitionBytes);
  }
  const played = await playCompiled(compiled, {});
  expect(played.outcome).toMatchObject({ status: 'SUCCEEDED' });
  expect(played.seen.length).toBe(runs);
  expect(played.seen.at(-1)).toBe(`+main+see ${sees}`);
  // Of a container task's 6 events play has 5: it answers a token before TaskSubmitted.
  expect(played.longest).toBeLessThanOrEqual((LIMITS.historyEvents * 5) / 6);
}
