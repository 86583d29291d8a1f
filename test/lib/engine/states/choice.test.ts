import { expect, test } from 'vitest';
import type { Json } from '../../../../lib/asl/types.ts';
import { machineOf, outputOf, pass, run } from '../harness.ts';

const states = {
  C: {
    Type: 'Choice',
    Choices: [
      {
        Condition: '{% $states.input.n > 10 %}',
        Assign: { who: 'first' },
        Output: { big: '{% $states.input.n %}' },
        Next: 'E',
      },
      { Condition: '{% $states.input.n > 5 %}', Next: 'E' },
    ],
    Assign: { who: 'default' },
    Output: 'default',
    Default: 'E',
  },
  E: pass({ Output: '{% {"who": $who, "in": $states.input} %}' }),
};

test.each<[number, Json]>([
  [11, { who: 'first', in: { big: 11 } }],
  [6, { in: { n: 6 } }],
  [1, { who: 'default', in: 'default' }],
])('the first rule that holds is taken, each with its own Assign and Output: %i', async (n, expected) => {
  expect(await outputOf(states, { input: { n } })).toEqual(expected);
});

test('no rule and no Default', async () => {
  const machine = machineOf({ C: { Type: 'Choice', Choices: [{ Condition: false, Next: 'E' }] }, E: pass() });
  expect((await run(machine)).outcome).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
});

test('a Condition must be true or false', async () => {
  const machine = machineOf({ C: { Type: 'Choice', Choices: [{ Condition: "{% 'true' %}", Next: 'E' }] }, E: pass() });
  expect((await run(machine)).outcome).toMatchObject({
    error: 'States.QueryEvaluationError',
    cause: expect.stringContaining("Expected 'boolean', but was 'string' for value: \"true\""),
  });
});
