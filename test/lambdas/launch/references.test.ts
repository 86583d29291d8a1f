import { expect, it } from 'vitest';
import { resolveMentioned } from '../../../lambdas/launch/references.ts';
import type { Layer } from '../../../lib/expression/wire.ts';

const big = { 'trowel:ref': 'file:///v/1', kind: 'json', bytes: 20_000, sha256: 'a' };
const file = { 'trowel:ref': 'file:///v/2', kind: 'file', bytes: 1, sha256: 'b' };
const read = async (reference: { readonly kind: string }) => (reference.kind === 'json' ? [1, 2] : undefined);

it('reads what a template names, and only that', async () => {
  const layers: Layer[] = [{ rows: big, other: big, deep: { rows: big } }, [{ e: '${deep.rows}' }]];
  expect(await resolveMentioned(layers, { 'echo>': '${rows}' }, read)).toEqual([
    { rows: [1, 2], other: big, deep: { rows: [1, 2] } },
    [{ e: '${deep.rows}' }],
  ]);
});

it('leaves what is no JSON as it is', async () => {
  expect(await resolveMentioned([{ file }], { 'echo>': '${file}' }, read)).toEqual([{ file }]);
});

it('does not copy layers without references', async () => {
  const layers: Layer[] = [{ a: 1 }];
  expect(await resolveMentioned(layers, { 'echo>': '${a}' }, read)).toBe(layers);
});
