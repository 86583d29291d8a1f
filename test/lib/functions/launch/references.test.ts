import { expect, it } from 'vitest';
import type { Layer } from '../../../../lib/contract/payload.ts';
import { resolveMentioned } from '../../../../lib/functions/launch/references.ts';
import type { Value } from '../../../../lib/language/workflow.ts';

const ref = (name: string, kind = 'json', bytes = 20_000) => ({ 'trowel:ref': name, kind, bytes });
const FILES: { readonly [name: string]: Value } = {
  rows: [1, 2],
  a: { x: 1, y: { z: 1 } },
  b: { y: { w: ref('rows') } },
  layer: { 'trowel:map': [ref('a'), ref('b')], own: 3 },
};
const values = { read: async (reference: { readonly 'trowel:ref': string }) => FILES[reference['trowel:ref']] ?? null };
const file = ref('f', 'file');

it.each<[string, Layer[], object, Layer[]]>([
  [
    'reads what a template names, and only that',
    [{ rows: ref('rows'), other: ref('rows'), deep: { rows: ref('rows') } }, [{ e: '${deep.rows}' }]],
    { 'echo>': '${rows}' },
    [{ rows: [1, 2], other: ref('rows'), deep: { rows: [1, 2] } }, [{ e: '${deep.rows}' }]],
  ],
  ['leaves what is no JSON as it is', [{ file }], { 'echo>': '${file}' }, [{ file }]],
  [
    'leaves what is too large',
    [{ big: ref('rows', 'json', 1e9) }],
    { 'echo>': '${big}' },
    [{ big: ref('rows', 'json', 1e9) }],
  ],
  [
    'merges the parts of a mapping',
    [{ m: { 'trowel:map': [ref('a'), ref('b')], x: 2 } }],
    { 'echo>': '${m}' },
    [{ m: { x: 2, y: { z: 1, w: [1, 2] } } }],
  ],
  [
    'opens a layer whatever is named, one level of it',
    [{ 'trowel:map': [ref('layer')], file }],
    { 'echo>': '${x}' },
    [{ x: 1, y: { z: 1, w: ref('rows') }, own: 3, file }],
  ],
  ['reads for items of a loop, too', [[{ item: ref('rows') }, 0]], { 'echo>': '${item}' }, [[{ item: [1, 2] }, 0]]],
])('%s', async (_, layers, keys, expected) => {
  expect(await resolveMentioned(layers, keys as { [key: string]: Value }, values)).toEqual(expected);
});

it('does not copy layers without references', async () => {
  const layers: Layer[] = [{ a: 1 }];
  expect(await resolveMentioned(layers, { 'echo>': '${a}' }, values)).toBe(layers);
});
