import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Json } from '../../../lib/asl/types.ts';
import { VirtualClock } from '../../../lib/engine/clock.ts';
import { seeded } from '../../../lib/engine/functions.ts';
import { evaluate } from './harness.ts';

const cases: [string, Json][] = [
  ['$partition([1, 2, 3, 4, 5], 2)', [[1, 2], [3, 4], [5]]],
  ['$partition([1], 3)', [[1]]],
  ['$partition([], 3)', []],
  ['$range(0, 10, 5)', [0, 5, 10]],
  ['$range(3, 1, -1)', [3, 2, 1]],
  ['$exists($range(1, 0, 1))', false],
  ['$range(3, 4, 5)', 3],
  ['$range(-1.7, 2.9, 1.5)', [-1, 0, 1, 2]],
  ['$random(42)', 0.7275636800328681],
  ['$random(-3.9) = $random(-3)', true],
  ["$base64decode('aGk=') & $base64decode('aGk')", 'hihi'],
  ["$hash('abc', 'SHA-256')", createHash('sha256').update('abc').digest('hex')],
  ["$hash('abc', 'MD5')", createHash('md5').update('abc').digest('hex')],
  ['$parse(\'{"a": [1]}\')', { a: [1] }],
  ['$random(7) = $random(7)', true],
  ['$random(7) = $random(8)', false],
  ['$random(7) >= 0 and $random(7) < 1', true],
  ['$uuid() = $uuid()', false],
  ['$match($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/).index', 0],
  ['$exists($partition($nowhere, 1))', false],
  ['$exists($parse($nowhere))', false],
];
test.each(cases)('%s', async (expression, expected) => {
  expect(await evaluate(expression)).toEqual(expected);
});

test.each([
  ['$partition([1], 0)', 'whole number above 0'],
  ['$range(1, 2, 0)', 'step that is not 0'],
  ['$range(1, 2, 0.9)', 'step that is not 0'],
  ["$base64decode('!!!')", 'threw an internal error during evaluation.'],
  ["$base64decode('a')", 'threw an internal error during evaluation.'],
  ["$formatNumber(1, 'x')", 'D3086: The sub-picture'],
  ["$formatNumber(1, '#0;')", 'D3086: The sub-picture'],
  ['$count([1..873783])', 'Expression evaluation memory limit exceeded: Check for excessive memory usage'],
  ['$count($range(1, 873783, 1))', 'memory limit exceeded'],
  ['$count([[1..500000], [1..500000]])', 'memory limit exceeded'],
  ["$length($pad('', 6000000, 'x'))", 'memory limit exceeded'],
  ["$hash('a', 'CRC')", "not 'CRC'"],
  ["$parse('{')", '$parse'],
  ["$random('a')", 'seed that is a number'],
])('%s fails', async (expression, message) => {
  await expect(evaluate(expression)).rejects.toThrow(message);
});

test('$random without a seed takes the given source', async () => {
  expect(await evaluate('$random()', {}, { random: () => 0.25 })).toBe(0.25);
});

test('$millis and $now follow the clock', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 5, 1, 12));
  expect(await evaluate("[$millis(), $now(), $now('[Y]', '+0900')]", {}, { clock })).toEqual([
    Date.UTC(2026, 5, 1, 12),
    '2026-06-01T12:00:00.000Z',
    '2026',
  ]);
});

test('seeded numbers spread from 0 to 1', () => {
  const next = seeded(42);
  const numbers = Array.from({ length: 10_000 }, next);
  expect(Math.min(...numbers)).toBeLessThan(0.01);
  expect(Math.max(...numbers)).toBeGreaterThan(0.99);
  expect(numbers.reduce((sum, number) => sum + number) / numbers.length).toBeCloseTo(0.5, 1);
});
