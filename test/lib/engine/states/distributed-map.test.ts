import { expect, test } from 'vitest';
import type { Json } from '../../../../lib/asl/types.ts';
import { machineOf, outputOf, pass, run, task } from '../harness.ts';

const map = (states: { [name: string]: object }, more: object = {}) => ({
  Type: 'Map',
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: Object.keys(states)[0],
    States: states,
  },
  End: true,
  ...more,
});

test('children are executions of their own and see no variable', async () => {
  const { outcome, events } = await run(
    machineOf({
      S: { Type: 'Pass', Assign: { x: 1 }, Next: 'M' },
      M: map(
        {
          I: pass({
            Output: {
              x: '{% $exists($x) %}',
              map: '{% $exists($states.context.Map) %}',
              input: '{% $states.context.Execution.Input %}',
              id: '{% $contains($states.context.Execution.Id, ":execution:machine/Each:") %}',
            },
          }),
        },
        { Items: [7], ItemSelector: { item: '{% $states.context.Map.Item.Value + $x %}' }, Label: 'Each' },
      ),
    }),
  );
  expect(outcome).toEqual({
    status: 'SUCCEEDED',
    output: [{ x: false, map: false, input: { item: 8 }, id: true }],
  });
  const child = events.filter(({ execution }) => execution !== undefined);
  expect(child.map(({ id, type }) => `${id} ${type}`)).toEqual([
    '1 ExecutionStarted',
    '2 PassStateEntered',
    '3 PassStateExited',
    '4 ExecutionSucceeded',
  ]);
  expect(child[0]?.execution).toMatchObject({
    index: 0,
    mapStateEntry: 4,
    arn: expect.stringContaining(':execution:machine/Each:'),
  });
});

/** Items that are true fail. */
const failing = {
  C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input %}', Next: 'F' }], Default: 'S' },
  F: { Type: 'Fail', Error: 'E' },
  S: { Type: 'Succeed', Output: 'ok' },
};
const exceeded = { status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold' };

test.each<[string, object, number, object]>([
  ['none by default', {}, 1, exceeded],
  ['by count', { ToleratedFailureCount: 2 }, 2, { status: 'SUCCEEDED' }],
  ['one more than the count', { ToleratedFailureCount: '{% 2 %}' }, 3, exceeded],
  ['by percentage', { ToleratedFailurePercentage: 20 }, 2, { status: 'SUCCEEDED' }],
  ['more than the percentage', { ToleratedFailurePercentage: 20 }, 3, exceeded],
  ['both, the stricter counts', { ToleratedFailurePercentage: 90, ToleratedFailureCount: 1 }, 2, exceeded],
  ['percentage out of range', { ToleratedFailurePercentage: '{% 101 %}' }, 0, { error: 'States.QueryEvaluationError' }],
])('failures tolerated: %s', async (_name, fields, failures, expected) => {
  const input = Array.from({ length: 10 }, (_, index) => index < failures);
  const { outcome } = await run(machineOf({ M: map(failing, { ...fields, MaxConcurrency: 1 }) }), { input });
  expect(outcome).toMatchObject(expected);
  if (outcome.status === 'SUCCEEDED') expect(outcome.output).toEqual(new Array(10 - failures).fill('ok'));
});

test.each<[string, object, Json]>([
  ['items', { MaxItemsPerBatch: 2 }, [{ Items: [1, 2] }, { Items: [3, 4] }, { Items: [5] }]],
  // {"Items":[1,2]} is 15 bytes.
  ['bytes', { MaxInputBytesPerBatch: 15 }, [{ Items: [1, 2] }, { Items: [3, 4] }, { Items: [5] }]],
  [
    'with an input of the batch',
    { MaxItemsPerBatch: '{% 4 %}', BatchInput: { n: '{% $states.input.n %}' } },
    [
      { BatchInput: { n: 1 }, Items: [1, 2, 3, 4] },
      { BatchInput: { n: 1 }, Items: [5] },
    ],
  ],
])('batches by %s', async (_name, batcher, expected) => {
  const states = { M: map({ I: pass() }, { Items: [1, 2, 3, 4, 5], ItemBatcher: batcher }) };
  expect(await outputOf(states, { input: { n: 1 } })).toEqual(expected);
});

test('a failed batch counts all its items', async () => {
  const state = map({ F: { Type: 'Fail' } }, { ItemBatcher: { MaxItemsPerBatch: 5 }, ToleratedFailureCount: 4 });
  expect((await run(machineOf({ M: state }), { input: [1, 2, 3, 4, 5] })).outcome).toMatchObject(exceeded);
});

test('reading from and writing to S3 is not done here, and said', async () => {
  const reader = map({ I: pass() }, { ItemReader: { Resource: 'arn:aws:states:::s3:getObject' } });
  expect((await run(machineOf({ M: reader }))).outcome).toMatchObject({ error: 'States.ItemReaderFailed' });
  const writer = map({ I: pass() }, { ResultWriter: { Resource: 'arn:aws:states:::s3:putObject' } });
  expect((await run(machineOf({ M: writer }))).outcome).toMatchObject({ error: 'States.ResultWriterFailed' });
});

test('5,000 children', async () => {
  const states = {
    M: map({ T: task() }, { Items: '{% [1..5000] %}', MaxConcurrency: 100, Output: '{% $sum($states.result) %}' }),
  };
  expect(await outputOf(states)).toBe(12_502_500);
});
