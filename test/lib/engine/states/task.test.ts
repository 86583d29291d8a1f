import { describe, expect, test } from 'vitest';
import type { Json } from '../../../../lib/asl/types.ts';
import { VirtualClock } from '../../../../lib/engine/clock.ts';
import { TaskError } from '../../../../lib/engine/errors.ts';
import { TaskTokens } from '../../../../lib/engine/task-tokens.ts';
import type { Call } from '../../../../lib/engine/types.ts';
import { machineOf, outputOf, pass, run, task } from '../harness.ts';

const callback = (more: object = {}) =>
  task({
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: { token: '{% $states.context.Task.Token %}' },
    ...more,
  });
const caught = { Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.errorOutput %}', Next: 'E' }] };

test.each([
  ['arn:aws:states:::lambda:invoke.waitForTaskToken', 'lambda', 'invoke.waitForTaskToken'],
  ['arn:aws:states:::states:startExecution.sync:2', 'states', 'startExecution.sync:2'],
  ['arn:aws-cn:states:::aws-sdk:sfn:describeExecution', 'aws-sdk:sfn', 'describeExecution'],
  ['arn:aws:lambda:eu-west-1:123456789012:function:f', 'lambda', 'arn:aws:lambda:eu-west-1:123456789012:function:f'],
  ['arn:aws:states:eu-west-1:1:activity:a', 'activity', 'arn:aws:states:eu-west-1:1:activity:a'],
])('names of %s', async (Resource, resourceType, resource) => {
  const { events } = await run(machineOf({ T: task({ Resource }) }), {
    invoke: async () => {
      throw new TaskError('E');
    },
  });
  const scheduled = events.find(({ type }) => type.endsWith('Scheduled'));
  const details = Object.entries(scheduled ?? {}).find(([field]) => field.endsWith('EventDetails'))?.[1];
  expect(details).toMatchObject(resource === Resource ? { resource } : { resourceType, resource });
});

test('what a call says', async () => {
  const calls: Call[] = [];
  await outputOf(
    { T: task({ Arguments: { x: '{% $states.input.n + 1 %}' } }) },
    {
      input: { n: 1 },
      name: 'run1',
      invoke: async (call) => {
        calls.push(call);
        return null;
      },
    },
  );
  expect(calls).toMatchObject([
    {
      resource: 'arn:aws:states:::lambda:invoke',
      arguments: { x: 2 },
      stateName: 'T',
      retryCount: 0,
      executionName: 'run1',
      executionArn: 'arn:aws:states:local:000000000000:execution:machine:run1',
    },
  ]);
  expect(calls[0]?.token).toBeUndefined();
});

test('without Arguments it is given its input; without Output it gives its result', async () => {
  expect(await outputOf({ T: task() }, { input: { a: 1 } })).toEqual({ a: 1 });
});

test('a handler can change neither what it was given nor, later, what it gave', async () => {
  const given = { list: [1] };
  const output = await outputOf(
    {
      A: { Type: 'Pass', Assign: { v: { list: [0] } }, Next: 'T' },
      T: task({ Arguments: '{% $v %}', End: undefined, Next: 'W', Assign: { r: '{% $states.result %}' } }),
      W: { Type: 'Wait', Seconds: 1, Next: 'B' },
      B: pass({ Output: '{% [$v, $r] %}' }),
    },
    {
      invoke: async (call) => {
        (call.arguments as { list: Json[] }).list.push('changed');
        setImmediate(() => given.list.push(2));
        return given;
      },
    },
  );
  expect(output).toEqual([{ list: [0] }, { list: [1] }]);
});

describe('errors', () => {
  test.each([
    ['a TaskError has its name', new TaskError('My.Error', 'why'), { Error: 'My.Error', Cause: 'why' }],
    ['any other is States.TaskFailed', new TypeError('oops'), { Error: 'States.TaskFailed', Cause: 'oops' }],
    ['something thrown that is no error', 'text', { Error: 'States.TaskFailed', Cause: 'text' }],
  ])('%s', async (_name, thrown, expected) => {
    const invoke = async () => {
      throw thrown;
    };
    expect(await outputOf({ T: task(caught), E: pass() }, { invoke })).toEqual(expected);
  });

  test('a timeout', async () => {
    let signal: AbortSignal | undefined;
    const { outcome, seconds } = await run(machineOf({ T: task({ TimeoutSeconds: 7, ...caught }), E: pass() }), {
      invoke: (call) => {
        signal = call.signal;
        return new Promise(() => {});
      },
    });
    expect(outcome).toEqual({ status: 'SUCCEEDED', output: { Error: 'States.Timeout', Cause: '' } });
    expect(seconds).toBe(7);
    expect(signal?.aborted).toBe(true);
  });

  test('a result beyond the payload limit is caught by its name and by States.ALL, and names the integration', async () => {
    const invoke = async () => 'x'.repeat(262_144);
    const all = await run(machineOf({ T: task(caught), E: pass() }), { invoke });
    expect(all.outcome).toMatchObject({
      status: 'SUCCEEDED',
      output: { Error: 'States.DataLimitExceeded', Cause: expect.stringMatching(/^The state\/task 'lambda' returned/) },
    });
    const Catch = [{ ErrorEquals: ['States.DataLimitExceeded'], Next: 'E' }];
    expect((await run(machineOf({ T: task({ Catch }), E: pass() }), { invoke })).outcome.status).toBe('SUCCEEDED');
    expect((await run(machineOf({ T: task() }), { invoke, limits: false })).outcome.status).toBe('SUCCEEDED');
  });

  test('an expression that fails in Arguments or Output can be caught', async () => {
    for (const fields of [{ Arguments: { a: '{% $no %}' } }, { Output: '{% $no %}' }, { Assign: { a: '{% $no %}' } }]) {
      expect(await outputOf({ T: task({ ...fields, ...caught }), E: pass() })).toMatchObject({
        Error: 'States.QueryEvaluationError',
      });
    }
  });

  test('an expression that fails in the Catch cannot', async () => {
    const Catch = [{ ErrorEquals: ['States.ALL'], Output: '{% $no %}', Next: 'E' }];
    const invoke = async () => {
      throw new TaskError('E');
    };
    const { outcome } = await run(machineOf({ T: task({ Catch }), E: pass() }), { invoke });
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  });
});

describe('task tokens', () => {
  test('success, while the call itself has not returned', async () => {
    const tokens = new TaskTokens();
    const { outcome, events } = await run(machineOf({ T: callback() }), {
      tokens,
      invoke: async (call) => {
        tokens.sendTaskSuccess(call.token ?? '', { done: call.arguments });
        return 'ignored';
      },
    });
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { done: { token: expect.any(String) } } });
    expect(events.map(({ type }) => type)).toContain('TaskSucceeded');
  });

  test('success, later; what the call gives is recorded as submitted', async () => {
    const tokens = new TaskTokens();
    const clock = new VirtualClock();
    const { outcome, events } = await run(machineOf({ T: callback() }), {
      tokens,
      clock,
      invoke: async (call) => {
        clock.sleep(60_000).then(() => tokens.sendTaskSuccess(call.token ?? '', [1]));
        return 'started';
      },
    });
    expect(outcome).toEqual({ status: 'SUCCEEDED', output: [1] });
    expect(events.find(({ type }) => type === 'TaskSubmitted')?.taskSubmittedEventDetails?.output).toBe('started');
  });

  test('failure, with and without a name', async () => {
    for (const failure of [{ error: 'Mine', cause: 'c' }, {}]) {
      const tokens = new TaskTokens();
      const output = await outputOf(
        { T: callback(caught), E: pass() },
        {
          tokens,
          invoke: async (call) => {
            tokens.sendTaskFailure(call.token ?? '', failure);
            return null;
          },
        },
      );
      expect(output).toEqual({ Error: failure.error ?? null, Cause: failure.cause ?? null });
    }
  });

  test('a call that fails ends the task', async () => {
    const invoke = async () => {
      throw new TaskError('Lambda.ServiceException', 'x');
    };
    expect((await run(machineOf({ T: callback() }), { invoke })).outcome).toMatchObject({
      error: 'Lambda.ServiceException',
    });
  });

  test('a heartbeat keeps it alive; a lost one is a timeout, known as States.HeartbeatTimeout too', async () => {
    const tokens = new TaskTokens();
    const clock = new VirtualClock();
    let token = '';
    const { outcome, seconds } = await run(
      machineOf({
        T: callback({
          HeartbeatSeconds: 10,
          TimeoutSeconds: 1000,
          Catch: [{ ErrorEquals: ['States.HeartbeatTimeout'], Output: '{% $states.errorOutput %}', Next: 'E' }],
        }),
        E: pass(),
      }),
      {
        tokens,
        clock,
        invoke: async (call) => {
          token = call.token ?? '';
          for (let beat = 0; beat < 5; beat += 1) {
            await clock.sleep(8000);
            tokens.sendTaskHeartbeat(token);
          }
          return null;
        },
      },
    );
    expect(outcome).toEqual({ status: 'SUCCEEDED', output: { Error: 'States.Timeout', Cause: '' } });
    expect(seconds).toBe(50);
    expect(() => tokens.sendTaskHeartbeat(token)).toThrow(expect.objectContaining({ name: 'TaskTimedOut' }));
  });

  test('each try has a new token', async () => {
    const tokens = new TaskTokens();
    const seen = new Set<string>();
    await run(machineOf({ T: callback({ Retry: [{ ErrorEquals: ['E'] }] }) }), {
      tokens,
      invoke: async (call) => {
        seen.add(call.token ?? '');
        tokens.sendTaskFailure(call.token ?? '', { error: 'E' });
        return null;
      },
    });
    expect(seen.size).toBe(4);
  });
});
