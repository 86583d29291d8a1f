import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Json } from '../../../../lib/asl/types.ts';
import { type Aws, type AwsOptions, aws } from '../../../../lib/local/aws/aws.ts';
import { type Answer, type Sink, serve } from '../../functions/http/server.ts';
import { type Moto, motoPython, startMoto } from '../moto.ts';

type Mapping = { [key: string]: Json };

let project = '';
const open: (() => unknown)[] = [];

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'trowel-aws-'));
});
afterAll(() => rmSync(project, { recursive: true }));
afterEach(async () => {
  for (const close of open.splice(0)) await close();
  vi.unstubAllEnvs();
});

function user(endpoint: string | undefined, more: { [name: string]: string | undefined } = {}): void {
  const env = {
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    AWS_PROFILE: undefined,
  };
  const elsewhere = { AWS_CONFIG_FILE: join(project, 'none'), AWS_SHARED_CREDENTIALS_FILE: join(project, 'none') };
  const all = { ...env, ...elsewhere, AWS_EC2_METADATA_DISABLED: 'true', AWS_ENDPOINT_URL: endpoint, ...more };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
}

function opened(options: Partial<AwsOptions> = {}): Aws {
  const made = aws({ project, sleep: async () => undefined, ...options });
  open.push(() => made.close());
  return made;
}

const call = (to: Aws, resource: string, args: Json, signal = new AbortController().signal): Promise<Json> =>
  to.invoke({ resource: `arn:aws:states:::${resource}`, arguments: args, signal });

async function failure(promise: Promise<unknown>): Promise<{ name: string; message: string }> {
  const error = await promise.then(
    (value) => new Error(`it succeeded: ${JSON.stringify(value)}`),
    (reason: Error) => reason,
  );
  return { name: error.name, message: error.message };
}

async function sink(answers: readonly Answer[] | Parameters<typeof serve>[0]): Promise<Sink> {
  const to = await serve(answers);
  open.push(() => to.close());
  return to;
}

const python = motoPython();
describe('against moto', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto(python ?? '');
  });
  afterAll(() => moto?.stop());

  test('an object is waited for, found and read; names have capital letters', async () => {
    user(moto.url);
    const to = opened();
    await call(to, 'aws-sdk:s3:createBucket', { Bucket: 'data' });
    const asked = { Bucket: 'data', Key: 'a/b c.json' };
    expect(await failure(call(to, 'aws-sdk:s3:headObject', asked))).toEqual({
      name: 'S3.NoSuchKeyException',
      message: expect.stringMatching(
        /^The specified key does not exist. \(Service: S3, Status Code: 404, Request ID: /,
      ),
    });
    await call(to, 'aws-sdk:s3:putObject', { ...asked, Body: { x: [1] }, Metadata: { 'my-key': 'v' } });
    expect(await call(to, 'aws-sdk:s3:headObject', asked)).toMatchObject({
      ContentLength: 9,
      ETag: expect.any(String),
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      Metadata: { 'my-key': 'v' },
    });
    expect(await call(to, 'aws-sdk:s3:getObject', asked)).toMatchObject({ Body: '{"x":[1]}' });
    expect(await call(to, 'aws-sdk:s3:listObjectsV2', { Bucket: 'data' })).toMatchObject({
      Contents: [{ Key: 'a/b c.json' }],
    });
    expect((await failure(call(to, 'aws-sdk:s3:getObject', { Bucket: 'data', Key: 'no' }))).name).toBe(
      'S3.NoSuchKeyException',
    );
    expect((await failure(call(to, 'aws-sdk:s3:getObject', { Bucket: 'nobody', Key: 'no' }))).name).toBe(
      'S3.NoSuchBucketException',
    );
    expect((await failure(call(to, 'aws-sdk:s3:headBucket', { Bucket: 'nobody' }))).name).toBe(
      'S3.NoSuchBucketException',
    );
  });

  test('options and secrets of s3_wait>', async () => {
    user(undefined, { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_REGION: undefined });
    const asked: string[] = [];
    const values: { [key: string]: string } = {
      'aws.access_key_id': 'id',
      'aws.secret_access_key': 's',
      'aws.s3.endpoint': moto.url,
    };
    const to = opened({
      secret: async (key, mounts) => {
        asked.push(`${key} ${JSON.stringify(mounts)}`);
        return values[key];
      },
    });
    const client = {
      secrets: ['aws.s3', 'aws'],
      mounts: { aws: true },
      region: 'eu-west-1',
      endpoint: 'http://127.0.0.1:1',
      path_style_access: 'true',
    };
    const args = { Bucket: 'nobody', Key: 'k', 'trowel:client': client };
    expect((await failure(call(to, 'aws-sdk:s3:headObject', args))).name).toBe('S3.NoSuchKeyException');
    expect(asked).toContain('aws.s3.access_key_id {"aws":true}');
  });

  test('athena:startQueryExecution.sync polls to the end', async () => {
    user(moto.url);
    fakeClient('athena', 'Athena', 'AmazonAthena', ['StartQueryExecution', 'GetQueryExecution', 'StopQueryExecution']);
    const answer = await call(opened(), 'athena:startQueryExecution.sync', {
      QueryString: 'SELECT 1',
      ResultConfiguration: { OutputLocation: 's3://data/out' },
    });
    expect(answer).toMatchObject({ QueryExecution: { Query: 'SELECT 1', Status: { State: 'SUCCEEDED' } } });
  });

  test('an optimized integration of a client that the user installed, and its errors', async () => {
    user(moto.url);
    fakeClient('dynamodb', 'DynamoDB', 'DynamoDB_20120810', ['CreateTable', 'PutItem', 'GetItem']);
    const to = opened();
    await call(to, 'aws-sdk:dynamodb:createTable', {
      TableName: 't',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    await call(to, 'dynamodb:putItem', { TableName: 't', Item: { id: { S: 'a' }, n: { N: '1' } } });
    expect(await call(to, 'dynamodb:getItem', { TableName: 't', Key: { id: { S: 'a' } } })).toEqual({
      Item: { id: { S: 'a' }, n: { N: '1' } },
    });
    const item = { TableName: 't', Item: { id: { S: 'a' } }, ConditionExpression: 'attribute_not_exists(id)' };
    expect((await failure(call(to, 'dynamodb:putItem', item))).name).toBe('DynamoDB.ConditionalCheckFailedException');
    expect((await failure(call(to, 'aws-sdk:dynamodb:putItem', item))).name).toBe(
      'DynamoDb.ConditionalCheckFailedException',
    );
  });
});

describe('lambda:invoke', () => {
  const invoke = async (answer: Answer, args: Mapping = {}): Promise<{ result: Promise<Json>; to: Sink }> => {
    const to = await sink([answer]);
    user(to.url);
    return { result: call(opened(), 'lambda:invoke', { FunctionName: 'f', ...args }), to };
  };

  test('JSON goes in and comes out', async () => {
    const { result, to } = await invoke(
      { body: '{"y":"é"}', headers: { 'x-amz-executed-version': '$LATEST' } },
      { Payload: { x: ['"'] }, Qualifier: '3' },
    );
    expect(await result).toEqual({ ExecutedVersion: '$LATEST', Payload: { y: 'é' }, StatusCode: 200 });
    expect(to.received[0]).toMatchObject({
      url: '/2015-03-31/functions/f/invocations?Qualifier=3',
      body: '{"x":["\\""]}',
    });
  });

  test("a function's own error", async () => {
    const body = '{"errorMessage":"no","errorType":"ValueError","trace":[]}';
    const { result } = await invoke({ body, headers: { 'x-amz-function-error': 'Unhandled' } });
    expect(await failure(result)).toEqual({ name: 'ValueError', message: body });
  });

  test.each<[number, string, string]>([
    [404, 'ResourceNotFoundException', 'Lambda.ResourceNotFoundException'],
    [400, 'SomethingNew', 'Lambda.AWSLambdaException'],
  ])('%d %s', async (status, type, name) => {
    const headers = { 'x-amzn-errortype': type, 'content-type': 'application/json' };
    const { result } = await invoke({ status, headers, body: '{"message":"nope"}' });
    expect(await failure(result)).toEqual({
      name,
      message: expect.stringMatching(`^nope \\(Service: Lambda, Status Code: ${status},`),
    });
  });

  test('as an SDK integration, members of nested structures included', async () => {
    const to = await sink([
      {
        body: '{"FunctionName":"f","Environment":{"Variables":{"lower":"x"}}}',
        headers: { 'content-type': 'application/json' },
      },
    ]);
    user(to.url);
    expect(await call(opened(), 'aws-sdk:lambda:getFunctionConfiguration', { FunctionName: 'f' })).toEqual({
      FunctionName: 'f',
      Environment: { Variables: { lower: 'x' } },
    });
  });
});

describe('jobs', () => {
  const states = { QueryExecutionId: 'q' };
  const answers = (...polls: string[]): ((request: { headers: { [name: string]: unknown } }) => Answer) => {
    let polled = 0;
    return ({ headers }) => {
      const action = String(headers['x-amz-target']);
      if (!action.endsWith('GetQueryExecution')) return { body: JSON.stringify(states) };
      return {
        body: JSON.stringify({ QueryExecution: { Status: { State: polls[Math.min(polled++, polls.length - 1)] } } }),
      };
    };
  };
  const actions = ['StartQueryExecution', 'GetQueryExecution', 'StopQueryExecution'];

  test.each<[string, string, string, Mapping, Mapping, Mapping, Mapping]>([
    ['batch', 'submitJob', 'DescribeJobs', {}, { JobId: 'j' }, { Jobs: ['j'] }, { Jobs: [{ Status: 'SUCCEEDED' }] }],
    [
      'codebuild',
      'startBuild',
      'BatchGetBuilds',
      {},
      { Build: { Id: 'b' } },
      { Ids: ['b'] },
      { Builds: [{ BuildStatus: 'SUCCEEDED' }] },
    ],
    [
      'databrew',
      'startJobRun',
      'DescribeJobRun',
      { Name: 'n' },
      { RunId: 'r' },
      { Name: 'n', RunId: 'r' },
      { State: 'SUCCEEDED' },
    ],
    [
      'ecs',
      'runTask',
      'DescribeTasks',
      { Cluster: 'c' },
      { Tasks: [{ TaskArn: 't' }] },
      { Cluster: 'c', Tasks: ['t'] },
      { Tasks: [{ LastStatus: 'STOPPED', Containers: [{ ExitCode: 0 }] }] },
    ],
    [
      'emr-serverless',
      'startJobRun',
      'GetJobRun',
      {},
      { ApplicationId: 'a', JobRunId: 'j' },
      { ApplicationId: 'a', JobRunId: 'j' },
      { JobRun: { State: 'SUCCESS' } },
    ],
    [
      'glue',
      'startJobRun',
      'GetJobRun',
      { JobName: 'n' },
      { JobRunId: 'r' },
      { JobName: 'n', RunId: 'r' },
      { JobRun: { JobRunState: 'SUCCEEDED' } },
    ],
    [
      'sagemaker',
      'createTrainingJob',
      'DescribeTrainingJob',
      { TrainingJobName: 'n' },
      {},
      { TrainingJobName: 'n' },
      { TrainingJobStatus: 'Completed' },
    ],
  ])('%s:%s.sync', async (service, action, poll, args, started, asked, done) => {
    const to = await sink([{ body: JSON.stringify(started) }, { body: JSON.stringify(done) }]);
    user(to.url);
    const start = action.charAt(0).toUpperCase() + action.slice(1);
    fakeClient(service, 'Any', 'Any', [...new Set([start, poll, 'StartJobRun', 'GetJobRun'])]);
    const answer = await call(opened(), `${service}:${action}.sync`, args);
    expect(JSON.stringify(done)).toContain(JSON.stringify(answer));
    expect(to.received.map(({ headers }) => headers['x-amz-target'])).toEqual([`Any.${start}`, `Any.${poll}`]);
    expect(JSON.parse(to.received[1]?.body ?? '')).toEqual(asked);
  });

  test('a container that exits with another code, and tasks that never start', async () => {
    const stopped = {
      Tasks: [{ TaskArn: 't', LastStatus: 'STOPPED', Containers: [{ ExitCode: 0 }, { ExitCode: 3 }] }],
    };
    const refused = { Tasks: [], Failures: [{ Reason: 'RESOURCE:MEMORY' }] };
    const to = await sink([
      { body: JSON.stringify(stopped) },
      { body: JSON.stringify(stopped) },
      { body: JSON.stringify(refused) },
    ]);
    user(to.url);
    fakeClient('ecs', 'Any', 'Any', ['RunTask', 'DescribeTasks']);
    expect(await failure(call(opened(), 'ecs:runTask.sync', {}))).toMatchObject({
      name: 'States.TaskFailed',
      message: expect.stringContaining('"ExitCode":3'),
    });
    expect(await failure(call(opened(), 'ecs:runTask', {}))).toMatchObject({
      name: 'ECS.AmazonECSException',
      message: expect.stringContaining('RESOURCE:MEMORY'),
    });
  });

  test('a failed one', async () => {
    const to = await sink(answers('QUEUED', 'RUNNING', 'FAILED'));
    user(to.url);
    fakeClient('athena', 'Athena', 'AmazonAthena', actions);
    expect(await failure(call(opened(), 'athena:startQueryExecution.sync', { QueryString: 'x' }))).toEqual({
      name: 'States.TaskFailed',
      message: '{"QueryExecution":{"Status":{"State":"FAILED"}}}',
    });
    expect(to.received.length).toBe(4);
  });

  test('one whose state ends early is stopped', async () => {
    const to = await sink(answers('RUNNING'));
    user(to.url);
    fakeClient('athena', 'Athena', 'AmazonAthena', actions);
    const stop = new AbortController();
    const sleep = async (): Promise<void> => {
      stop.abort();
      throw new Error('aborted');
    };
    await failure(call(opened({ sleep }), 'athena:startQueryExecution.sync', { QueryString: 'x' }, stop.signal));
    expect(to.received.at(-1)).toMatchObject({
      headers: { 'x-amz-target': 'AmazonAthena.StopQueryExecution' },
      body: '{"QueryExecutionId":"q"}',
    });
  });
});

test('events:putEvents fails if an entry does; its Detail may be JSON', async () => {
  const to = await sink([{ body: '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"x"}]}' }]);
  user(to.url);
  fakeClient('eventbridge', 'EventBridge', 'AWSEvents', ['PutEvents']);
  const error = await failure(call(opened(), 'events:putEvents', { Entries: [{ Source: 's', Detail: { a: 1 } }] }));
  expect(error.name).toBe('EventBridge.FailedEntry');
  expect(JSON.parse(to.received[0]?.body ?? '')).toEqual({ Entries: [{ Source: 's', Detail: '{"a":1}' }] });
});

describe('what cannot be', () => {
  test.each<[string, string, Json, { name: string; message: RegExp }]>([
    [
      'a client that is not there',
      'aws-sdk:rekognition:detectText',
      {},
      { name: 'Trowel.BadInput', message: /npm install @aws-sdk\/client-rekognition$/ },
    ],
    [
      'one with a name of its own',
      'aws-sdk:secretsmanager:getSecretValue',
      {},
      { name: 'Trowel.BadInput', message: /npm install @aws-sdk\/client-secrets-manager$/ },
    ],
    [
      'an action that is not there',
      'aws-sdk:s3:frobnicate',
      {},
      { name: 'Trowel.BadInput', message: /client-s3 has no action 'frobnicate'$/ },
    ],
    [
      'a service that is not optimized',
      's3:getObject',
      {},
      { name: 'Trowel.BadInput', message: /Possible are aws-sdk:SERVICE:ACTION and the services athena, batch,/ },
    ],
    [
      'no waiting',
      'lambda:invoke.sync',
      {},
      { name: 'Trowel.BadInput', message: /Possible are athena:startQueryExecution.sync, / },
    ],
    ['no mapping', 'aws-sdk:s3:headObject', 'x', { name: 'Trowel.BadInput', message: /needs a mapping/ }],
    ['a missing argument', 'aws-sdk:s3:headObject', { Bucket: 'b' }, { name: 'S3.SdkClientException', message: /Key/ }],
  ])('%s', async (_name, resource, args, expected) => {
    user('http://127.0.0.1:1');
    expect(await failure(call(opened(), resource, args))).toEqual({
      name: expected.name,
      message: expect.stringMatching(expected.message),
    });
  });

  test('a task token', async () => {
    const input = { resource: 'arn:aws:states:::sqs:sendMessage', arguments: {}, signal: new AbortController().signal };
    expect((await failure(opened().invoke({ ...input, token: 't' }))).message).toContain('only a deployed workflow');
  });

  test.each<[string, { [name: string]: undefined }, RegExp]>([
    [
      'no credentials',
      { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined },
      /^No usable AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID/,
    ],
    ['no region', { AWS_REGION: undefined }, /^No AWS region: set AWS_REGION/],
  ])('%s', async (_name, env, message) => {
    user(undefined, { AWS_DEFAULT_REGION: undefined, ...env });
    const error = await failure(call(opened(), 'lambda:invoke', { FunctionName: 'f' }));
    expect(error).toEqual({ name: 'Trowel.BadInput', message: expect.stringMatching(message) });
  });

  test('no connection', async () => {
    user('http://127.0.0.1:1', { AWS_MAX_ATTEMPTS: '1' });
    const error = await failure(call(opened(), 'aws-sdk:s3:headObject', { Bucket: 'b', Key: 'k' }));
    expect(error).toEqual({ name: 'S3.SdkClientException', message: expect.stringMatching(/ECONNREFUSED/) });
  });
});

test.each<[string, boolean]>([
  ['arn:aws:states:::aws-sdk:s3:headObject', true],
  ['arn:aws-cn:states:::athena:startQueryExecution.sync', true],
  ['arn:aws:states:::states:startExecution.sync:2', true],
  ['arn:aws:lambda:us-east-1:1:function:f', false],
  ['arn:aws:states:::http:invoke:more', false],
])('handles %s: %s', (resource, expected) => {
  expect(opened().handles(resource)).toBe(expected);
});

/** A package as the user would install it, as small as can be: JSON 1.1 without signatures. */
function fakeClient(name: string, prefix: string, target: string, actions: readonly string[]): void {
  const folder = join(project, 'node_modules', '@aws-sdk', `client-${name}`);
  mkdirSync(folder, { recursive: true });
  const commands = actions.map(
    (action) =>
      `exports.${action}Command = class { constructor(input) { this.input = input; this.name = '${action}'; } };`,
  );
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: `@aws-sdk/client-${name}`, main: 'index.js' }));
  writeFileSync(
    join(folder, 'index.js'),
    `${commands.join('\n')}
class ${prefix}ServiceException extends Error {}
class Modelled extends ${prefix}ServiceException {}
exports.${prefix}ServiceException = ${prefix}ServiceException;
exports.${prefix}Client = class {
  async send({ name, input }) {
    const version = '${name}' === 'dynamodb' ? '1.0' : '1.1';
    const response = await fetch(process.env.AWS_ENDPOINT_URL, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-' + version,
        'x-amz-target': '${target}.' + name,
        authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${name}/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: JSON.stringify(input),
    });
    const text = await response.text();
    const body = text === '' ? {} : JSON.parse(text);
    if (response.ok) return { ...body, $metadata: { httpStatusCode: 200 } };
    const error = new Modelled(body.message || body.Message);
    error.name = String(body.__type).split('#').pop();
    error.$metadata = { httpStatusCode: response.status };
    throw error;
  }
};
`,
  );
}
