import { describe, expect, it } from 'vitest';
import { decode, encode, exactText, holdsPrefix, parseExact } from '../../../lib/language/value-form.ts';
import type { Value } from '../../../lib/language/workflow.ts';

const SHA = 'a'.repeat(64);

describe('JSON text that data brings', () => {
  it.each([
    [`{"trowel:ref": "${SHA}", "kind": "bytes", "bytes": 1}`],
    [`{"tr\\u006fwel:ref": "${SHA}", "kind": "bytes", "bytes": 1}`],
    [`[{"a": {"\\u0074rowel:map": [{"trowel\\u003aref": "${SHA}"}]}}]`],
    [`{"trowel:leaf" : "int", "text": "1"}`],
    [`{"a": "x\\", {\\"trowel:ref\\": 1", "trowel::ref": 2, "trowel:": {"trowel:ref": "${SHA}"}}`],
    [`{"n": 12345678901234567890, "\\u0074rowel:ref": "${SHA}"}`],
  ])('has no mark: %s', (text) => {
    const value = parseExact(text);
    expect(JSON.stringify(value)).not.toMatch(/"trowel:(?:ref|map)"/);
    expect(decode(value)).toEqual(JSON.parse(text));
    expect(JSON.parse(exactText(value))).toEqual(JSON.parse(text));
  });
});

it('data of any keys arrives as it was', () => {
  const data: Value = { 'trowel:ref': SHA, 'trowel::map': [{ 'trowel:leaf': 'int', text: '1' }], __proto__x: null };
  expect(decode(encode(data))).toEqual(data);
  expect(holdsPrefix(data)).toBe(true);
});
