/** What a page does with what is deployed, against a played Step Functions. Covers also open-project, choose-execution and watch-execution. */
import { describe, expect, it } from 'vitest';
import { DeployedProject } from '../../../lib/deployed/deployed-project.ts';
import type { OpenedProject } from '../../../lib/deployed/open-project.ts';
import { type RetryRequest, retryExecution, startExecution } from '../../../lib/deployed/start-execution.ts';
import type { ExecutionDescription, ExecutionStatus, States } from '../../../lib/deployed/states.ts';
import { executionSoFar, watchExecution } from '../../../lib/deployed/watch-execution.ts';

const MACHINE = 'arn:aws:states:eu-west-1:123456789012:stateMachine:shop-main';
const EXECUTIONS = 'arn:aws:states:eu-west-1:123456789012:execution:shop-main';
const DEFINITION = JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Succeed' } } });

/** A deployed project `shop` whose workflow `main` has one execution, of this status. */
function opened(status: ExecutionStatus = 'FAILED'): OpenedProject & { readonly inputs: unknown[] } {
  const inputs: unknown[] = [];
  const earlier: ExecutionDescription = {
    arn: `${EXECUTIONS}:main-1`,
    machineArn: MACHINE,
    name: 'main-1',
    status,
    started: 1,
    input: '{"session_time":"2030-01-31","params":{"a":1,"b":2}}',
  };
  const event = (id: number, more: object) => ({ id, previousEventId: id - 1, timestamp: id * 1000, ...more });
  const states: States = {
    machines: async () => [{ name: 'shop-main', arn: MACHINE }],
    tags: async () => ({ 'trowel:project': 'shop', 'trowel:workflow': 'main' }),
    executions: async () => [earlier],
    execution: async (arn) => (arn === earlier.arn ? earlier : undefined),
    definition: async () => DEFINITION,
    history: async () => ({
      events: [
        event(1, { type: 'ExecutionStarted', executionStartedEventDetails: { input: earlier.input } }),
        event(2, { type: 'ExecutionSucceeded', executionSucceededEventDetails: { output: '{}' } }),
      ] as never,
    }),
    start: async (_machine, name, input) => {
      inputs.push(JSON.parse(input));
      return `${EXECUTIONS}:${name}`;
    },
    stop: async () => {},
  };
  const command = (...words: readonly string[]) => ['trowel', ...words].join(' ');
  const connection = { region: 'eu-west-1' };
  return { states, connection, deployed: new DeployedProject(states, 'shop'), command, inputs };
}

describe('startExecution', () => {
  it('starts a workflow with a session and parameters', async () => {
    const shop = opened();
    const { name, arn, link } = await startExecution(shop, { workflow: 'main', session: 'daily', params: { a: '1' } });
    expect(shop.inputs).toEqual([{ session_time: 'daily', params: { a: '1' } }]);
    expect(name).toMatch(/^main-\d{8}T\d{6}Z-[0-9a-f]{6}$/);
    expect(arn).toBe(`${EXECUTIONS}:${name}`);
    expect(link).toContain(arn);
  });

  it.each([
    [{ workflow: 'nain' }, 'failed', 'the workflow nain of project shop is not deployed'],
    [{ session: 'someday' }, 'usage', '--session someday: '],
    [{ params: { a: 'x'.repeat(300_000) } }, 'usage', 'the parameters take 293 KiB, and an execution takes 256'],
  ])('refuses %#', async (request, kind, message) => {
    const started = startExecution(opened(), { workflow: 'main', params: {}, ...request });
    await expect(started).rejects.toMatchObject({ kind, message: expect.stringContaining(message) });
  });
});

describe('retryExecution', () => {
  it.each<[Partial<RetryRequest>, object]>([
    [{}, { session_time: '2030-01-31', params: { a: 1, b: 2 } }],
    [{ params: { b: 3 } }, { session_time: '2030-01-31', params: { a: 1, b: 3 } }],
    [
      { execution: 'main', resume: true },
      { resume_from: ['main-1'], session_time: '2030-01-31', params: { a: 1, b: 2 } },
    ],
  ])('starts %j', async (request, input) => {
    const shop = opened();
    await retryExecution(shop, { resume: false, params: {}, ...request });
    expect(shop.inputs).toEqual([input]);
  });

  it.each<[ExecutionStatus, Partial<RetryRequest>, string]>([
    ['RUNNING', {}, 'main-1 still runs'],
    ['SUCCEEDED', { resume: true }, 'there is nothing to resume'],
    ['SUCCEEDED', { resume: true, execution: 'main-1' }, 'there is nothing to resume: main-1 succeeded'],
    ['FAILED', { execution: 'main-2' }, 'there is no execution and no workflow main-2 of project shop'],
  ])('refuses one that is %s: %j', async (status, request, message) => {
    const retried = retryExecution(opened(status), { resume: false, params: {}, ...request });
    await expect(retried).rejects.toMatchObject({ kind: 'usage', message: expect.stringContaining(message) });
  });
});

it('an execution that has ended gives its events, watched or read', async () => {
  const shop = opened();
  for (const events of [
    watchExecution(shop, `${EXECUTIONS}:main-1`),
    executionSoFar(shop, `${EXECUTIONS}:main-1`, 'shop'),
  ]) {
    const types: string[] = [];
    for await (const { type } of events) types.push(type);
    expect(types).toEqual(['run-started', 'run-ended']);
  }
});
