import { describe, expect, it } from 'vitest';
import type { State } from '../../../lib/asl/types.ts';
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
