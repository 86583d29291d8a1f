/** Covers lib/engine/execution.ts, lib/engine/history.ts. */
import { describe, expect, test } from 'vitest';
import { TaskError } from '../../../lib/engine/errors.ts';
import { machineOf, pass, run, type States, shape, task } from './harness.ts';

/**
 * Histories as the service records them (ids, previous ids and types of events), for machines of the same shape. Where several threads run,
 * the service's order among them is arbitrary; these cases have none such.
 */
const fails = async () => {
  throw new TaskError('Exception', 'raised');
};
const failing = { StartAt: 'B', States: { B: { Type: 'Fail', Error: 'E' } } };
const mapped = (states: object, config: object = {}) => ({ ...config, StartAt: 'I', States: { I: states } });

const cases: [string, States, object, string][] = [
  [
    'an Output that is nothing',
    { S: pass({ Output: '{% $no %}' }) },
    {},
    '2<0 PassStateEntered, 3<0 EvaluationFailed, 4<3 ExecutionFailed',
  ],
  [
    'a Choice rule with Assign',
    {
      C: {
        Type: 'Choice',
        Choices: [{ Condition: true, Assign: { a: 1 }, Next: 'T' }],
        Assign: { a: 2 },
        Default: 'T',
      },
      T: pass(),
    },
    {},
    '2<0 ChoiceStateEntered, 3<2 ChoiceStateExited, 4<3 PassStateEntered, 5<4 PassStateExited, 6<5 ExecutionSucceeded',
  ],
  [
    'a Task that is caught',
    { T: task({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'F' }] }), F: pass() },
    { invoke: fails },
    '2<0 TaskStateEntered, 3<2 TaskScheduled, 4<3 TaskStarted, 5<4 TaskFailed, 6<5 TaskStateExited, ' +
      '7<6 PassStateEntered, 8<7 PassStateExited, 9<8 ExecutionSucceeded',
  ],
  [
    'a Task that is retried once',
    { T: task({ Retry: [{ ErrorEquals: ['Exception'], MaxAttempts: 1 }] }) },
    { invoke: fails },
    '2<0 TaskStateEntered, 3<2 TaskScheduled, 4<3 TaskStarted, 5<4 TaskFailed, 6<5 TaskScheduled, 7<6 TaskStarted, ' +
      '8<7 TaskFailed, 9<8 ExecutionFailed',
  ],
  [
    'a Task that times out',
    { T: task({ TimeoutSeconds: 5 }) },
    { invoke: () => new Promise(() => {}) },
    '2<0 TaskStateEntered, 3<2 TaskScheduled, 4<3 TaskStarted, 5<4 TaskTimedOut, 6<5 ExecutionFailed',
  ],
  [
    'a callback that never comes',
    {
      T: task({
        Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
        Arguments: '{% {"t": $states.context.Task.Token} %}',
        TimeoutSeconds: 600,
        HeartbeatSeconds: 5,
      }),
    },
    {},
    '2<0 TaskStateEntered, 3<2 TaskScheduled, 4<3 TaskStarted, 5<4 TaskSubmitted, 6<5 TaskTimedOut, 7<6 ExecutionFailed',
  ],
  [
    'a Parallel that fails',
    { P: { Type: 'Parallel', Branches: [failing], End: true } },
    {},
    '2<0 ParallelStateEntered, 3<2 ParallelStateStarted, 4<3 FailStateEntered, 5<4 ParallelStateFailed, 6<5 ExecutionFailed',
  ],
  [
    'a Parallel that is retried',
    { P: { Type: 'Parallel', Branches: [failing], Retry: [{ ErrorEquals: ['E'], MaxAttempts: 2 }], End: true } },
    {},
    '2<0 ParallelStateEntered, 3<2 ParallelStateStarted, 4<3 FailStateEntered, 5<4 ParallelStateStarted, ' +
      '6<5 FailStateEntered, 7<6 ParallelStateStarted, 8<7 FailStateEntered, 9<8 ParallelStateFailed, 10<9 ExecutionFailed',
  ],
  [
    'a Parallel with a task that fails, retried once and caught',
    {
      P: {
        Type: 'Parallel',
        Branches: [{ StartAt: 'B', States: { B: task() } }],
        Retry: [{ ErrorEquals: ['Exception'], MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'F' }],
        End: true,
      },
      F: pass(),
    },
    { invoke: fails },
    '2<0 ParallelStateEntered, 3<2 ParallelStateStarted, 4<3 TaskStateEntered, 5<4 TaskScheduled, 6<5 TaskStarted, ' +
      '7<6 TaskFailed, 8<7 TaskStateAborted, 9<7 ParallelStateStarted, 10<9 TaskStateEntered, 11<10 TaskScheduled, ' +
      '12<11 TaskStarted, 13<12 TaskFailed, 14<13 TaskStateAborted, 15<13 ParallelStateFailed, 16<15 ParallelStateExited, ' +
      '17<16 PassStateEntered, 18<17 PassStateExited, 19<18 ExecutionSucceeded',
  ],
  [
    'a Map with an iteration that fails, caught',
    {
      M: {
        Type: 'Map',
        Items: [1],
        ItemProcessor: mapped({ Type: 'Fail', Error: 'E' }),
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'F' }],
        End: true,
      },
      F: pass(),
    },
    {},
    '2<0 MapStateEntered, 3<2 MapStateStarted, 4<3 MapIterationStarted, 5<4 FailStateEntered, 6<5 MapIterationFailed, ' +
      '7<5 MapStateFailed, 8<7 MapStateExited, 9<8 PassStateEntered, 10<9 PassStateExited, 11<10 ExecutionSucceeded',
  ],
  [
    'a Map with a task that fails',
    { M: { Type: 'Map', Items: [1], ItemProcessor: mapped(task()), End: true } },
    { invoke: fails },
    '2<0 MapStateEntered, 3<2 MapStateStarted, 4<3 MapIterationStarted, 5<4 TaskStateEntered, 6<5 TaskScheduled, ' +
      '7<6 TaskStarted, 8<7 TaskFailed, 9<8 MapIterationFailed, 10<8 TaskStateAborted, 11<8 MapStateFailed, 12<11 ExecutionFailed',
  ],
  [
    'a function named by its ARN',
    { T: task({ Resource: 'arn:aws:lambda:eu-west-1:1:function:f' }) },
    { invoke: fails },
    '2<0 TaskStateEntered, 3<2 LambdaFunctionScheduled, 4<3 LambdaFunctionStarted, 5<4 LambdaFunctionFailed, 6<5 ExecutionFailed',
  ],
  [
    'an activity that nobody takes',
    { T: task({ Resource: 'arn:aws:states:eu-west-1:1:activity:a', TimeoutSeconds: 5 }) },
    { invoke: () => new Promise(() => {}) },
    '2<0 TaskStateEntered, 3<2 ActivityScheduled, 4<3 ActivityStarted, 5<4 ActivityTimedOut, 6<5 ExecutionFailed',
  ],
  [
    'a Timestamp that is none',
    { W: { Type: 'Wait', Timestamp: '{% "2030-01-01 00:00:00Z" %}', End: true } },
    {},
    '2<0 WaitStateEntered, 3<2 EvaluationFailed, 4<3 ExecutionFailed',
  ],
  [
    'a Map one after another',
    {
      S: { Type: 'Pass', Assign: { x: 42 }, Next: 'M' },
      M: {
        Type: 'Map',
        MaxConcurrency: 1,
        Items: [1, 2],
        ItemProcessor: mapped(pass({ Assign: { innerX: '{% $x %}' } })),
        End: true,
      },
    },
    {},
    '2<0 PassStateEntered, 3<2 PassStateExited, 4<3 MapStateEntered, 5<4 MapStateStarted, 6<5 MapIterationStarted, ' +
      '7<6 PassStateEntered, 8<7 PassStateExited, 9<8 MapIterationSucceeded, 10<8 MapIterationStarted, ' +
      '11<10 PassStateEntered, 12<11 PassStateExited, 13<12 MapIterationSucceeded, 14<13 MapStateSucceeded, ' +
      '15<13 MapStateExited, 16<15 ExecutionSucceeded',
  ],
  [
    'Items that are no array',
    { M: { Type: 'Map', Items: '{% null %}', ItemProcessor: mapped(pass()), End: true } },
    {},
    '2<0 MapStateEntered, 3<0 EvaluationFailed, 4<3 MapStateFailed, 5<4 ExecutionFailed',
  ],
  [
    'a distributed Map, whose children have histories of their own',
    {
      M: {
        Type: 'Map',
        Items: ['Hello', 'World'],
        ItemProcessor: mapped(pass(), { ProcessorConfig: { Mode: 'DISTRIBUTED' } }),
        Next: 'Finish',
      },
      Finish: { Type: 'Succeed' },
    },
    {},
    '2<0 MapStateEntered, 3<2 MapStateStarted, 4<3 MapRunStarted, 5<4 MapRunSucceeded, 6<5 MapStateSucceeded, ' +
      '7<5 MapStateExited, 8<7 SucceedStateEntered, 9<8 SucceedStateExited, 10<9 ExecutionSucceeded',
  ],
];

describe('histories', () => {
  test.each(cases)('%s', async (_name, states, options, expected) => {
    const { events } = await run(machineOf(states), options);
    const own = events.filter(({ execution }) => execution === undefined);
    expect(shape(own).join(', ')).toBe(`1<0 ExecutionStarted, ${expected}`);
  });
});

test('the details have the fields of the service', async () => {
  const { events } = await run(
    machineOf({
      T: task({
        Resource: 'arn:aws:states:::aws-sdk:s3:getObject',
        Arguments: { Bucket: 'b' },
        TimeoutSeconds: '{% 600 %}',
        Assign: { x: '{% $states.result.Bucket %}' },
        Output: 1,
      }),
    }),
    { input: { a: 1 } },
  );
  const names = { resourceType: 'aws-sdk:s3', resource: 'getObject' };
  expect(events.slice(1, -1)).toMatchObject([
    { type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'T', input: { a: 1 } } },
    { stateEntry: 2, taskScheduledEventDetails: { ...names, parameters: { Bucket: 'b' }, timeoutInSeconds: 600 } },
    { stateEntry: 2, taskStartedEventDetails: names },
    { stateEntry: 2, taskSucceededEventDetails: { ...names, output: { Bucket: 'b' } } },
    { stateEntry: 2, stateExitedEventDetails: { name: 'T', output: 1, assignedVariables: { x: 'b' } } },
  ]);
});
