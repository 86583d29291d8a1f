/**
 * The quickstart as the real `cdk deploy` has put it into the small AWS: its task definitions' command runs as it is, and the events of its
 * end find the deployed rule. Step Functions is asked for a task token and nothing else; the assignments are written here, as launch does.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Json } from '../../../../lib/asl/types.ts';
import { jobId } from '../../../../lib/contract/names.ts';
import { ROOT } from '../deploy.ts';
import type { EcsTask } from '../ecs-task.ts';
import { REGION } from '../service.ts';
import { type SmallAws, startSmallAws } from '../small-aws.ts';
import type { DeployedStack, Mapping } from '../template.ts';

let aws: SmallAws;
let stack: DeployedStack;
let ecs: ECSClient;
/** In the name of launch: what its role may not do is refused. */
let asLaunch: ECSClient;
let s3AsLaunch: S3Client;
/** Of the tasks of the workflow `main`. */
let taskRoleArn: string;
let base: {
  cluster: string;
  networkConfiguration: { awsvpcConfiguration: { subnets: string[] } };
  launchType: 'FARGATE';
};
const definitions: { [key: string]: string } = {};
let count = 0;

beforeAll(async () => {
  aws = await startSmallAws();
  stack = await aws.deploy(join(ROOT, 'examples', 'quickstart'));
  const config = { endpoint: aws.url, region: REGION };
  ecs = new ECSClient({ ...config, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  const launch = aws.iam.roles().find(({ id }) => id.startsWith('ProjectFunctionlaunchRole'))?.name ?? '';
  asLaunch = new ECSClient({ ...config, credentials: aws.keys.of(launch), maxAttempts: 1 });
  s3AsLaunch = new S3Client({ ...config, credentials: aws.keys.of(launch), forcePathStyle: true });
  taskRoleArn = aws.iam.roles().find(({ id }) => id.startsWith('ProjectTaskRoleOfmain'))?.arn ?? '';
  for (const { properties, physicalId } of stack.ofType('AWS::ECS::TaskDefinition'))
    definitions[properties.Family === 'quickstart-default' ? 'default' : 'secret'] = physicalId;
  const [cluster] = stack.ofType('AWS::ECS::Cluster');
  base = {
    cluster: stack.attribute(cluster?.id ?? '', 'Arn'),
    launchType: 'FARGATE',
    networkConfiguration: {
      awsvpcConfiguration: { subnets: stack.ofType('AWS::EC2::Subnet').map(({ physicalId }) => physicalId) },
    },
  };
});
afterAll(async () => {
  ecs?.destroy();
  asLaunch?.destroy();
  s3AsLaunch?.destroy();
  await aws?.stop();
});

interface Waiting {
  readonly address: string;
  readonly answer: Promise<{ readonly output: Json } | { readonly error?: string; readonly cause?: string }>;
}

/** A state that waits, and the assignment of its task. */
async function assign(text: string, more: Mapping = {}): Promise<Waiting> {
  let settle: (answer: Awaited<Waiting['answer']>) => void = () => {};
  const answer = new Promise<Awaited<Waiting['answer']>>((resolve) => {
    settle = resolve;
  });
  const token = aws.executions.tokens.issue({
    succeed: (output) => settle({ output }),
    fail: (failure) => settle(failure),
    heartbeat: () => {},
  });
  const bucket = stack.outputs.BucketName ?? '';
  const root = `attempts/main/run-${count++}`;
  const task = '+main+x';
  const assignment = {
    ...{ v: 1, task, operator: 'sh', params: { 'sh>': text, _command: text, _type: 'sh' }, keys: ['sh>'], env: {} },
    ...{ secrets_map: {}, layers: [{}], merge: 1, root: `s3://${bucket}/${root}`, frames: [{}] },
    builtins: { vars: {}, attempt: { root: `s3://${bucket}/${root}`, workflow: 'main' } },
    result: `s3://${bucket}/${root}/results/x.json`,
    ...more,
  };
  const Body = JSON.stringify({
    v: 1,
    token,
    assignment,
    secrets_env: { 'report.webhook': 'TROWEL_SECRET_report_2Ewebhook' },
  });
  const Key = `assignments/${jobId(token)}.json`;
  await aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  const address = await getSignedUrl(s3AsLaunch, new GetObjectCommand({ Bucket: bucket, Key }), { expiresIn: 900 });
  return { address, answer };
}

function overrides(address: string, more: object = {}) {
  const environment = [{ name: 'TROWEL_ASSIGNMENT', value: address }];
  return { taskRoleArn, containerOverrides: [{ name: 'task', environment, ...more }] };
}

async function run(address: string, definition = 'default', more: object = {}): Promise<EcsTask> {
  const request = { ...base, taskDefinition: definitions[definition], overrides: overrides(address), ...more };
  const { tasks = [] } = await asLaunch.send(new RunTaskCommand(request));
  const found = aws.containers.tasks.find(({ arn }) => arn === tasks[0]?.taskArn);
  if (found === undefined) throw new Error('nothing was started');
  return found;
}

async function stopped(task: EcsTask): Promise<void> {
  await expect.poll(() => task.status).toBe('STOPPED');
  await aws.events.idle();
}

async function log({ id, definition }: EcsTask): Promise<string[]> {
  const { 'awslogs-group': logGroupName = '' } = definition.container.LogConfiguration?.Options ?? {};
  const { events = [] } = await aws.logs.send(
    new GetLogEventsCommand({ logGroupName, logStreamName: `task/task/${id}` }),
  );
  return events.map(({ message = '' }) => message);
}

function told(task: EcsTask): Mapping[] {
  return aws.events.delivered
    .map(({ input }) => JSON.parse(input) as Mapping)
    .filter(({ detail }) => (detail as Mapping).taskArn === task.arn);
}

/** The variables that name a bundle: the deployed one, with a further adapter in it. */
async function bundleWith(adapter: string, text: string): Promise<{ name: string; value: string }[]> {
  const [definition] = stack.ofType('AWS::ECS::TaskDefinition');
  const containers = definition?.properties.ContainerDefinitions as {
    Environment: { Name: string; Value: string }[];
  }[];
  const deployed = containers[0]?.Environment.find(({ Name }) => Name === 'TROWEL_BUNDLE')?.Value ?? '';
  const [, Bucket = '', Key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(deployed) ?? [];
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket, Key }));
  const folder = await mkdtemp(join(tmpdir(), 'trowel-adapter-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'bundle.zip');
  await writeFile(file, (await Body?.transformToByteArray()) ?? '');
  const program = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "a").writestr(sys.argv[2], sys.argv[3])';
  await promisify(execFile)('python3', ['-c', program, file, `trowel_task/adapters/${adapter}.py`, text]);
  const bytes = await readFile(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const other = Key.replace(/[0-9a-f]{16,}/, sha256);
  await aws.s3.send(new PutObjectCommand({ Bucket, Key: other, Body: bytes }));
  return [
    { name: 'TROWEL_BUNDLE', value: `s3://${Bucket}/${other}` },
    { name: 'TROWEL_BUNDLE_SHA256', value: sha256 },
  ];
}

describe('a container of the quickstart', () => {
  it('writes what an adapter reports next to the results, with the rights of its role, before it answers', async () => {
    const adapter = `
def run(host):
    host.report("given", {"tries": host.tries, "run": host.run})
    ended = host.shell().wait()
    host.report("ended", ended.exit, "error")
    host.fail("the script was killed", ended.exit)
`;
    const environment = await bundleWith('standin', adapter);
    const bucket = stack.outputs.BucketName ?? '';
    const reports = `s3://${bucket}/attempts/main/run-${count}/results/+main+x.0-0.reports`;
    const { address, answer } = await assign('kill -9 $$', { adapter: 'standin', try: 2, run: 'main-1', reports });
    const given = overrides(address);
    for (const each of given.containerOverrides) each.environment.push(...environment);
    const task = await run(address, 'default', { overrides: given });
    const { error, cause = '' } = (await answer) as { error?: string; cause?: string };
    expect([error, JSON.parse(cause)]).toEqual([
      'Trowel.TaskFailed',
      expect.objectContaining({ message: 'the script was killed', exit: 137 }),
    ]);
    const Key = `${reports.replace(`s3://${bucket}/`, '')}.1.jsonl`;
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    const lines = ((await Body?.transformToString()) ?? '').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { time: expect.any(String), kind: 'given', level: 'info', data: { tries: 2, run: 'main-1' } },
      { time: expect.any(String), kind: 'ended', level: 'error', data: 137 },
    ]);
    await stopped(task);
  });

  it('runs the deployed command, answers, and its end reaches the deployed rule', async () => {
    const { address, answer } = await assign('echo hello from $(basename $PWD); env | grep -c ^AWS_ACCESS || true');
    const task = await run(address, 'default', { startedBy: 'me' });
    expect(await answer).toMatchObject({ output: { s: {} } });
    await stopped(task);
    expect(await log(task)).toEqual(['hello from project', '0']);
    expect(told(task)).toMatchObject([
      {
        source: 'aws.ecs',
        'detail-type': 'ECS Task State Change',
        detail: {
          lastStatus: 'STOPPED',
          stopCode: 'EssentialContainerExited',
          containers: [{ name: 'task', exitCode: 0 }],
          startedBy: 'me',
          group: 'family:quickstart-default',
          overrides: {
            containerOverrides: [{ name: 'task', environment: [{ name: 'TROWEL_ASSIGNMENT', value: address }] }],
          },
        },
      },
    ]);
    const states = aws.events.events.filter(({ resources }) => (resources as string[])[0] === task.arn);
    expect(states.map(({ detail }) => (detail as Mapping).lastStatus)).toEqual([
      ...['PROVISIONING', 'PENDING', 'RUNNING', 'DEPROVISIONING', 'STOPPED'],
    ]);
    await expect.poll(() => aws.functions.logs.get('task-stopped')?.join('')).toContain('nobody waits for it');
    expect(await aws.containers.left()).toEqual([]);
  });

  it('has the secrets of its definition, read with the execution role', async () => {
    const { address } = await assign('true');
    const task = await run(address, 'secret');
    await stopped(task);
    expect(task).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: expect.stringContaining('unable to retrieve secret from asm'),
    });

    const secrets = new SecretsManagerClient({
      endpoint: aws.url,
      region: REGION,
      credentials: { accessKeyId: 'test', secretAccessKey: 'x' },
    });
    await secrets.send(
      new CreateSecretCommand({ Name: 'trowel/quickstart/report.webhook', SecretString: 'hush-hush' }),
    );
    secrets.destroy();
    const again = await assign('echo the secret is $WEBHOOK', { env: { WEBHOOK: '${secret:report.webhook}' } });
    const other = await run(again.address, 'secret');
    await again.answer;
    await stopped(other);
    expect(await log(other)).toEqual(['the secret is ***']);
  });

  it('that is killed leaves nothing, and the state hears of it', async () => {
    const { address, answer } = await assign('echo working; (setsid sleep 600 &); sleep 600');
    let begun: () => void = () => {};
    const working = new Promise<void>((resolve) => {
      begun = resolve;
    });
    aws.containers.hooks.line = () => begun();
    const task = await run(address);
    await working;
    aws.containers.hooks = {};
    await aws.containers.kill(task);
    expect(await answer).toMatchObject({ error: 'Trowel.TaskLost', cause: expect.stringContaining('SIGKILL') });
    await stopped(task);
    expect(task.exitCode).toBe(137);
    expect(await aws.containers.left()).toEqual([]);
  });

  it('that is stopped says so itself, in the time before it is killed', async () => {
    const { address, answer } = await assign('echo working; sleep 600');
    const task = await run(address, 'default', { startedBy: 'stop-me' });
    await expect.poll(() => log(task).catch(() => [])).toEqual(['working']);
    const { cluster } = base;
    expect((await ecs.send(new ListTasksCommand({ cluster, startedBy: 'stop-me' }))).taskArns).toEqual([task.arn]);
    await ecs.send(new StopTaskCommand({ cluster, task: task.id, reason: 'enough' }));
    expect(await answer).toMatchObject({ error: 'Trowel.TaskLost', cause: expect.stringContaining('SIGTERM') });
    await stopped(task);
    const { tasks, failures } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: [task.arn, 'none'] }));
    expect(tasks).toMatchObject([{ lastStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: 'enough' }]);
    expect(failures).toEqual([{ arn: 'none', reason: 'MISSING' }]);
    expect((await ecs.send(new ListTasksCommand({ cluster, startedBy: 'stop-me' }))).taskArns).toEqual([]);
  });
});

describe('RunTask', () => {
  it('with the same client token starts one container; with another request it is a conflict', async () => {
    aws.containers.hooks.starting = () => 'it is not to run';
    const request = {
      ...base,
      taskDefinition: definitions.default,
      clientToken: 'same',
      overrides: overrides('s3://b/x'),
    };
    const first = await asLaunch.send(new RunTaskCommand(request));
    const second = await asLaunch.send(new RunTaskCommand(request));
    expect(second.tasks?.map(({ taskArn }) => taskArn)).toEqual(first.tasks?.map(({ taskArn }) => taskArn));
    await expect(asLaunch.send(new RunTaskCommand({ ...request, startedBy: 'x' }))).rejects.toMatchObject({
      name: 'ConflictException',
      resourceIds: [first.tasks?.[0]?.taskArn],
    });
    await aws.events.idle();
    aws.containers.hooks = {};
  });

  it.each<[string, object, string, string]>([
    ['another family', { taskDefinition: 'other:1' }, 'AccessDeniedException', 'ecs:RunTask'],
    ['another cluster', { cluster: 'other' }, 'AccessDeniedException', 'ecs:RunTask'],
    [
      'a role that may not be passed',
      { overrides: { taskRoleArn: 'arn:aws:iam::123456789012:role/admin' } },
      'AccessDeniedException',
      'iam:PassRole',
    ],
    ['no network', { networkConfiguration: undefined }, 'InvalidParameterException', 'Network Configuration'],
    [
      'a size that Fargate has not',
      { overrides: { cpu: '256', memory: '4096' } },
      'InvalidParameterException',
      'No Fargate configuration',
    ],
    ['long overrides', { overrides: overrides('x'.repeat(8_200)) }, 'InvalidParameterException', '8192'],
    [
      'an unknown container',
      { overrides: { containerOverrides: [{ name: 'x' }] } },
      'InvalidParameterException',
      'not a container',
    ],
    [
      'two ways of launching',
      { capacityProviderStrategy: [{ capacityProvider: 'FARGATE' }] },
      'InvalidParameterException',
      'both',
    ],
    ['a long client token', { clientToken: 'x'.repeat(65) }, 'InvalidParameterException', 'clientToken'],
  ])('refuses %s', async (_, more, name, message) => {
    const request = { ...base, taskDefinition: definitions.default, ...more };
    await expect(asLaunch.send(new RunTaskCommand(request))).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
  });
});
