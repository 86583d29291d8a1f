import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cut, Masker, seen } from '../../../lib/expression/mask.ts';

function maskerOf(...values: string[]): Masker {
  const masker = new Masker();
  masker.add(...values);
  return masker;
}

interface Case {
  readonly name: string;
  readonly secrets: string[];
  readonly text: string;
  readonly masked: string;
}

/** Also read by task-images/python/tests/contract/test_masks.py. */
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(join(import.meta.dirname, 'masked.json'), 'utf8'));

it.each(cases)('hides $name', ({ secrets, text, masked }) => {
  expect(maskerOf(...secrets).mask(text)).toBe(masked);
});

it('hides texts at any depth, and no keys', () => {
  expect(maskerOf('abc').maskAll({ abc: ['abc', { a: 'xabc', n: 1 }] })).toEqual({ abc: ['***', { a: 'x***', n: 1 }] });
});

it('a lone surrogate in a secret does no harm', () => {
  expect(maskerOf('ab\ud800cd').mask('ab\ud800cd!')).toBe('***!');
});

const html: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const FORMS: readonly (readonly [string, (value: string) => string])[] = [
  ['as it is', (value) => value],
  ['JSON', (value) => JSON.stringify(value)],
  ['JSON in JSON', (value) => JSON.stringify(JSON.stringify(value))],
  ['a URL', encodeURIComponent],
  ['a form', (value) => new URLSearchParams({ k: value }).toString()],
  ['HTML', (value) => value.replace(/[&<>"']/g, (character) => html[character] ?? character)],
  ['HTML of JSON', (value) => JSON.stringify(value).replace(/[&<>"']/g, (character) => html[character] ?? character)],
  ['a shell', (value) => `'${value.replaceAll("'", "'\\''")}'`],
  ['base64', (value) => Buffer.from(value).toString('base64')],
];

it.each(FORMS)('hides any value in %s', (_, form) => {
  const value = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 30 }).filter((one) => one.trim().length >= 6);
  fc.assert(
    fc.property(value, fc.string(), fc.string(), (secret, before, after) => {
      const masked = maskerOf(secret).mask(`${before} ${form(secret)} ${after}`);
      expect(masked).toContain('***');
      if (!`${before} ${after}`.includes(secret)) expect(masked).not.toContain(form(secret));
    }),
    { numRuns: 25 },
  );
});

it('no part of a secret is left where a text is cut', () => {
  seen.add('ghp_ABCDEFGHIJ');
  expect(cut(`token ghp_ABCDEFGHIJ and more`, 12)).toBe('token *** a…');
  expect(cut('short', 12)).toBe('short');
});
