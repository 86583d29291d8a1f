import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { asSeconds, DURATION, parseDuration, WHOLE_SECONDS } from '../../../lib/language/duration.ts';

interface Case {
  readonly value: unknown;
  readonly duration: number | null;
  readonly seconds: number | null;
}

/** Python's tests read it too (task-images/python/tests/subtasks/test_subtasks.py). */
const TABLE = new URL('../../conformance/durations.json', import.meta.url);
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(TABLE, 'utf8'));

test.each(cases)('$value', ({ value, duration, seconds }) => {
  expect(asSeconds(value) ?? null).toBe(seconds);
  expect((typeof value === 'string' ? parseDuration(value) : undefined) ?? null).toBe(duration);
});

test.each(cases.filter(({ value }) => typeof value === 'string' && value.length <= 64))(
  'editors say the same of $value',
  ({ value, duration, seconds }) => {
    const fits = (pattern: string) => new RegExp(pattern, 'u').test(String(value));
    expect(fits(DURATION)).toBe(duration !== null);
    expect(fits(DURATION) || fits(WHOLE_SECONDS)).toBe(seconds !== null);
  },
);
