import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { digSchema, trowelJsonSchema } from '../../../lib/language/json-schema.ts';
import { OPERATORS } from '../../../lib/language/operators.ts';

const file = (name: string) => JSON.parse(readFileSync(new URL(`../../../schemas/${name}`, import.meta.url), 'utf8'));
const AGAIN = 'write it anew: node --import tsx tools/write-schemas.ts';

test('schemas/dig.schema.json is up to date', () =>
  expect(file('dig.schema.json'), AGAIN).toEqual(JSON.parse(JSON.stringify(digSchema()))));
test('schemas/trowel.schema.json is up to date', async () =>
  expect(file('trowel.schema.json'), AGAIN).toEqual(JSON.parse(JSON.stringify(await trowelJsonSchema()))));

/** patternErrorMessage is a word of yaml-language-server's. */
function ajv(): Ajv {
  return new Ajv({ allowUnionTypes: true, keywords: ['patternErrorMessage'] });
}

/** All that has a `pattern`, wherever it is. */
function patternsIn(schema: unknown): { pattern: string; patternErrorMessage?: string }[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const below = Object.entries(schema).flatMap(([key, value]) => (key === 'not' ? [] : patternsIn(value)));
  return 'pattern' in schema && typeof schema.pattern === 'string' ? [schema as { pattern: string }, ...below] : below;
}

test.each(['dig.schema.json', 'trowel.schema.json'])('%s says in words what a pattern wants', (name) => {
  const patterns = patternsIn(file(name));
  expect(patterns.length).toBeGreaterThan(5);
  for (const { pattern, patternErrorMessage } of patterns) {
    expect(patternErrorMessage, pattern).toMatch(/^(Expected|Without) [a-z]/);
  }
});

describe('an editor that uses dig.schema.json', () => {
  const validate = ajv().compile(file('dig.schema.json'));

  test('describes every operator', () => {
    const properties = file('dig.schema.json').definitions.node.properties;
    for (const name of Object.keys(OPERATORS)) expect(properties[`${name}>`].description, name).toBeTruthy();
  });

  test.each([
    'timezone: UTC\nschedule: {daily>: "07:00:00"}\n_export: {a: 1}\n+t: {sh>: ls, shell: [bash, -e], _retry: {limit: 3, interval: 30s}}',
    '+g: {_parallel: {limit: 2}, _env: {A: 1}, +a: {py>: m.f, anything: [1]}, +b: {_after: [+a], echo>: 1}}',
    '+l: {for_each>: {x: [1, 2]}, _parallel: true, _do: {echo>: "${x}"}}',
    '+i: {if>: "${x}", _else_do: {fail>: no}}\n_error: {http>: "http://x", method: POST, content: {a: 1}, timeout: 10s}',
    '+w: {wait>: 1h 30m, _timeout: 2h}\n+e: {}',
  ])('accepts %s', (text) => expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true));

  test.each([
    'owner: me',
    '+t: {shel>: ls}',
    '+t:',
    '+t: {loop>: 2}',
    '+t: {loop>: many, _do: {echo>: 1}}',
    '+t: {sh>: ls, +u: {sh>: ls}}',
    '+t: {sh>: ls, _env: {a-b: 1}}',
    '+t: {py>: m.f, docker: {imagee: x}}',
    '+g: {parallel: true, +t: {sh>: ls}}',
    'schedule: {daily: 1}',
    '+t: {require>: x, rerun_on: fail}',
  ])('refuses %s', (text) => expect(validate(parse(text))).toBe(false));
});
