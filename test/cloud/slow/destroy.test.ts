/**
 * The end of a deployed project, by the real `cdk destroy` against the small AWS: what is gone, what is kept, and a deploy after it. What moto
 * does not do for a stack that is deleted or finds its names taken is played (aws/stack-removal.ts, aws/change-sets.ts).
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { added, type Inventory, inventory } from '../aws/inventory.ts';
import { type SmallAws, startSmallAws } from '../aws/small-aws.ts';
import type { DeployedStack } from '../aws/template.ts';

const FILES: { readonly [name: string]: string } = {
  // The network that projects share stays (network.test.ts).
  'trowel.yml': 'name: leaving\nnetwork: {vpc: own}\n',
  'main.dig': 'timezone: UTC\n+a:\n  py>: tasks.a\n  _env: {PASSWORD: "${secret:password}"}\n',
  'nightly.dig': 'timezone: UTC\nschedule:\n  daily>: 07:00:00\n+a:\n  echo>: ${session_time}\n',
  'tasks/__init__.py': 'import digdag\ndef a():\n    digdag.env.store({"x": "x" * 100_000})\n    print("kept line")\n',
};
const GROUPS = ['/aws/vendedlogs/states/trowel-leaving', '/trowel/leaving/functions', '/trowel/leaving/tasks'];
const SECRET = 'trowel/leaving/password';

let aws: SmallAws;
let folder: string;
let before: Inventory;
/** Of the first deploy, and what lay in it at its end. */
let bucket: string;
let kept: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-destroy-'));
  await mkdir(join(folder, 'tasks'));
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
  aws = await startSmallAws({ unpackOnce: true });
  await aws.bootstrap();
  before = await inventory(aws);
  await aws.secrets.send(new CreateSecretCommand({ Name: SECRET, SecretString: 'x' }));
});
afterAll(async () => {
  await aws?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(stack: DeployedStack): Promise<void> {
  const stateMachineArn = stack.outputs.Workflowmain;
  const { executionArn = '' } = await aws.sfn.send(new StartExecutionCommand({ stateMachineArn, input: '{}' }));
  const { outcome } = await aws.executions.ended(executionArn);
  expect(outcome).toMatchObject({ status: 'SUCCEEDED' });
  await expect.poll(() => aws.containers.running().length, { timeout: 60_000 }).toBe(0);
  await aws.events.idle();
}

async function objects(Bucket: string): Promise<readonly string[]> {
  const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key, ETag }) => `${Key} ${ETag}`);
}

async function printed(): Promise<readonly (string | undefined)[]> {
  const { events = [] } = await aws.logs.send(new FilterLogEventsCommand({ logGroupName: '/trowel/leaving/tasks' }));
  return events.map(({ message }) => message);
}

describe('cdk destroy', { timeout: 300_000 }, () => {
  it('deletes everything but the bucket, the log groups and the secrets', async () => {
    const stack = await aws.deploy(folder);
    bucket = stack.outputs.BucketName ?? '';
    await run(stack);
    kept = await objects(bucket);
    expect(kept.join('\n')).toMatch(/^attempts\/[^/]+\/[^/]+\/results\/[\s\S]*^attempts\/[^/]+\/[^/]+\/values\//m);
    expect(await printed()).toEqual(['kept line']);
    // The stack has something in every list, so that what is missing below is gone.
    expect(Object.keys(added(before, await inventory(aws)))).toEqual(Object.keys(before));

    expect(await aws.destroy(folder)).toContain('trowel-leaving: destroyed');
    expect(added(before, await inventory(aws))).toEqual(left());
    expect(await objects(bucket)).toEqual(kept);
    expect(await printed()).toEqual(['kept line']);
    const start = aws.sfn.send(new StartExecutionCommand({ stateMachineArn: stack.outputs.Workflowmain, input: '{}' }));
    await expect(start).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
  });

  it('lets a deploy after it say which log groups are in the way, and take them over', async () => {
    const refused = await aws.deploy(folder).catch((error: Error) => error.message);
    for (const group of GROUPS)
      expect(refused).toContain(`Resource of type 'AWS::Logs::LogGroup' with identifier '${group}' already exists`);
    expect(added(before, await inventory(aws))).toEqual(left());

    const stack = await aws.deploy(folder, { args: ['--import-existing-resources'] });
    await run(stack);
    expect(stack.outputs.BucketName).not.toBe(bucket);
    expect(await objects(bucket)).toEqual(kept);
    expect(await printed()).toEqual(['kept line', 'kept line']);
  });

  it('deletes bucket and log groups too where the deploy before it said so', async () => {
    const context = { destroy: 'true' };
    const { outputs } = await aws.deploy(folder, { context });
    expect((await objects(outputs.BucketName ?? '')).length).toBeGreaterThan(1);
    expect(await aws.destroy(folder, { context })).toContain('trowel-leaving: destroyed');
    // Lambda makes a log group for the CDK's function that empties the bucket.
    const emptying = expect.stringMatching(/^\/aws\/lambda\/trowel-leaving-CustomS3AutoDeleteObjects/);
    expect(added(before, await inventory(aws))).toEqual({ ...left(), 'log groups': [emptying] });
  });
});

/** What a stack leaves by itself. */
function left(): Inventory {
  return { buckets: [bucket], 'log groups': GROUPS, secrets: [SECRET] };
}
