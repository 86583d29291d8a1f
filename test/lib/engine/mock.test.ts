import { expect, test } from 'vitest';
import { type MockResults, mockInvoke, readMockResults } from '../../../lib/engine/mock.ts';
import { TaskTokens } from '../../../lib/engine/task-tokens.ts';
import { machineOf, outputOf, run, task } from './harness.ts';

test('one result a call, the last repeats', async () => {
  const results: MockResults = [{ Throw: { Error: 'Busy', Cause: 'c' } }, { Return: { n: 1 } }];
  const states = {
    I: { Type: 'Pass', Assign: { n: 0 }, Next: 'T' },
    T: task({ Retry: [{ ErrorEquals: ['Busy'] }], End: undefined, Next: 'C' }),
    C: {
      Type: 'Choice',
      Choices: [{ Condition: '{% $n < 3 %}', Assign: { n: '{% $n + 1 %}' }, Next: 'T' }],
      Default: 'S',
    },
    S: { Type: 'Succeed' },
  };
  expect(await outputOf(states, { invoke: mockInvoke(new Map([['T', results]])) })).toEqual({ n: 1 });
});

test('a Task without results', async () => {
  const { outcome } = await run(machineOf({ T: task() }), { invoke: mockInvoke(new Map([['U', [{ Return: 1 }]]])) });
  expect(outcome).toEqual({
    status: 'FAILED',
    error: 'Mock.Missing',
    cause: "No mock results for the Task state 'T' (there are: U)",
  });
});

test('a Task that waits for its token', async () => {
  const tokens = new TaskTokens();
  const states = {
    T: task({
      Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
      Arguments: { t: '{% $states.context.Task.Token %}' },
    }),
  };
  const invoke = mockInvoke(new Map([['T', [{ Return: 'told' }]]]), tokens);
  expect(await outputOf(states, { invoke, tokens })).toBe('told');
});

test.each([
  [[{ Return: null }], undefined],
  [[{ Throw: { Error: 'E' } }], undefined],
  [{}, 'expected a JSON array'],
  [[], 'expected a JSON array'],
  [[1], 'item 0: expected {"Return"'],
  [[{ Return: 1 }, { Throw: 'E' }], 'item 1: expected'],
  [[{ Throw: { Cause: 'c' } }], 'item 0: expected'],
  [[{ Return: 1, Throw: { Error: 'E' } }], 'item 0: Return and Throw'],
])('a mock file %j', (value, message) => {
  const read = readMockResults(value);
  expect(typeof read === 'string' ? read : undefined).toEqual(
    message === undefined ? undefined : expect.stringContaining(message),
  );
});
