import { describe, expect, test } from 'vitest';
import { matchesError, StateError, TaskError } from '../../../lib/engine/errors.ts';
import { delaySeconds } from '../../../lib/engine/recovery.ts';
import { machineOf, outputOf, pass, run, task } from './harness.ts';

/** Fails with the given errors, one a call, then answers. */
const failingWith = (...errors: string[]) => {
  let call = 0;
  return async () => {
    const error = errors[call];
    call += 1;
    if (error !== undefined) throw new TaskError(error);
    return `call ${call}`;
  };
};

test('each retrier has its own count, and one that is used up is not followed by another', async () => {
  // The example of AWS, "Handling errors": waits 1, 2 (A), 5 (C), then A again is one too many.
  const { outcome, seconds } = await run(
    machineOf({
      T: task({
        Retry: [
          { ErrorEquals: ['A', 'B'], IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 2 },
          { ErrorEquals: ['C'], IntervalSeconds: 5 },
          { ErrorEquals: ['States.ALL'] },
        ],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Z' }],
      }),
      Z: pass(),
    }),
    { invoke: failingWith('A', 'B', 'C', 'B') },
  );
  expect(outcome).toEqual({ status: 'SUCCEEDED', output: { Error: 'B', Cause: '' } });
  expect(seconds).toBe(8);
});

test('by default three retries after 1, 2 and 4 seconds', async () => {
  const { outcome, seconds, events } = await run(machineOf({ T: task({ Retry: [{ ErrorEquals: ['E'] }] }) }), {
    invoke: failingWith('E', 'E', 'E'),
  });
  expect(outcome).toEqual({ status: 'SUCCEEDED', output: 'call 4' });
  expect(seconds).toBe(7);
  expect(events.filter(({ type }) => type === 'RetryScheduled')).toMatchObject(
    [1, 2, 4].map((wait, index) => ({
      retryScheduledEventDetails: { name: 'T', attempt: index + 1, seconds: wait, error: 'E' },
    })),
  );
});

test('a state entered again counts anew, and says its count', async () => {
  const counts: number[] = [];
  const fail = failingWith('E', 'E', '-', 'E', 'E');
  await run(
    machineOf({
      I: { Type: 'Pass', Assign: { n: 0 }, Next: 'T' },
      T: task({
        Arguments: { retry: '{% $states.context.State.RetryCount %}' },
        End: undefined,
        Next: 'C',
        Retry: [{ ErrorEquals: ['E'], MaxAttempts: 2 }],
        Catch: [{ ErrorEquals: ['-'], Next: 'C' }],
      }),
      C: { Type: 'Choice', Choices: [{ Condition: '{% $n = 0 %}', Assign: { n: 1 }, Next: 'T' }], Default: 'S' },
      S: { Type: 'Succeed' },
    }),
    {
      invoke: async (call) => {
        counts.push((call.arguments as { retry: number }).retry);
        return fail();
      },
    },
  );
  expect(counts).toEqual([0, 1, 2, 0, 1, 2]);
});

test('MaxAttempts 0 never retries', async () => {
  const { outcome } = await run(machineOf({ T: task({ Retry: [{ ErrorEquals: ['E'], MaxAttempts: 0 }] }) }), {
    invoke: failingWith('E'),
  });
  expect(outcome).toMatchObject({ status: 'FAILED', error: 'E' });
});

test.each([
  [{}, 0, 1],
  [{}, 3, 8],
  [{ IntervalSeconds: 5, BackoffRate: 1 }, 4, 5],
  [{ IntervalSeconds: 5, BackoffRate: 3, MaxDelaySeconds: 20 }, 2, 20],
  [{ IntervalSeconds: 8, JitterStrategy: 'FULL' as const }, 0, 2],
  [{ IntervalSeconds: 8, JitterStrategy: 'FULL' as const, MaxDelaySeconds: 10 }, 5, 2.5],
  [{ MaxAttempts: 99_999_999 }, 5000, 99_999_999],
])('delay of %j after %i retries', (retrier, before, seconds) => {
  expect(delaySeconds({ ErrorEquals: [], ...retrier }, before, () => 0.25)).toBe(seconds);
});

describe('matching', () => {
  const error = (name: string | undefined, more: object = {}) => new StateError(name, '', { eventId: 1, ...more });
  test.each<[string, StateError, boolean]>([
    ['E', error('E'), true],
    ['E', error('e'), false],
    ['States.ALL', error('E'), true],
    ['States.ALL', error(undefined), true],
    ['States.ALL', error('States.Timeout'), true],
    ['States.ALL', error('States.QueryEvaluationError'), true],
    ['States.ALL', error('States.DataLimitExceeded'), true],
    ['States.ALL', error('States.DataLimitExceeded', { final: true }), false],
    ['States.DataLimitExceeded', error('States.DataLimitExceeded'), true],
    ['States.DataLimitExceeded', error('States.DataLimitExceeded', { final: true }), false],
    ['States.ALL', error('States.Runtime'), false],
    ['States.Runtime', error('States.Runtime'), false],
    ['States.TaskFailed', error('E'), true],
    ['States.TaskFailed', error('States.TaskFailed'), true],
    ['States.TaskFailed', error('States.Timeout'), false],
    ['States.HeartbeatTimeout', error('States.Timeout', { aliases: ['States.HeartbeatTimeout'] }), true],
    ['States.HeartbeatTimeout', error('States.Timeout'), false],
    ['States.Timeout', error('States.Timeout', { aliases: ['States.HeartbeatTimeout'] }), true],
  ])('%s and %o: %s', (name, failure, expected) => {
    expect(matchesError([name], failure)).toBe(expected);
  });
});

test('a Catch sees the input and the variables from before, and assigns for what follows', async () => {
  const output = await outputOf(
    {
      I: { Type: 'Pass', Assign: { tries: 1 }, Next: 'T' },
      T: task({
        Assign: { never: 1 },
        Catch: [
          { ErrorEquals: ['Other'], Next: 'Z' },
          {
            ErrorEquals: ['E'],
            Assign: { tries: '{% $tries + 1 %}', error: '{% $states.errorOutput %}' },
            Output: '{% [$states.input, $tries] %}',
            Next: 'Z',
          },
        ],
      }),
      Z: pass({
        Output: '{% {"in": $states.input, "tries": $tries, "error": $error.Error, "never": $exists($never)} %}',
      }),
    },
    { input: 'in', invoke: failingWith('E') },
  );
  expect(output).toEqual({ in: ['in', 1], tries: 2, error: 'E', never: false });
});
