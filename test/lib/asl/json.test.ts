import { expect, test } from 'vitest';
import { isMapping } from '../../../lib/asl/json.ts';

test.each([
  [{}, true],
  [{ a: 1 }, true],
  [{ 'trowel:ref': 'x' }, true],
  [[], false],
  [null, false],
  [undefined, false],
  ['text', false],
  [1, false],
])('%j has keys: %s', (value, expected) => {
  expect(isMapping(value)).toBe(expected);
});
