import { expect, test } from 'vitest';
import { machineOf, run } from '../harness.ts';

test.each([
  ['texts', { Error: 'E', Cause: 'c' }, { status: 'FAILED', error: 'E', cause: 'c' }],
  ['nothing', {}, { status: 'FAILED' }],
  [
    'expressions',
    { Error: "{% 'E' & $states.input.n %}", Cause: '{% $string($states.input) %}' },
    { status: 'FAILED', error: 'E1', cause: '{"n":1}' },
  ],
])('%s', async (_name, fields, expected) => {
  expect((await run(machineOf({ F: { Type: 'Fail', ...fields } }), { input: { n: 1 } })).outcome).toEqual(expected);
});

test('Error and Cause must be texts', async () => {
  const { outcome } = await run(machineOf({ F: { Type: 'Fail', Error: '{% 1 %}' } }));
  expect(outcome).toMatchObject({
    error: 'States.QueryEvaluationError',
    cause: expect.stringContaining("Expected 'string'"),
  });
});

test('what is too long is cut', async () => {
  const machine = machineOf({ F: { Type: 'Fail', Error: 'e'.repeat(300), Cause: 'c'.repeat(40_000) } });
  const { outcome } = await run(machine);
  expect(outcome).toEqual({ status: 'FAILED', error: 'e'.repeat(256), cause: 'c'.repeat(32_768) });
});
