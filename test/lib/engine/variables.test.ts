import { expect, test } from 'vitest';
import { machineOf, outputOf, pass, run } from './harness.ts';

test('Assign and Output see the values from before the state', async () => {
  expect(
    await outputOf({
      A: { Type: 'Pass', Assign: { a: 1, b: 2 }, Next: 'B' },
      B: { Type: 'Pass', Assign: { a: '{% $b %}', b: '{% $a %}' }, Output: '{% [$a, $b] %}', Next: 'C' },
      C: pass({ Output: '{% [[$states.input], $a, $b] %}' }),
    }),
  ).toEqual([[1, 2], 2, 1]);
});

test('a variable may be null', async () => {
  expect(
    await outputOf({ A: { Type: 'Pass', Assign: { n: null }, Next: 'B' }, B: pass({ Output: '{% $n %}' }) }),
  ).toBeNull();
});

const big = (bytes: number) => 'x'.repeat(bytes - 2);
const KIB = 1024;

test.each<[string, object, string | undefined]>([
  ['an output of 256 KiB', pass({ Output: big(256 * KIB) }), undefined],
  ['an output of one byte more', pass({ Output: big(256 * KIB + 1) }), 'States.DataLimitExceeded'],
  ['bytes, not characters', pass({ Output: '€'.repeat(90_000) }), 'States.DataLimitExceeded'],
  ['one Assign of 256 KiB in all', pass({ Assign: { a: big(128 * KIB), b: big(128 * KIB) } }), undefined],
  [
    'one Assign of one byte more',
    pass({ Assign: { a: big(128 * KIB), b: big(128 * KIB + 1) } }),
    'States.DataLimitExceeded',
  ],
  [
    'Arguments',
    {
      Type: 'Parallel',
      Arguments: { a: big(256 * KIB) },
      Branches: [{ StartAt: 'B', States: { B: pass() } }],
      End: true,
    },
    'States.DataLimitExceeded',
  ],
])('limits: %s', async (_name, state, error) => {
  const { outcome } = await run(machineOf({ A: state }));
  expect(outcome.status === 'SUCCEEDED' ? undefined : outcome.error).toBe(error);
  expect((await run(machineOf({ A: state }), { limits: false })).outcome.status).toBe('SUCCEEDED');
});

test('limits: all variables together 10 MiB', async () => {
  const states: { [name: string]: object } = {};
  for (let index = 0; index < 41; index += 1) {
    states[`S${index}`] = {
      Type: 'Pass',
      Assign: { [`v${index}`]: big(256 * KIB) },
      ...(index === 40 ? { End: true } : { Next: `S${index + 1}` }),
    };
  }
  expect((await run(machineOf(states))).outcome).toMatchObject({ error: 'States.DataLimitExceeded' });
});

test('assigning again gives the room back', async () => {
  const states = {
    I: { Type: 'Pass', Assign: { i: 0 }, Next: 'L' },
    L: {
      Type: 'Choice',
      Choices: [{ Condition: '{% $i < 100 %}', Assign: { i: '{% $i + 1 %}', v: big(200 * KIB) }, Next: 'L' }],
      Default: 'E',
    },
    E: { Type: 'Succeed' },
  };
  expect((await run(machineOf(states))).outcome.status).toBe('SUCCEEDED');
});
