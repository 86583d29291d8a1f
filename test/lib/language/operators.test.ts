import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DIAGNOSTIC_CODES } from '../../../lib/language/diagnostic.ts';
import {
  LATER_OPERATORS,
  replacementOf,
  SYNONYMS,
  UNSUPPORTED_OPERATORS,
} from '../../../lib/language/operators/elsewhere.ts';
import { codeOf, mayStore, OPERATORS } from '../../../lib/language/operators.ts';
import { PYTHON_FILE, pythonOperators } from '../../../tools/write-operators.ts';

test('the operators of this release', () => {
  expect(Object.keys(OPERATORS).sort().join(' ')).toBe(
    'aws call echo fail for_each for_range http http_call if lambda loop mail notify py require s3_wait sh slack wait',
  );
});

test('what can store, and what runs code', () => {
  const names = Object.keys(OPERATORS).sort();
  expect(names.filter(mayStore)).toEqual(['aws', 'http', 'http_call', 'lambda', 'py', 's3_wait']);
  expect(names.filter(codeOf)).toEqual(['py', 'sh']);
});

test('synonyms lead to operators that exist', () => {
  for (const name of Object.values(SYNONYMS)) expect(OPERATORS[name], name).toBeDefined();
});

test.each([
  'td',
  'td_run',
  'td_for_each',
  'bq',
  'bq_load',
  'emr',
  'redshift',
  'redshift_unload',
  'embulk',
  'rb',
  'param_set',
  'param_get',
  'gcs_wait',
  'pg',
])('%s> has a replacement', (name) => expect(replacementOf(name)).toBeTruthy());

test('no table lists an operator twice', () => {
  for (const name of [...Object.keys(LATER_OPERATORS), ...Object.keys(UNSUPPORTED_OPERATORS)])
    expect(OPERATORS[name]).toBeUndefined();
  expect(replacementOf('tdx')).toBeUndefined();
  expect(replacementOf('constructor')).toBeUndefined();
});

test('docs/diagnostics.md explains every code, and no other', () => {
  const text = readFileSync(new URL('../../../docs/diagnostics.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, code]) => code);
  expect(documented.sort()).toEqual([...DIAGNOSTIC_CODES].sort());
});

test('the Python side knows what the runner carries out (tools/write-operators.ts)', () => {
  expect(readFileSync(PYTHON_FILE, 'utf8')).toBe(pythonOperators());
});
