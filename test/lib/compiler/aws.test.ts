/** Covers lib/compiler/operators/aws.ts, lib/compiler/operators/s3-wait.ts, lib/compiler/operators/function.ts, lib/compiler/retry.ts. */
import { describe, expect, it } from 'vitest';
import type { Json, State } from '../../../lib/asl/types.ts';
import type { Payload as EvaluatePayload, SessionPayload } from '../../../lib/contract/payload.ts';
import { VirtualClock } from '../../../lib/engine/clock.ts';
import { TaskError } from '../../../lib/engine/errors.ts';
import { execute } from '../../../lib/engine/execution.ts';
import type { Call, Outcome } from '../../../lib/engine/types.ts';
import { evaluate } from '../../../lib/functions/evaluate/core.ts';
import { session } from '../../../lib/functions/session/core.ts';
import { compiledText, play } from './play.ts';

function argumentsOf(task: string): unknown {
  const states = compiledText(`+t:\n  ${task.trim().replaceAll('\n', '\n  ')}\n`).machine.States;
  return (states['+main+t'] as State & { readonly Arguments?: unknown }).Arguments;
}

describe('aws> and lambda> as integrations of Step Functions', () => {
  it.each<[string, unknown]>([
    ['lambda>: fn', { FunctionName: 'fn', Payload: {} }],
    [
      'lambda>: fn\nqualifier: live\ninvocation_type: Event\npayload: {a: 1}',
      { FunctionName: 'fn', Payload: { a: 1 }, Qualifier: 'live', InvocationType: 'Event' },
    ],
    [
      'lambda>: fn\nqualifier: "${stage}"\npayload: {a: "${session_date}"}',
      { FunctionName: 'fn', Payload: '{% $states.input.k.payload %}', Qualifier: '{% $states.input.k.qualifier %}' },
    ],
    ['lambda>: "${fn}"', { FunctionName: '{% $states.input.k._command %}', Payload: {} }],
    ['aws>: sqs:sendMessage\narguments: {QueueUrl: q}', { QueueUrl: 'q' }],
    ['aws>: sqs:sendMessage\narguments: {"trowel:x": q}', { 'trowel:x': 'q' }],
  ])('%s', (task, expected) => {
    expect(argumentsOf(task)).toEqual(expected);
  });

  it.each<[string, string]>([
    ['athena:startQueryExecution.sync', 'arn:aws:states:::athena:startQueryExecution.sync'],
    ['ecs:runTask.sync', 'arn:aws:states:::ecs:runTask.sync'],
    ['s3:listObjectsV2', 'arn:aws:states:::aws-sdk:s3:listObjectsV2'],
    ['states:startExecution.sync:2', 'arn:aws:states:::states:startExecution.sync:2'],
  ])('%s', (action, resource) => {
    const states = compiledText(`+t: {aws>: "${action}", arguments: {}}`).machine.States;
    expect(states['+main+t']).toMatchObject({ Type: 'Task', Resource: resource });
  });

  it('wait> is a Wait, of a time that an expression gives too', async () => {
    expect(compiledText('+t: {wait>: 1m}').machine.States['+main+t']).toMatchObject({ Type: 'Wait', Seconds: 60 });
    const { outcome, seconds } = await play('_export: {n: 90}\n+t: {wait>: "${n}s"}');
    expect(outcome).toMatchObject({ status: 'SUCCEEDED' });
    expect(seconds).toBe(90);
  });
});

describe('_retry and _timeout of what Step Functions itself calls', () => {
  /** How often the service is asked, and how the run ends; each call fails with the error, or takes so many virtual seconds. */
  async function calls(task: string, fault: string | number): Promise<readonly [number, Outcome, number]> {
    const { machine } = compiledText(`+t:\n  ${task.replaceAll('\n', '\n  ')}\n`, { 'other.dig': '+x: {echo>: x}\n' });
    const clock = new VirtualClock();
    let count = 0;
    const invoke = async (call: Call): Promise<Json> => {
      const { FunctionName, Payload } = call.arguments as { FunctionName?: string; Payload?: Json };
      const answered = (answer: unknown): Json => ({ Payload: JSON.parse(JSON.stringify(answer)) });
      if (FunctionName === '${session}') return answered(await session(Payload as unknown as SessionPayload));
      if (FunctionName === '${evaluate}') return answered(await evaluate(Payload as unknown as EvaluatePayload));
      count += 1;
      if (typeof fault === 'string') throw new TaskError(fault, 'no');
      await clock.sleep(fault * 1000, call.signal);
      return {};
    };
    const start = clock.now();
    const execution = execute(machine, { input: {}, invoke, clock, random: () => 0.5 });
    for await (const _ of execution);
    return [count, await execution.outcome, Math.round((clock.now() - start) / 1000)];
  }

  it.each<[string, string, string, number]>([
    ['an error of the service', 'aws>: s3:getObject\narguments: {}\n_retry: 2', 'S3.NoSuchBucketException', 3],
    ['none without _retry', 'aws>: s3:getObject\narguments: {}', 'S3.NoSuchBucketException', 1],
    ['an error of the user’s function', 'lambda>: fn\n_retry: 1', 'ValueError', 2],
    ['with a _check after it', 'lambda>: fn\n_retry: 1\n_check: {+c: {echo>: x}}', 'ValueError', 2],
    ['by an expression', 'lambda>: fn\n_retry: "${1 + 1}"', 'ValueError', 3],
    ['an error of S3', 's3_wait>: b/k\n_retry: 2', 'S3.S3Exception', 3],
    ['a file that does not come', 's3_wait>: b/k\ntimeout: 4s\n_retry: 1', 'S3.NoSuchKeyException', 4],
    ['a workflow that fails', 'require>: other\n_retry: 1', 'States.TaskFailed', 2],
    ['Lambda itself, apart from _retry', 'lambda>: fn', 'Lambda.ServiceException', 7],
    ['what Lambda does not explain', 'lambda>: fn', 'Lambda.AWSLambdaException', 7],
    ['a connection that waited too long', 'lambda>: fn', 'Lambda.ClientExecutionTimeoutException', 7],
    ['a lack of room in Lambda, for longer', 'lambda>: fn', 'Lambda.TooManyRequestsException', 25],
    ['not what no try would change', 'aws>: sqs:sendMessage\narguments: {}\n_retry: 2', 'Trowel.BadInput', 1],
    ['nor that with a _check', 'lambda>: fn\n_retry: 1\n_check: {+c: {echo>: x}}', 'Trowel.BadInput', 1],
  ])('repeats %s', async (_, task, error, expected) => {
    const [count, { status }] = await calls(task, error);
    expect([count, status]).toEqual([expected, 'FAILED']);
  });

  it('a call that takes longer than its _timeout fails, and is made once', async () => {
    const [count, outcome, seconds] = await calls(
      'aws>: glue:startJobRun\narguments: {JobName: j}\n_timeout: 60s',
      3600,
    );
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect([count, seconds]).toEqual([1, 60]);
  });

  it.each<[string, string, number]>([
    ['once', 'http>: https://example.com\nmethod: POST\n_timeout: 60s', 1],
    ['as often as its _retry says', 'http>: https://example.com\n_timeout: 60s\n_retry: 1', 2],
    ['also with a _check', 'http>: https://example.com\n_timeout: 60s\n_retry: 1\n_check: {+c: {echo>: x}}', 2],
    ['and a mail> once', 'mail>: {data: x}\nsubject: x\nto: a@example.com\nfrom: b@example.com\n_timeout: 60s', 1],
  ])('an http> that takes longer than its _timeout is sent %s', async (_, task, expected) => {
    const [count, outcome] = await calls(task, 3600);
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(count).toBe(expected);
  });

  it('and as often as its _retry says', async () => {
    const [count] = await calls('aws>: glue:startJobRun\narguments: {JobName: j}\n_timeout: 60s\n_retry: 2', 3600);
    expect(count).toBe(3);
  });
});
