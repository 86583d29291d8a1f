import { createHash, randomUUID } from 'node:crypto';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Job } from '../../../lib/contract/assignment.ts';
import { fingerprint } from '../../../lib/contract/fingerprint.ts';
import type { LaunchPayload } from '../../../lib/contract/payload.ts';
import { secretVariable } from '../../../lib/contract/secret-variable.ts';
import { attemptNumber } from '../../../lib/functions/session/core.ts';
import { type AwsServices, fault, startServices, TASK } from '../aws-services.ts';

const ROOT = 's3://trowel-test/attempts/main/run-2';
const ROLE = 'arn:aws:iam::123456789012:role/trowel/us-east-1/p/tasks-of-main';

/** Each test has a task of its own: a token's assignment is written once, and signed anew only in another second. */
const task = { token: '' };

function payloadOf(given: Partial<LaunchPayload> = {}): LaunchPayload {
  return {
    v: 1,
    token: task.token,
    t: '+main+load',
    op: 'py',
    l: [{ region: 'eu' }],
    m: 1,
    b: { vars: { timezone: 'UTC', attempt_id: 7 }, attempt: { root: ROOT, workflow: 'main', taskRole: ROLE } },
    k: { 'py>': 'tasks.load', n: '${region}' },
    ...given,
  };
}

describe('launch on AWS', () => {
  let aws: AwsServices;
  let handler: typeof import('../../../lambdas/launch/handler.ts').handler;

  beforeAll(async () => {
    aws = await startServices({
      TROWEL_CLUSTER: 'arn:cluster',
      TROWEL_SUBNETS: 'subnet-1,subnet-2',
      TROWEL_SECURITY_GROUPS: 'sg-1',
      TROWEL_ASSIGN_PUBLIC_IP: 'ENABLED',
      TROWEL_SPOT: 'true',
      TROWEL_TASK_TIMEOUT: '3600',
      TROWEL_TASK_DEFINITIONS: JSON.stringify({
        family: 'arn:task-definition/p-',
        container: 'task',
        size: { cpu: 512, memory: 1024 },
        revisions: { default: '3', other: '1' },
      }),
    });
    ({ handler } = await import('../../../lambdas/launch/handler.ts'));
    const secrets = new SecretsManagerClient({});
    await secrets.send(new CreateSecretCommand({ Name: 'trowel/p/pg.password', SecretString: 'hush' }));
  });
  afterAll(() => aws.stop());
  beforeEach(() => {
    task.token = randomUUID();
    aws.calls.length = 0;
  });

  async function failure(payload: Partial<LaunchPayload>): Promise<string> {
    const error = await handler(payloadOf(payload)).then(
      (answer) => new Error(`it answered ${JSON.stringify(answer)}`),
      (reason: Error) => reason,
    );
    return `${error.name}: ${error.message}`;
  }

  it('writes the assignment and starts a container that is given its role and a signed address of the assignment', async () => {
    const answer = await handler(payloadOf());
    const id = 'started' in answer ? answer.started : '';
    expect(answer).toEqual({ started: id, taskArn: TASK });
    expect(aws.calls).toEqual([
      {
        action: 'RunTask',
        input: {
          cluster: 'arn:cluster',
          taskDefinition: 'arn:task-definition/p-default:3',
          count: 1,
          clientToken: id,
          startedBy: id,
          capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
          networkConfiguration: {
            awsvpcConfiguration: {
              subnets: ['subnet-1', 'subnet-2'],
              securityGroups: ['sg-1'],
              assignPublicIp: 'ENABLED',
            },
          },
          overrides: {
            containerOverrides: [
              {
                name: 'task',
                environment: [{ name: 'TROWEL_ASSIGNMENT', value: expect.any(String) }],
              },
            ],
            taskRoleArn: ROLE,
          },
        },
      },
    ]);
    expect(id.length).toBeLessThanOrEqual(64);
    const address = new URL(addressOf(0));
    expect(address.pathname).toBe(`/trowel-test/assignments/${id}.json`);
    expect(address.searchParams.get('X-Amz-Expires')).toBe('900');
    // Nobody else's credentials are needed.
    const text = await (await fetch(address)).text();
    expect(text).toBe(await aws.get(`assignments/${id}.json`));
    const file = JSON.parse(text);
    expect(file).toMatchObject({ v: 1, token: task.token, secrets_env: {} });
    expect(file.assignment).toMatchObject({
      task: '+main+load',
      timeout: 3600,
      root: ROOT,
      result: `${ROOT}/results/+main+load.0.json`,
    });
    expect(file.assignment.params.n).toBe('eu');
  });

  /** What the container of a call was given. */
  function addressOf(call: number): string {
    return aws.calls[call]?.input.overrides.containerOverrides[0].environment[0].value;
  }

  it('a repeated launch gives the address of the first, which another instance of the function has signed at another time', async () => {
    const payload = payloadOf({ token: 'repeated' });
    await handler(payload);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'another');
    vi.resetModules();
    const { handler: another } = await import('../../../lambdas/launch/handler.ts');
    await another(payload);
    await another({ ...payload, token: 'for another task' });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    expect(addressOf(1)).toBe(addressOf(0));
    expect(addressOf(2)).toContain('X-Amz-Credential=another');
  });

  it('an address holds as long as the state waits for a sign of the container', async () => {
    await handler(payloadOf({ token: 'patient', k: { 'py>': 'a.b', resources: { heartbeat: '40m' } } }));
    expect(new URL(addressOf(0)).searchParams.get('X-Amz-Expires')).toBe('2400');
  });

  it('overrides stay far below 8,192 characters with the longest credentials that Lambda is known to give', async () => {
    vi.stubEnv('AWS_SESSION_TOKEN', 'x'.repeat(2_000));
    vi.resetModules();
    const { handler: fresh } = await import('../../../lambdas/launch/handler.ts');
    await fresh(payloadOf({ token: 'long' }));
    vi.stubEnv('AWS_SESSION_TOKEN', undefined);
    const length = JSON.stringify(aws.calls[0]?.input.overrides).length;
    expect(length).toBeGreaterThan(2_000);
    expect(length).toBeLessThan(4_000);
  });

  it('trap: a function may be invoked twice: the same token gives the same request, so that one container starts', async () => {
    await handler(payloadOf());
    await handler(payloadOf());
    await handler(payloadOf({ token: 'another' }));
    const [first, second, third] = aws.calls.map(({ input }) => input);
    expect(second).toEqual(first);
    expect(third.clientToken).not.toBe(first.clientToken);
  });

  it('lets a task store and read objects of any class where the project says so', async () => {
    await handler(payloadOf());
    vi.stubEnv('TROWEL_PICKLE', 'true');
    await handler(payloadOf({ token: 'a task with pickle' }));
    const files = await Promise.all(aws.calls.map(({ input }) => aws.get(`assignments/${input.startedBy}.json`)));
    expect(files.map((file) => JSON.parse(file ?? '').assignment.pickle)).toEqual([undefined, true]);
  });

  it.each([
    [{ 'py>': 'a.b' }, 600],
    [{ 'py>': 'a.b', resources: { heartbeat: '20m' } }, 1200],
  ])('tells the runner how long the state bears silence: %j', async (k, heartbeat) => {
    vi.stubEnv('TROWEL_HEARTBEAT', '600');
    await handler(payloadOf({ k }));
    const file = JSON.parse((await aws.get(`assignments/${aws.calls[0]?.input.startedBy}.json`)) ?? '');
    expect(file.heartbeat).toBe(heartbeat);
  });

  it('trap: overrides may have 8,192 characters: they stay small whatever the task is given', async () => {
    await handler(payloadOf({ l: [{ region: 'x'.repeat(150_000) }] }));
    expect(JSON.stringify(aws.calls[0]?.input.overrides).length).toBeLessThan(8192);
  });

  it.each([
    ['by Retry of the state', { n: 1 }],
    ['by the edges of a retried group or task', { n: 0, r: [0, 2] }],
  ])('trap: a mix of Spot and on demand is no fallback: a further try %s runs on demand', async (_, given) => {
    await handler(payloadOf({ n: 0, r: [0] }));
    expect(aws.calls.shift()?.input).toHaveProperty('capacityProviderStrategy');
    await handler(payloadOf({ token: 'further', ...given }));
    expect(aws.calls[0]?.input).toMatchObject({ launchType: 'FARGATE' });
    expect(aws.calls[0]?.input).not.toHaveProperty('capacityProviderStrategy');
  });

  it('gives a task the definition and the size that it asks for', async () => {
    await handler(
      payloadOf({
        d: 'other',
        k: { 'py>': 'a.b', resources: { cpu: 1024, memory: '2GB', disk: 50, spot: false } },
      }),
    );
    expect(aws.calls[0]?.input).toMatchObject({
      taskDefinition: 'arn:task-definition/p-other:1',
      launchType: 'FARGATE',
      overrides: {
        cpu: '1024',
        memory: '2048',
        ephemeralStorage: { sizeInGiB: 50 },
        containerOverrides: [{ cpu: 1024, memory: 2048 }],
      },
    });
  });

  it('gives a second container its command and variables, and the runner the size', async () => {
    const command = ['serve', '--region', '${region}'];
    const _beside = { image: 'stand-in:1', command, env: { REGION: '${region}', PORT: 80, NONE: null } };
    const resources = { cpu: 1024, memory: '2GB' };
    await handler(payloadOf({ d: 'other', k: { 'py>': 'a.b', resources, _beside } }));
    expect(aws.calls[0]?.input.overrides.containerOverrides).toEqual([
      expect.objectContaining({ name: 'task', cpu: 1024, memory: 2048 }),
      {
        name: 'beside',
        command: ['serve', '--region', 'eu'],
        environment: [
          { name: 'REGION', value: 'eu' },
          { name: 'PORT', value: '80' },
          { name: 'NONE', value: '' },
        ],
      },
    ]);
    const long = { image: 'stand-in:1', command: ['serve', 'x'.repeat(8_192)] };
    expect(await failure({ token: 'long', k: { 'py>': 'a.b', _beside: long } })).toMatch(
      /^Trowel\.BadInput: The container's overrides have \d+ characters, ECS takes 8192$/,
    );
    expect(aws.calls).toHaveLength(1);
  });

  it('names the variables of secrets and never their values', async () => {
    await handler(payloadOf({ k: { 'py>': 'a.b', _env: { P: '${secret:pg.password}' } } }));
    const id = aws.calls[0]?.input.startedBy;
    const text = (await aws.get(`assignments/${id}.json`)) ?? '';
    expect(JSON.parse(text).secrets_env).toEqual({ 'pg.password': 'TROWEL_SECRET_pg_2Epassword' });
    expect(text + JSON.stringify(aws.calls)).not.toContain('hush');
  });

  it('refuses what no further try would change', async () => {
    expect(await failure({ k: { 'py>': 'a.b', _env: { P: '${secret:none}' } } })).toBe(
      "Trowel.Secret: Secret not found for key: 'none'\nSet it with: trowel secrets --aws --set none",
    );
    expect(await failure({ v: 2 })).toContain('Trowel.BadInput: Expected a payload of protocol version 1 to 1, got 2');
    expect(await failure({ d: 'gone' })).toContain("Trowel.BadInput: No task definition 'gone' was deployed");
    expect(aws.calls).toEqual([]);
  });

  it.each([
    [
      { cpu: 300 },
      'Expected one of 256, 512, 1024, 2048, 4096, 8192, 16384 (1024 is one vCPU) for resources.cpu, got 300',
    ],
    [{ memory: 'much' }, 'Expected a size from 512MB to 120GB, such as 512MB or 2GB for resources.memory, got "much"'],
    [{ disk: 20 }, 'Expected a number of GB, 21 to 200 for resources.disk, got 20'],
    [{ cpu: '${256 * 4}', memory: '99GB' }, 'Fargate has no task of cpu 1024 with 99GB of memory'],
    [{ memory: '8GB' }, 'Fargate has no task of cpu 512 with 8GB of memory'],
    [{ cpu: 2048 }, 'Fargate has no task of cpu 2048 with 1GB of memory'],
  ])('refuses a size that Fargate does not have: %j', async (resources, message) => {
    expect(await failure({ k: { 'py>': 'a.b', resources } })).toContain(`Trowel.BadInput: ${message} (config)`);
    expect(aws.calls).toEqual([]);
  });

  const cases: readonly [string, object, string][] = [
    ['no answer', { tasks: [], failures: [] }, 'Trowel.NoCapacity: ECS started no container: it gave no reason'],
    [
      'trap: failures in an answer of 200',
      { tasks: [], failures: [{ reason: 'Capacity is unavailable at this time' }] },
      'Trowel.NoCapacity: ECS started no container: Capacity is unavailable at this time',
    ],
    [
      'throttling among the failures',
      { tasks: [], failures: [{ reason: 'Rate exceeded' }] },
      'Trowel.Throttled: ECS started no container: Rate exceeded',
    ],
    [
      'trap: throttling as InvalidParameterException',
      fault('InvalidParameterException', 'Error retrieving subnet: Request limit exceeded.'),
      'Trowel.Throttled: ECS started no container: Error retrieving subnet: Request limit exceeded.',
    ],
    [
      'the account’s quota',
      fault('ClientException', "You've reached the limit on the number of vCPUs you can run concurrently"),
      "Trowel.NoCapacity: ECS started no container: You've reached the limit on the number of vCPUs you can run concurrently",
    ],
    [
      'trap: a subnet without addresses',
      fault('ClientException', 'subnet-1 does not have enough free addresses'),
      'Trowel.NoCapacity: ECS started no container: subnet-1 does not have enough free addresses (no free address in subnet-1, subnet-2: let fewer tasks run at once, or give larger subnets; trowel check --aws shows what is free)',
    ],
    [
      'a fault of the request',
      fault('InvalidParameterException', 'No such subnet'),
      'Trowel.BadInput: ECS started no container: No such subnet',
    ],
    [
      'a role that may not',
      fault('AccessDeniedException', 'not authorized to perform: ecs:RunTask'),
      'Trowel.BadInput: ECS started no container: not authorized to perform: ecs:RunTask',
    ],
    [
      'a conflict that names no task',
      fault('ConflictException', 'conflict'),
      'Trowel.NoCapacity: ECS started no container: conflict',
    ],
  ];
  it.each(cases)('reports %s', async (_, answer, expected) => {
    aws.answers.RunTask = [answer];
    expect(await failure({})).toBe(expected);
  });

  it('reports what the client tries again by itself', async () => {
    aws.answers.RunTask = Array.from({ length: 3 }, () => fault('ThrottlingException', 'Rate exceeded'));
    expect(await failure({})).toBe('Trowel.Throttled: ECS started no container: Rate exceeded');
    aws.answers.RunTask = Array.from({ length: 3 }, () => fault('ServerException', 'broken', {}, 500));
    expect(await failure({})).toBe('Trowel.NoCapacity: ECS started no container: broken');
  });

  it('counts a conflict that names a task as a start', async () => {
    aws.answers.RunTask = [fault('ConflictException', 'conflict', { resourceIds: ['arn:earlier'] })];
    expect(await handler(payloadOf())).toMatchObject({ taskArn: 'arn:earlier' });
  });

  it('takes the result of a resumed attempt over', async () => {
    const seen = { 'py>': 'tasks.load', n: 'eu', at: `${attemptNumber('run-1')}` };
    const record = {
      v: 1,
      task: '+main+load',
      keys: fingerprint(seen),
      env: fingerprint({}),
      read: { region: fingerprint('eu') },
      module: null,
      result: { s: { region: 'eu', rows: 3 }, stored: { rows: 3 } },
    };
    await aws.put('attempts/main/run-1/results/+main+load.0.json', JSON.stringify(record));
    const resume = ['s3://trowel-test/attempts/main/none', 's3://trowel-test/attempts/main/run-1'];
    const given = payloadOf({ k: { 'py>': 'tasks.load', n: '${region}', at: '${attempt_id}' } });
    const b = { ...given.b, attempt: { ...given.b.attempt, resume } };
    expect(await handler({ ...given, b })).toEqual({ replayed: true });
    expect(aws.calls.map(({ action }) => action)).toEqual(['SendTaskSuccess']);
    expect(aws.calls[0]?.input.taskToken).toBe(task.token);
    expect(JSON.parse(aws.calls[0]?.input.output)).toMatchObject({ s: { region: 'eu', rows: 3 }, replayed: true });

    aws.answers.SendTaskSuccess = [fault('TaskTimedOut')];
    expect(await handler({ ...given, b })).toEqual({ replayed: true });
  });

  it('takes the result of an attempt from before workflows had folders over, with the values that it refers to', async () => {
    const deep = refTo('old-1', 'd'.repeat(64));
    const outer = { ...refTo('old-1', 'e'.repeat(64)), bytes: JSON.stringify({ deep }).length };
    const strange = refTo('of-another-workflow', 'f'.repeat(64));
    const record = {
      v: 1,
      task: '+main+old',
      keys: fingerprint({ 'py>': 'tasks.old' }),
      env: fingerprint({}),
      read: {},
      module: null,
      result: { stored: { outer, strange } },
    };
    await aws.put('attempts/old-1/results/+main+old.0.json', JSON.stringify(record));
    await aws.put(`attempts/old-1/values/${'d'.repeat(64)}.json`, '"deep"');
    await aws.put(`attempts/old-1/values/${'e'.repeat(64)}.json`, JSON.stringify({ deep }));
    await aws.put(`attempts/of-another-workflow/values/${'f'.repeat(64)}.json`, '"not to be seen"');
    const given = payloadOf({ t: '+main+old', k: { 'py>': 'tasks.old' } });
    const attempt = { ...given.b.attempt, resume: ['s3://trowel-test/attempts/main/old-1'] };
    expect(await handler({ ...given, b: { ...given.b, attempt } })).toEqual({ replayed: true });
    expect(await aws.get(`attempts/main/old-1/values/${'d'.repeat(64)}.json`)).toBe('"deep"');
    expect(await aws.get(`attempts/main/old-1/values/${'e'.repeat(64)}.json`)).toContain('old-1');
    expect(await aws.get(`attempts/main/of-another-workflow/values/${'f'.repeat(64)}.json`)).toBeUndefined();
  });

  function refTo(attempt: string, sha256: string) {
    return {
      'trowel:ref': `s3://trowel-test/attempts/${attempt}/values/${sha256}.json`,
      kind: 'json',
      bytes: 6,
      sha256,
    };
  }

  it('starts a task on the kind of compute that its setting names, by the line in the table', async () => {
    vi.resetModules();
    const { COMPUTES } = await import('../../../lambdas/launch/compute/index.ts');
    const { handler: fresh } = await import('../../../lambdas/launch/handler.ts');
    const started: string[] = [];
    const start = async ({ assignment }: Job) => {
      started.push(assignment.task);
      return { taskArn: 'arn:stand-in' };
    };
    COMPUTES.other = ({ event }) => ({ offer: async () => event.t === '+main+warm', start, stop: async () => {} });
    vi.stubEnv('TROWEL_COMPUTE', 'other');
    expect(await fresh(payloadOf())).toEqual({ started: expect.any(String), taskArn: 'arn:stand-in' });
    expect(await fresh(payloadOf({ t: '+main+warm' }))).toEqual({ started: expect.any(String) });
    expect(started).toEqual(['+main+load']);
    expect(aws.calls).toEqual([]);
    vi.stubEnv('TROWEL_COMPUTE', 'none');
    await expect(fresh(payloadOf())).rejects.toThrow("no compute 'none' (TROWEL_COMPUTE); there are: ecs, other");
    vi.stubEnv('TROWEL_COMPUTE', undefined);
  });

  it('believes no root of its caller', async () => {
    const json = '"not to be seen"';
    const sha256 = createHash('sha256').update(json).digest('hex');
    await aws.put(`attempts/other/run-9/values/${sha256}.json`, json);
    const ref = { 'trowel:ref': sha256, kind: 'json', bytes: json.length };
    const given = payloadOf({ token: 'forged', l: [{ region: 'eu', other: ref }] });
    const execution = 'arn:aws:states:us-east-1:123456789012:execution:p-main:run-2';
    const attempt = { ...given.b.attempt, execution, root: 's3://trowel-test/attempts/other/run-9' };
    await handler({ ...given, b: { ...given.b, attempt } });
    const { assignment } = JSON.parse((await aws.get(`assignments/${aws.calls[0]?.input.startedBy}.json`)) ?? '');
    expect(assignment).toMatchObject({ root: ROOT, result: `${ROOT}/results/+main+load.0.json` });
    expect(JSON.stringify(assignment)).not.toContain('not to be seen');
    const resume = ['s3://trowel-test/attempts/other/run-9'];
    expect(await failure({ b: { ...given.b, attempt: { ...given.b.attempt, resume } } })).toContain(
      "Trowel.BadInput: Expected the name of an execution of main, got 's3://trowel-test/attempts/other/run-9'",
    );
  });

  it('reads a value by reference that a template names', async () => {
    const sha256 = createHash('sha256').update('"from S3"').digest('hex');
    await aws.put(`attempts/main/run-2/values/${sha256}.json`, '"from S3"');
    const ref = (name: string) => ({ 'trowel:ref': name, kind: 'json', bytes: 9 });
    const l = [{ region: ref(sha256), other: ref('0'.repeat(64)) }];
    await handler(payloadOf({ l, k: { 'py>': 'a.b', n: 'is ${region}' } }));
    const file = JSON.parse((await aws.get(`assignments/${aws.calls[0]?.input.startedBy}.json`)) ?? '');
    expect(file.assignment.params.n).toBe('is from S3');
    expect(file.assignment.layers).toEqual(l);
  });
});

describe('secretVariable', () => {
  it.each([
    ['plain', 'TROWEL_SECRET_plain'],
    ['pg.password', 'TROWEL_SECRET_pg_2Epassword'],
    ['a_b', 'TROWEL_SECRET_a_5Fb'],
    ['ä', 'TROWEL_SECRET__C3_A4'],
  ])('%s is %s', (key, name) => {
    expect(secretVariable(key)).toBe(name);
  });
});
