import { expect, test } from 'vitest';
import { TaskError } from '../../../../lib/engine/errors.ts';
import { machineOf, outputOf, pass, run, task } from '../harness.ts';

const branch = (states: { [name: string]: object }) => ({ StartAt: Object.keys(states)[0], States: states });
const parallel = (branches: object[], more: object = {}) => ({
  Type: 'Parallel',
  Branches: branches,
  End: true,
  ...more,
});

test('outputs in the order of the branches, which read what is around them and have variables of their own', async () => {
  const output = await outputOf({
    S: { Type: 'Pass', Assign: { x: 1 }, Next: 'P' },
    P: parallel(
      [
        branch({
          A: { Type: 'Wait', Seconds: 9, Assign: { mine: 'a' }, Next: 'A2' },
          A2: pass({ Output: '{% [$x, $mine] %}' }),
        }),
        branch({ B: pass({ Assign: { mine: 'b' }, Output: '{% $states.input %}' }) }),
      ],
      { Arguments: { from: '{% $x + 1 %}' }, Output: '{% {"all": $states.result, "mine": $exists($mine)} %}' },
    ),
  });
  expect(output).toEqual({ all: [[1, 'a'], { from: 2 }], mine: false });
});

test('a branch that fails stops the others, and is known as States.BranchFailed too', async () => {
  let aborted = false;
  const { outcome, events, seconds } = await run(
    machineOf({
      P: parallel(
        [
          branch({ A: { Type: 'Wait', Seconds: 5, Next: 'F' }, F: { Type: 'Fail', Error: 'Bad', Cause: 'c' } }),
          branch({ W: { Type: 'Wait', Seconds: 1000, End: true } }),
          branch({ T: task() }),
          branch({ Q: parallel([branch({ N: { Type: 'Wait', Seconds: 999, End: true } })]) }),
        ],
        { Catch: [{ ErrorEquals: ['States.BranchFailed'], Next: 'Z' }] },
      ),
      Z: pass(),
    }),
    {
      invoke: (call) =>
        new Promise((_, reject) => {
          call.signal.addEventListener('abort', () => {
            aborted = true;
            reject(new TaskError('late'));
          });
        }),
    },
  );
  expect(outcome).toEqual({ status: 'SUCCEEDED', output: { Error: 'Bad', Cause: 'c' } });
  expect(seconds).toBe(5);
  expect(aborted).toBe(true);
  expect(
    events
      .map(({ type }) => type)
      .filter((type) => type.endsWith('Aborted'))
      .sort(),
  ).toEqual(['ParallelStateAborted', 'TaskStateAborted', 'WaitStateAborted', 'WaitStateAborted']);
});

test('assigning what is outside fails the execution for good', async () => {
  const { outcome } = await run(
    machineOf({
      S: { Type: 'Pass', Assign: { x: 1 }, Next: 'P' },
      P: parallel([branch({ A: pass({ Assign: { x: 2 } }) })], { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }] }),
      Z: pass(),
    }),
  );
  expect(outcome).toMatchObject({
    status: 'FAILED',
    error: 'States.Runtime',
    cause: expect.stringContaining('outer scope'),
  });
});

test('retried as a whole', async () => {
  let calls = 0;
  const output = await outputOf(
    {
      P: parallel([branch({ T: task() }), branch({ B: pass() })], { Retry: [{ ErrorEquals: ['States.TaskFailed'] }] }),
    },
    {
      invoke: async () => {
        calls += 1;
        if (calls < 3) throw new Error('not yet');
        return calls;
      },
    },
  );
  expect(output).toEqual([3, {}]);
});
