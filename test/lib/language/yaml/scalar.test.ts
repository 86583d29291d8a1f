import { describe, expect, test } from 'vitest';
import { asBoolean, asInteger, typedScalar } from '../../../../lib/language/yaml/scalar.ts';

/** YamlTagResolver's patterns, and SnakeYAML's reading of what they match. */
const TYPED: [string, unknown][] = [
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['TRUE', 'TRUE'],
  ['yes', 'yes'],
  ['No', 'No'],
  ['on', 'on'],
  ['off', 'off'],
  ['', null],
  ['~', null],
  ['null', null],
  ['Null', null],
  ['NULL', null],
  ['nil', 'nil'],
  ['0', 0],
  ['-0', 0],
  ['+7', 7],
  ['-7', -7],
  ['3_500', 3500],
  ['017', 15],
  ['-017', -15],
  ['0_7', 7],
  ['08', '08'],
  ['0o17', '0o17'],
  ['0x2A', 42],
  ['-0x2a', -42],
  ['0b1101', 13],
  ['0b_', '0b_'],
  ['0x', '0x'],
  ['_1', '_1'],
  ['1__', 1],
  ['10:00:00', '10:00:00'],
  ['1:30.5', '1:30.5'],
  ['2030-01-01', '2030-01-01'],
  ['2030-01-01 00:00:00', '2030-01-01 00:00:00'],
  ['0.5', '0.5'],
  ['-0.5', '-0.5'],
  ['.5', 0.5],
  ['-.5', -0.5],
  ['1.5', 1.5],
  ['1.', 1],
  ['1e3', 1000],
  ['1_0.5e-1', 1.05],
  ['0e0', '0e0'],
  ['.', '.'],
  ['.inf', 'Infinity'],
  ['-.INF', '-Infinity'],
  ['.nan', 'NaN'],
  ['9007199254740991', 9007199254740991],
  ['9007199254740993', 9007199254740993n],
  ['-9007199254740993', -9007199254740993n],
  ['hello', 'hello'],
  ['1.2.3', '1.2.3'],
  ['12px', '12px'],
  ['<<', '<<'],
];

test.each(TYPED)('a plain scalar %j is %o', (text, value) => {
  expect(typedScalar(text)).toBe(value);
});

describe('coercions', () => {
  test.each([
    [2, 2],
    ['2', 2],
    [' -3 ', -3],
    [1.5, undefined],
    ['x', undefined],
    ['', undefined],
    [true, undefined],
    ['99999999999999999999', undefined],
  ])('%j as an integer is %o', (value, expected) => expect(asInteger(value)).toBe(expected));

  test.each([
    [true, true],
    ['true', true],
    ['false', false],
    ['True', undefined],
    [1, undefined],
    ['', undefined],
  ])('%j as a Boolean is %o', (value, expected) => expect(asBoolean(value)).toBe(expected));

  test('if> takes the empty text for false', () => expect(asBoolean('', true)).toBe(false));
});
