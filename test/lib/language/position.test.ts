import { expect, test } from 'vitest';
import { positionOf } from '../../../lib/language/position.ts';

test('positions', () => {
  expect(positionOf('ab\ncd\n', 0)).toEqual({ line: 1, column: 1 });
  expect(positionOf('ab\ncd\n', 2)).toEqual({ line: 1, column: 3 });
  expect(positionOf('ab\ncd\n', 3)).toEqual({ line: 2, column: 1 });
  expect(positionOf('ab\ncd\n', 6)).toEqual({ line: 3, column: 1 });
});
