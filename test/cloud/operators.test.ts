/**
 * Operators that only a deployed machine calls by itself, with the rights that its file gives it: aws>, s3_wait>, lambda>; and secrets, which
 * slack> and http> read, and a container has from its definition. What of AWS is played, aws/service.ts says; the function that lambda> calls
 * is one of a user's, put beside the deployed ones.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeZip } from '../../lib/cloud/zip.ts';
import { project } from '../lib/cli/run-cli.ts';
import { type Sink, serve } from '../lib/functions/http/server.ts';
import { type Cloud, type Stack, startCloud } from './aws/cloud.ts';
import type { EcsTask } from './aws/ecs-task.ts';
import { end, history, results, run, start } from './aws/run.ts';
import { ACCOUNT, REGION } from './aws/service.ts';
import type { DeployedResource, DeployedStack } from './aws/template.ts';

vi.setConfig({ testTimeout: 300_000 });

const BUCKET = `trowel-operators-${randomBytes(4).toString('hex')}`;
const WORKFLOWS = {
  files: `
+put:
  aws>: s3:putObject
  arguments: {Bucket: ${BUCKET}, Key: "in/\${session_date}.csv", Body: "a,b"}
+wait:
  s3_wait>: ${BUCKET}/out/\${session_date}.csv
+list:
  aws>: s3:listObjectsV2
  arguments: {Bucket: ${BUCKET}, Prefix: out/}
+pause:
  wait>: 1s
+show:
  echo>: "\${s3.last_object.metadata.ContentLength} bytes, \${aws.last_result.KeyCount} object"
`,
  // Whose bucket the file does not tell: synth warns, and the call is refused.
  unknown: '+read:\n  aws>: s3:getObject\n  arguments: {Bucket: "${bucket}", Key: k}\n',
  scored:
    '+score:\n  lambda>: score-model\n  payload: {day: "${session_date}"}\n+show:\n  echo>: ${lambda.last_result.score}\n',
  told: `
_error:
  +slack:
    slack>: "\${session_date}: \${error.message}"
  +http:
    http>: "\${hook}/http"
    method: POST
    content: {failed: true}
    headers: [{Token: "\${secret:db.password}"}]
+fail:
  fail>: no rows
`,
  nightly: 'schedule:\n  daily>: 07:00:00\n  skip_on_overtime: true\n+slow:\n  wait>: 600s\n',
  hang: '+wait:\n  sh>: echo working; sleep 600\n',
  // More than a state may hold: slow/values.test.ts has more ways to come to that.
  values: `
+store:
  _parallel: true
${['a', 'b', 'c'].map((name) => `  +${name}:\n    py>: tasks.many\n    prefix: ${name}\n`).join('')}
+check:
  py>: tasks.check_many
  prefixes: [a, b, c]
`,
  rotated: '+say:\n  py>: tasks.digest\n  _env: {PASSWORD: "${secret:db.password}"}\n',
};
const TASKS = `
import hashlib, os
import digdag


def many(prefix):
    digdag.env.store({f"{prefix}_{n}": text(prefix, n) for n in range(100)})


def check_many(prefixes):
    for prefix in prefixes:
        for n in range(100):
            assert digdag.env.params[f"{prefix}_{n}"] == text(prefix, n), (prefix, n)


def text(prefix, n):
    return f"{prefix} {n} ".ljust(1000, "x")


def digest():
    digdag.env.store({"digest": hashlib.sha256(os.environ["PASSWORD"].encode()).hexdigest()})
`;

let cloud: Cloud;
let stack: Stack;
let web: Sink;

beforeAll(async () => {
  web = await serve();
  cloud = await startCloud();
  const files = Object.entries(WORKFLOWS).map(([name, text]) => [`${name}.dig`, text]);
  const folder = await project({
    ...Object.fromEntries(files),
    'tasks.py': TASKS,
    'trowel.yml': 'name: operators-test\nnotifications: {on: []}\n',
  });
  await cloud.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  stack = await cloud.deploy(folder);
  const prefix = 'trowel/operators-test/';
  for (const [key, SecretString] of Object.entries({ 'slack.webhook': `${web.url}/slack`, 'db.password': 'first' })) {
    await cloud.secrets.send(new CreateSecretCommand({ Name: prefix + key, SecretString }));
  }
}, 300_000);

afterAll(async () => {
  // The last containers' ends are still told.
  await cloud?.small?.events.idle();
  await cloud?.small?.functions.idle();
  await cloud?.stop();
  await web?.close();
}, 300_000);

/** Texts that echo> made, from the history. */
function echoed(ended: Awaited<ReturnType<typeof run>>): string[] {
  return ended.events.flatMap(({ stateExitedEventDetails: details }) => {
    const { echo } = JSON.parse(details?.output ?? '{}') as { readonly echo?: string };
    return echo ?? [];
  });
}

test('aws> and s3_wait> do what their file names, and no more is needed', async () => {
  const session = '2030-01-31';
  const execution = await start(cloud, stack, 'files', { session_time: session });
  const written = () =>
    cloud.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: `in/${session}.csv` })).then(
      ({ Body }) => Body?.transformToString(),
      () => undefined,
    );
  await expect.poll(written).toBe('a,b');
  await cloud.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `out/${session}.csv`, Body: '12345' }));
  const ended = await end(cloud, execution);
  expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED' });
  expect(echoed(ended)).toEqual(['5 bytes, 1 object']);
  expect(cloud.small?.proxy.refused ?? []).toEqual([]);
});

test('an aws> whose resource an expression names is refused, and synth has said so', async () => {
  expect(stack.printed).toMatch(/unknown: only you know which resources this needs: .*s3:GetObject/);
  const ended = await run(cloud, stack, 'unknown', { params: { bucket: BUCKET } });
  expect(ended).toMatchObject({ status: 'FAILED', error: expect.stringMatching(/^S3\./) });
  expect(ended.cause).toMatch(/not authorized to perform: s3:GetObject|Access Denied/i);
});

test('lambda> calls the function that its file names, and its answer is a variable', async () => {
  if (cloud.small === undefined) return;
  const code = 'export const handler = async ({ day }) => ({ score: `${day} is fine` });\n';
  const file = join(tmpdir(), `${BUCKET}.zip`);
  await writeZip(file, [{ path: 'index.mjs', executable: false, read: async () => Buffer.from(code) }]);
  await cloud.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'code.zip', Body: await readFile(file) }));
  await rm(file);
  const role = `arn:aws:iam::${ACCOUNT}:role/score`;
  const model: DeployedResource = {
    id: 'Score',
    type: 'AWS::Lambda::Function',
    physicalId: 'score-model',
    properties: { Code: { S3Bucket: BUCKET, S3Key: 'code.zip' }, Role: role },
  };
  const other: DeployedStack = {
    name: 'other',
    resources: new Map([[model.id, model]]),
    outputs: {},
    ofType: (type) => (type === model.type ? [model] : []),
    attribute: () => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:score-model`,
  };
  cloud.small.functions.deployed(other);
  const ended = await run(cloud, stack, 'scored', { session_time: '2030-01-31' });
  expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED' });
  expect(echoed(ended)).toEqual(['2030-01-31 is fine']);
});

test('slack> and http> in an _error tell of the failure, with their secrets', async () => {
  if (cloud.small === undefined) return;
  const ended = await run(cloud, stack, 'told', { session_time: '2030-01-31', params: { hook: web.url } });
  expect(ended).toMatchObject({ status: 'FAILED', error: 'Trowel.TaskFailed' });
  expect(web.received.map(({ url, body, headers }) => [url, JSON.parse(body), headers.token])).toEqual([
    ['/slack', { text: '2030-01-31: no rows' }, undefined],
    ['/http', { failed: true }, 'first'],
  ]);
  expect(JSON.stringify(ended.events)).not.toMatch(/first|\/slack/);
});

test('skip_on_overtime leaves a run out while an earlier session goes on', async () => {
  if (cloud.small === undefined) return;
  const { scheduler, functions, executions } = cloud.small;
  const DAY = 86_400_000;
  for (const days of [1, 2]) {
    expect((await scheduler.advance(Date.now() + days * DAY)).map(({ fault }) => fault)).toEqual([undefined]);
    await functions.idle();
  }
  const runs = [...executions.executions.values()].filter(({ machine }) => machine.name === 'operators-test-nightly');
  expect(runs).toHaveLength(1);
  expect(functions.logs.get('session')?.join('')).toContain('an earlier session still runs (skip_on_overtime)');
  await cloud.sfn.send(new StopExecutionCommand({ executionArn: runs[0]?.arn }));
});

test('300 values of 1 KB from parallel tasks reach the next one; a run that is resumed starts no container', async () => {
  const ended = await run(cloud, stack, 'values');
  expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED' });
  const resumed = await run(cloud, stack, 'values', { resume_from: ended.name });
  expect(resumed, resumed.cause).toMatchObject({ status: 'SUCCEEDED' });
  const submitted = resumed.events.flatMap(({ taskSubmittedEventDetails: details }) => details?.output ?? []);
  expect(submitted.filter((output) => output.includes('taskArn'))).toEqual([]);
});

test('the state of a container that is killed hears of it, and nothing of it is left', async () => {
  if (cloud.small === undefined) return;
  const { containers } = cloud.small;
  const working = new Promise<EcsTask>((resolve) => {
    containers.hooks.line = (task) => resolve(task);
  });
  const execution = await start(cloud, stack, 'hang');
  const task = await working;
  containers.hooks = { starting: () => 'it is not to run' };
  await containers.kill(task);
  const lost = async () => {
    const events = await history(cloud, execution);
    return events.map(({ taskFailedEventDetails: details }) => details?.error);
  };
  await expect.poll(lost).toContain('Trowel.TaskLost');
  await cloud.sfn.send(new StopExecutionCommand({ executionArn: execution.arn }));
  containers.hooks = {};
  expect(task.exitCode).toBe(137);
  expect(await containers.left()).toEqual([]);
});

test('a rotated secret reaches the next container', async () => {
  const stored = async (): Promise<unknown> => {
    const ended = await run(cloud, stack, 'rotated');
    expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED' });
    const { stored } = (await results(cloud, ended))['+rotated+say.0.json'] as { stored: { digest: string } };
    return stored.digest;
  };
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  expect(await stored()).toBe(digest('first'));
  const SecretId = 'trowel/operators-test/db.password';
  await cloud.secrets.send(new PutSecretValueCommand({ SecretId, SecretString: 'second' }));
  expect(await stored()).toBe(digest('second'));
});
