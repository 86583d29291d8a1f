import { expect, it } from 'vitest';
import { Masker } from '../../../lib/local/mask.ts';

function maskerOf(...values: string[]): Masker {
  const masker = new Masker();
  masker.add(...values);
  return masker;
}

it.each<[string, string[], string, string]>([
  ['a value', ['s3cret'], 'key=s3cret;', 'key=***;'],
  ['the longer of two first', ['abc', 'abcdef'], 'abcdef abc', '*** ***'],
  ['signs of regular expressions', ['a.*$(x)\\'], 'a.*$(x)\\ abbb', '*** abbb'],
  ['a form in JSON', ['a"b\nc'], '{"k":"a\\"b\\nc"}', '{"k":"***"}'],
  ['a form in a URL', ['p w&x'], 'https://h/?k=p%20w%26x', 'https://h/?k=***'],
  ['each line of several', ['line-one\nline-two'], 'x line-two y', 'x *** y'],
  ['nothing shorter than 3 characters', ['ab', 'x\ny'], 'ab x y', 'ab x y'],
  ['nothing without secrets', [], 'text', 'text'],
])('hides %s', (_, values, text, masked) => {
  expect(maskerOf(...values).mask(text)).toBe(masked);
});

it('hides texts at any depth, and no keys', () => {
  expect(maskerOf('abc').maskAll({ abc: ['abc', { a: 'xabc', n: 1 }] })).toEqual({ abc: ['***', { a: 'x***', n: 1 }] });
});

it('a lone surrogate in a secret does no harm', () => {
  expect(maskerOf('ab\ud800cd').mask('ab\ud800cd!')).toBe('***!');
});
