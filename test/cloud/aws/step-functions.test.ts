/** Step Functions as it is played for the other tests: the rules of the service's API, asked by its own client. */
import { createServer } from 'node:http';
import { S3Client } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { realClock } from '../../../lib/engine/clock.ts';
import { listen } from '../../lib/functions/http/server.ts';
import { Keys } from './keys.ts';
import { REGION, type ServiceFault } from './service.ts';
import { StepFunctions } from './step-functions.ts';
import type { Mapping } from './template.ts';

const ROLE = 'arn:aws:iam::123456789012:role/machines';
const HELD = {
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
  HeartbeatSeconds: 60,
  End: true,
};

let executions: StepFunctions;
let client: SFNClient;
let events: Mapping[];
let close: () => Promise<void>;
/** The token of each invocation. */
let invoked: string[];
/** Milliseconds. */
let now: number;

beforeEach(async () => {
  events = [];
  invoked = [];
  now = Date.UTC(2026, 0, 1);
  const played = await listenFor();
  const config = {
    endpoint: played.url,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  client = new SFNClient(config);
  executions = new StepFunctions({
    ...{
      keys: new Keys(),
      s3: new S3Client(config),
      url: () => played.url,
      clock: { now: () => now, sleep: realClock.sleep },
    },
    emit: (event) => events.push(event),
  });
  close = played.close;
});
afterEach(async () => {
  executions.stop();
  client.destroy();
  await close();
});

/** The proxy's part: whose call it is does not matter here. Lambda is an answer to anything. */
async function listenFor() {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', headers, url = '/' } = request;
    const body = Buffer.concat(chunks);
    if (headers['x-amz-target'] === undefined) {
      invoked.push(String((JSON.parse(body.toString()) as Mapping).token));
      response.end('{}');
      return;
    }
    const principal = { kind: 'account', accessKey: 'test' } as const;
    const call = { service: 'states', action: '', resources: ['*'], principal, method, headers, body };
    const answer = await executions
      .service({ ...call, url: new URL(url, 'http://localhost') })
      .catch((error: ServiceFault) => error.answer);
    response.writeHead(answer?.status ?? 500, answer?.headers).end(answer?.body);
  });
  return listen(server, 'http');
}

async function machine(states: { readonly [name: string]: object }): Promise<string> {
  const definition = JSON.stringify({ QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states });
  const made = await client.send(new CreateStateMachineCommand({ name: 'm', roleArn: ROLE, definition }));
  return made.stateMachineArn ?? '';
}

const held = () =>
  machine({
    Held: { ...HELD, Arguments: { FunctionName: 'f', Payload: { token: '{% $states.context.Task.Token %}' } } },
  });
const done = () => machine({ Done: { Type: 'Succeed', Output: '{% $states.input %}' } });
const start = (stateMachineArn: string, more: object = {}) =>
  client.send(new StartExecutionCommand({ stateMachineArn, ...more }));

test.each(['', 'a b', 'a:b', 'a/b', 'x'.repeat(81), 'a{b}', 'a"b', 'tab\t'])('refuses the name %j', async (name) => {
  await expect(start(await done(), { name })).rejects.toMatchObject({ name: 'InvalidName' });
});

test('an input is JSON of 256 KiB at most', async () => {
  const arn = await done();
  await expect(start(arn, { input: '{' })).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
  await expect(start(arn, { input: JSON.stringify('x'.repeat(262_143)) })).rejects.toMatchObject({
    name: 'InvalidExecutionInput',
  });
});

test('a name starts once: the same input while it runs is the same execution', async () => {
  const arn = await held();
  const first = await start(arn, { name: 'n', input: '{"a":1}' });
  expect(await start(arn, { name: 'n', input: '{"a":1}' })).toMatchObject({ executionArn: first.executionArn });
  await expect(start(arn, { name: 'n', input: '{"a":2}' })).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  await client.send(new StopExecutionCommand({ executionArn: first.executionArn, error: 'E', cause: 'c' }));
  await expect(start(arn, { name: 'n', input: '{"a":1}' })).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  const described = await client.send(new DescribeExecutionCommand({ executionArn: first.executionArn }));
  expect(described).toMatchObject({ status: 'ABORTED', error: 'E', cause: 'c', input: '{"a":1}' });
  now += 90 * 86_400_000;
  expect(await start(arn, { name: 'n' })).toMatchObject({ executionArn: first.executionArn });
});

test('a token is answered once', async () => {
  const { executionArn } = await start(await held());
  await expect.poll(() => invoked).toHaveLength(1);
  const [taskToken] = invoked;
  await client.send(new SendTaskHeartbeatCommand({ taskToken }));
  await client.send(new SendTaskSuccessCommand({ taskToken, output: '{"n":1}' }));
  await executions.ended(executionArn ?? '');
  expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
    status: 'SUCCEEDED',
    output: '{"n":1}',
  });
  await expect(client.send(new SendTaskHeartbeatCommand({ taskToken }))).rejects.toMatchObject({
    name: 'TaskTimedOut',
  });
  await expect(client.send(new SendTaskHeartbeatCommand({ taskToken: 'x' }))).rejects.toMatchObject({
    name: 'InvalidToken',
  });
});

test('the history comes in pages, either way round, with times and texts as the service gives them', async () => {
  const { executionArn } = await start(await done(), { input: '{"a":1}' });
  await executions.ended(executionArn ?? '');
  const pages: (string | undefined)[][] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 3, nextToken }));
    pages.push((page.events ?? []).map(({ type }) => type));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  expect(pages).toEqual([['ExecutionStarted', 'SucceedStateEntered', 'SucceedStateExited'], ['ExecutionSucceeded']]);
  const back = await client.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }));
  expect(back.events).toMatchObject([
    { id: 4, previousEventId: 3, executionSucceededEventDetails: { output: '{"a":1}' } },
  ]);
  expect(back.events?.[0]?.timestamp).toEqual(new Date('2026-01-01T00:00:00Z'));
});

test('executions are listed newest first, and each change of status is an event', async () => {
  const arn = await done();
  for (const name of ['a', 'b']) await executions.ended((await start(arn, { name })).executionArn ?? '');
  const listed = await client.send(new ListExecutionsCommand({ stateMachineArn: arn, statusFilter: 'SUCCEEDED' }));
  expect(listed.executions?.map(({ name }) => name)).toEqual(['b', 'a']);
  expect(events.map(({ source, detail }) => [source, (detail as Mapping).name, (detail as Mapping).status])).toEqual([
    ['aws.states', 'a', 'RUNNING'],
    ['aws.states', 'a', 'SUCCEEDED'],
    ['aws.states', 'b', 'RUNNING'],
    ['aws.states', 'b', 'SUCCEEDED'],
  ]);
});

test('a definition with a fault is refused', async () => {
  await expect(machine({ A: { Type: 'Pass', Next: 'B' } })).rejects.toMatchObject({ name: 'InvalidDefinition' });
});
