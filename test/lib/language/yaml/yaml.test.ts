import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../../../lib/language/diagnostic.ts';
import { Report } from '../../../../lib/language/report.ts';
import { toValue } from '../../../../lib/language/yaml/tree.ts';
import { readTree } from '../../../../lib/language/yaml/yaml.ts';
import { brief } from '../helpers.ts';

function read(text: string): { value: unknown; diagnostics: readonly Diagnostic[] } {
  const report = new Report();
  const tree = readTree('f.yml', text, report);
  return { value: tree && toValue(tree), diagnostics: report.diagnostics };
}

describe('values', () => {
  test.each<[string, string, unknown]>([
    ['quotes make text', 'a: ["12", \'true\', "~", 12]', { a: ['12', 'true', '~', 12] }],
    ['block scalars are text', 'a: |\n  12\nb: >\n  true\n', { a: '12\n', b: 'true\n' }],
    ['a time stays text', 'daily>: 07:00:00', { 'daily>': '07:00:00' }],
    ['keys that are no text', '1: a\ntrue: b\n010: c', { 1: 'a', true: 'b', 8: 'c' }],
    ['anchors and aliases', 'a: &x {b: 1}\nc: *x', { a: { b: 1 }, c: { b: 1 } }],
    ['an anchor set anew', 'a: &x 1\nb: *x\nc: &x 2\nd: *x', { a: 1, b: 1, c: 2, d: 2 }],
    ['tags that name a type', 'a: !!str 12\nb: !!int "12"\nc: !!null x', { a: '12', b: 12, c: null }],
    [
      'a number beyond 2^53',
      'a: [12345678901234567890]',
      { a: [{ 'trowel:leaf': 'int', text: '12345678901234567890' }] },
    ],
    ['a key that looks like a mark', 'trowel:ref: 1', { 'trowel::ref': 1 }],
    ['a comment alone', '# nothing\n', null],
    ['no text', '', null],
    ['a document start', '---\na: 1\n', { a: 1 }],
    ['a byte order mark', '\ufeffa: 1', { a: 1 }],
    ['CR LF', 'a: 1\r\nb:\r\n  - x\r\n', { a: 1, b: ['x'] }],
    ['JSON', '{"a": [1, {"b": null}], "c": "x"}', { a: [1, { b: null }], c: 'x' }],
    ['wide text', '挨拶: こんにちは', { 挨拶: 'こんにちは' }],
  ])('%s', (_, text, value) => {
    const { value: got, diagnostics } = read(text);
    expect(diagnostics).toEqual([]);
    expect(got).toEqual(value);
  });
});

describe('merge keys', () => {
  test.each<[string, string, unknown]>([
    ['own keys win', 'a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}', { x: 1, y: 2 }],
    ['own keys win above too', 'a: &a {x: 1, y: 1}\nb: {y: 2, <<: *a}', { y: 2, x: 1 }],
    ['the earlier of several sources wins', 'a: &a {x: 1}\nc: &c {x: 2, z: 3}\nb: {<<: [*a, *c]}', { x: 1, z: 3 }],
    ['a mapping in place', 'b: {<<: {x: 1}, y: 2}', { x: 1, y: 2 }],
    ['in quotes it is a key', 'b: {"<<": 1}', { '<<': 1 }],
  ])('%s', (_, text, value) => {
    const { value: got, diagnostics } = read(text);
    expect(diagnostics).toEqual([]);
    expect((got as { b: unknown }).b).toEqual(value);
  });

  test('merged tasks stand where the merge key stands', () => {
    const { value } = read('x: &x {+m: 1, +n: 2}\ny: {+a: 0, <<: *x, +z: 3, +n: 4}');
    expect(Object.keys((value as { y: object }).y)).toEqual(['+a', '+m', '+n', '+z']);
  });
});

describe('faults', () => {
  test.each<[string, string, string[]]>([
    ['a key written twice', '+a: 1\n+a: 2', ['error duplicate-key «+a»']],
    ['deep inside', '_export:\n  x: {a: 1, a: 2}', ['error duplicate-key «a»']],
    ['two merge keys', 'a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a', ['error duplicate-key «<<»']],
    ['a second document', 'a: 1\n---\nb: 2', ['error yaml-syntax «---»']],
    ['a second document after the end of the first', 'a: 1\n...\nb', ['error yaml-syntax «b»']],
    ['an unknown alias', 'a: *nope', ['error yaml-syntax «*nope»']],
    ['an alias of itself', 'a: &x {b: *x}', ['error yaml-syntax «*x»']],
    ['a merge of no mapping', 'a: {<<: 3}', ['error yaml-syntax «3»']],
    ['an unknown tag', 'a: !foo bar', ['error yaml-syntax «bar»']],
    ['an unknown tag of a mapping', 'a: !foo {b: 1}', ['error yaml-syntax «{b: 1}»']],
    ['!include as a value', 'a: !include x.yml', ['error include-path «!include x.yml»']],
    ['a mapping as key', '{a: 1}: 2', ['error yaml-syntax «{a: 1}»']],
    ['an empty key', ': 2', ['error yaml-syntax «»']],
    ['__proto__', 'a: {__proto__: {x: 1}}', ['error bad-value «__proto__»']],
    ['a no-break space as indentation', '+a:\n\u00a0 x: 1', ['error yaml-syntax «\u00a0 x»']],
  ])('%s', (_, text, expected) => {
    expect(brief(read(text).diagnostics, { 'f.yml': text })).toEqual(expected);
  });

  test('several at once', () => {
    const text = 'a: 1\na: 2\nb: *x\nc: {d: 1, d: 2}';
    expect(read(text).diagnostics.map(({ code }) => code)).toEqual(['duplicate-key', 'yaml-syntax', 'duplicate-key']);
  });

  test('aliases that multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    expect(read(lines.join('\n')).diagnostics.map(({ code }) => code)).toEqual(['yaml-alias-bomb']);
  });

  test.each([
    ['brackets', '['.repeat(100_000)],
    ['braces', '{a: '.repeat(100_000)],
    ['dashes', '- '.repeat(100_000)],
    ['indents', Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('nesting without end: %s', (_, text) => {
    expect(read(text).diagnostics.map(({ code }) => code)).toEqual(['limit-nesting']);
  });

  test('a file of many megabytes', () => {
    expect(read(`a: ${'x'.repeat(5_000_000)}`).diagnostics.map(({ code }) => code)).toEqual(['yaml-too-large']);
  });

  test('a slip on every character is reported in few words', () => {
    expect(read(']'.repeat(100_000)).diagnostics.length).toBeLessThanOrEqual(20);
  });
});
