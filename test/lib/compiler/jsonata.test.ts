import fc from 'fast-check';
import jsonata from 'jsonata';
import { expect, it } from 'vitest';
import { asData, merge, mergeList } from '../../../lib/compiler/jsonata.ts';
import { merged } from '../../../lib/contract/stores.ts';
import { encode, LEAF, MAP, REF } from '../../../lib/language/value-form.ts';
import type { Mapping, Value } from '../../../lib/language/workflow.ts';

const reference = fc.constantFrom('x', 'y').map((name): Mapping => ({ [REF]: name, kind: 'json', bytes: 1 }));
const { mapping } = fc.letrec<{ value: Value; mapping: Mapping }>((tie) => ({
  mapping: fc.oneof(
    { depthSize: 'small' },
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
    fc
      .tuple(fc.array(reference, { minLength: 1, maxLength: 2 }), fc.dictionary(fc.constantFrom('a', 'b'), fc.nat(9)))
      .map(([parts, own]): Mapping => ({ [MAP]: parts, ...own })),
  ),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.nat(9),
    fc.constant<Value>([1, [2]]),
    reference,
    fc.constant<Value>({ [LEAF]: 'int', text: '1' }),
    tie('mapping'),
  ),
}));

it('merges in a state as in the functions and the runner', async () => {
  const expression = jsonata(merge(['$v0', '$v1', '$v2']));
  const list = jsonata(mergeList(['$v0'], '$rest'));
  await fc.assert(
    fc.asyncProperty(mapping, mapping, mapping, async (v0, v1, v2) => {
      const expected = [v0, v1, v2].reduce(merged);
      for (const made of [
        await expression.evaluate({}, { v0, v1, v2 }),
        await list.evaluate({}, { v0, rest: [v1, v2] }),
      ]) {
        expect(JSON.parse(JSON.stringify(made))).toEqual(expected);
      }
    }),
    { numRuns: 150 },
  );
});

it.each<[Value]>([
  [{ a: 1 }],
  [{ 'trowel:ref': 'file:///etc/hosts', kind: 'bytes' }],
  [{ a: ['x', 'trowel:b', { 'trowel::c': { 'trowel:"\\d': 2 } }], 'k,"trowel:x":': ',"trowel:y":' }],
  ['"trowel:x":1'],
  [['trowel:x']],
])('takes an answer of a service as data: %j', async (answer) => {
  const expression = jsonata(asData('$r'));
  expression.registerFunction('parse', (text: string) => JSON.parse(text));
  expect(JSON.parse(JSON.stringify(await expression.evaluate({}, { r: answer })))).toEqual(encode(answer));
});
