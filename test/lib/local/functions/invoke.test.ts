import { describe, expect, it } from 'vitest';
import type { Json, StateMachine } from '../../../../lib/asl/types.ts';
import { TaskError } from '../../../../lib/engine/errors.ts';
import { execute } from '../../../../lib/engine/execution.ts';
import type { Call, Outcome } from '../../../../lib/engine/types.ts';
import { Executions } from '../../../../lib/local/functions/executions.ts';
import { localInvoke, type Resources } from '../../../../lib/local/functions/invoke.ts';

const taskError = (name: string, cause: string): Error => new TaskError(name, cause);

function callOf(resource: string, given: Json, written = given): Call {
  const { signal } = new AbortController();
  const state = { stateName: 'S', retryCount: 0, executionArn: 'arn', executionName: 'e', signal };
  return { resource, arguments: given, written, ...state };
}

function invokeOf(given: Partial<Resources> = {}) {
  const executions = new Executions(() => undefined, taskError);
  return localInvoke({ functions: {}, executions, taskError, ...given });
}

const LAMBDA = 'arn:aws:states:::lambda:invoke';
const START = 'arn:aws:states:::states:startExecution.sync:2';
const DESCRIBE = 'arn:aws:states:::aws-sdk:sfn:describeExecution';

describe('a function', () => {
  it('answers as Lambda does', async () => {
    const invoke = invokeOf({ functions: { echo: async (payload) => ({ got: payload }) } });
    const answer = await invoke(callOf(LAMBDA, { FunctionName: '${echo}', Payload: { a: 1 } }));
    expect(answer).toEqual({ Payload: { got: { a: 1 } }, StatusCode: 200 });
  });

  it('fails under the name of its error', async () => {
    const broken = async (): Promise<Json> => {
      throw Object.assign(new Error('bad ${x}'), { name: 'Trowel.Template' });
    };
    const invoke = invokeOf({ functions: { broken } });
    await expect(invoke(callOf(LAMBDA, { FunctionName: '${broken}' }))).rejects.toMatchObject({
      error: 'Trowel.Template',
      causeText: '{"errorType":"Trowel.Template","errorMessage":"bad ${x}"}',
    });
  });

  it("of the user's own, and every other resource, goes to AWS", async () => {
    const aws = async (call: Call): Promise<Json> => ({ aws: call.resource });
    const invoke = invokeOf({ aws });
    expect(await invoke(callOf(LAMBDA, { FunctionName: 'mine' }))).toEqual({ aws: LAMBDA });
    expect(await invoke(callOf('arn:aws:states:::aws-sdk:s3:getObject', {}))).toEqual({
      aws: 'arn:aws:states:::aws-sdk:s3:getObject',
    });
    await expect(invokeOf()(callOf('arn:x', {}))).rejects.toMatchObject({ error: 'States.TaskFailed' });
  });
});

it('that an expression names is none of Trowel’s', async () => {
  const aws = async (call: Call): Promise<Json> => ({ aws: call.arguments });
  const invoke = invokeOf({ aws, functions: { http: async () => expect.fail('it was invoked') } });
  const given = { FunctionName: '${http}', Payload: {} };
  const written = { FunctionName: '{% $states.input.k._command %}' };
  expect(await invoke(callOf(LAMBDA, given, written))).toEqual({ aws: given });
  expect(await invoke(callOf(LAMBDA, given, '{% $states.input.k.arguments %}'))).toEqual({ aws: given });
  const machine = { StateMachineArn: '${sm_other}', Input: {} };
  expect(await invoke(callOf(START, machine, '{% $states.input.k.arguments %}'))).toEqual({ aws: machine });
});

describe('another state machine', () => {
  const machines: { readonly [name: string]: StateMachine } = {
    good: {
      QueryLanguage: 'JSONata',
      StartAt: 'A',
      States: { A: { Type: 'Succeed', Output: { saw: '{% $states.input %}' } } },
    },
    bad: {
      QueryLanguage: 'JSONata',
      StartAt: 'A',
      States: { A: { Type: 'Fail', Error: 'Trowel.TaskFailed', Cause: 'no' } },
    },
    slow: {
      QueryLanguage: 'JSONata',
      StartAt: 'A',
      States: { A: { Type: 'Wait', Seconds: 1, End: true } },
    },
  };

  const sleep = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
  const clock = { now: Date.now, sleep };

  function started() {
    let count = 0;
    const run = (
      name: string,
      child: { name: string; input: Json; signal: AbortSignal },
    ): Promise<Outcome> | undefined => {
      const machine = machines[name];
      count += 1;
      return machine && execute(machine, { ...child, invoke: async () => ({}), clock }).outcome;
    };
    const invoke = invokeOf({ executions: new Executions(run, taskError) });
    const start = (machine: string, Name: string, Input: Json = {}): Promise<Json> =>
      invoke(callOf(START, { StateMachineArn: `\${sm_${machine}}`, Name, Input }));
    return { start, invoke, count: () => count };
  }

  it('runs here; its output is JSON', async () => {
    const { start } = started();
    expect(await start('good', 'good-1', { a: 1 })).toMatchObject({
      Name: 'good-1',
      Status: 'SUCCEEDED',
      Input: { a: 1 },
      Output: { saw: { a: 1 } },
    });
  });

  it('fails with its description as the cause', async () => {
    const { start } = started();
    const error = await start('bad', 'bad-1').catch((caught: TaskError) => caught);
    expect(error).toMatchObject({ error: 'States.TaskFailed' });
    expect(JSON.parse((error as TaskError).causeText)).toMatchObject({
      Status: 'FAILED',
      Error: 'Trowel.TaskFailed',
      Cause: 'no',
    });
  });

  it('runs once under a name: while it runs the same start waits for it, later it exists already', async () => {
    const { start, invoke, count } = started();
    const both = await Promise.all([start('slow', 'one', { a: 1 }), start('slow', 'one', { a: 1 })]);
    expect(both[0]).toEqual(both[1]);
    expect(count()).toBe(1);
    const error = await start('slow', 'one', { a: 1 }).catch((caught: TaskError) => caught);
    expect(error).toMatchObject({ error: 'StepFunctions.ExecutionAlreadyExistsException' });
    const arn = 'arn:aws:states:local:000000000000:execution:slow:one';
    expect(await invoke(callOf(DESCRIBE, { ExecutionArn: arn }))).toMatchObject({
      Status: 'SUCCEEDED',
      Input: '{"a":1}',
    });
    const other = start('slow', 'two', {});
    await expect(start('slow', 'two', { b: 1 })).rejects.toMatchObject({
      error: 'StepFunctions.ExecutionAlreadyExistsException',
    });
    await other;
  });

  it('that is not there is named', async () => {
    const { start } = started();
    await expect(start('nothing', 'n')).rejects.toMatchObject({ causeText: 'There is no workflow nothing' });
  });
});
