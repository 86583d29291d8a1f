/** Covers lib/compiler/operators/loop.ts, lib/compiler/operators/loop-pages.ts. */
import { describe, expect, it } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import { THOROUGH } from '../../thorough.ts';
import { compare } from './compare.ts';

const LOOPS = [
  'loop>: "${n}"',
  'for_each>: {a: "${list}"}',
  'for_each>: {a: "${list}", b: [1, "${x}"]}',
  'for_range>: {from: 0, to: "${n}", step: 2}',
  'loop>: 25',
  'loop>: "${zero}"',
  'for_each>: {a: []}',
];
const HOW = [
  '',
  '_parallel: true',
  '_parallel: {limit: 3}',
  '_parallel: {limit: 30}',
  '_parallel: "${how}"',
  '_parallel: {limit: "${n}"}',
];
/** What a machine holds: everything, a few rounds, less than one. */
const EVENTS = [15_000, 120, 12];
const LIST = Array.from({ length: 17 }, (_, i) => (i % 3 ? `v${i}` : { k: i }));

const PAIRS = LOOPS.flatMap((loop, row) => HOW.map((how, column) => ({ loop, how, at: row + column })));
/** Each loop and each way, in the quick run with some of the others. */
const CASES = PAIRS.filter(({ at }) => THOROUGH || at % 3 === 0);

describe('a loop cut into slices, and slices of slices, sees and stores what it does in one machine', () => {
  it.each(CASES)('$loop $how', async ({ loop, how }) => {
    const main = `
_export: {zero: 0, how: ${loop.startsWith('loop')}, x: y}
+s: {py>: t.store, data: {n: 13, list: ${JSON.stringify(LIST)}}}
+l:
  ${loop}
  ${how}
  _do:
    +a: {py>: t.see}
    +b: {py>: t.store, data: {acc: "\${task_name}", m: {k: 1}}}
+see: {py>: t.see}
`;
    for (const events of EVENTS) {
      const result = await compare({ 'main.dig': main }, { budget: { events, bytes: 1e6 } });
      if (!('compiled' in result)) throw new Error(result.excluded);
      const { compiled, expected, actual } = result;
      for (const machine of [compiled.machine, ...Object.values(compiled.nested)])
        expect(lintMachine(machine)).toEqual([]);
      expect(actual).toEqual(expected);
    }
  });
});
