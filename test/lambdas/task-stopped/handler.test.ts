import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reasonOf, type StoppedTask } from '../../../lib/functions/task-stopped/reasons.ts';
import { type AwsServices, fault, startServices, TASK } from '../aws-services.ts';

/** As launch gives it to a container, and as the event shows it. */
const ADDRESS =
  'https://trowel-test.s3.eu-west-1.amazonaws.com/assignments/x.json?X-Amz-Expires=900&X-Amz-Signature=00';

function stopped(given: Partial<StoppedTask> = {}, address = ADDRESS) {
  const environment = [{ name: 'TROWEL_ASSIGNMENT', value: address }];
  const overrides = { containerOverrides: [{ name: 'task', environment }] };
  return { taskArn: TASK, lastStatus: 'STOPPED', overrides, ...given };
}

const OUT_OF_MEMORY = {
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'OutOfMemoryError: Container killed due to memory usage',
  containers: [{ name: 'task', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' }],
};

describe('reasonOf', () => {
  const container = (reason: string, exitCode?: number) => ({
    containers: [{ name: 'task', reason, ...(exitCode === undefined ? {} : { exitCode }) }],
  });
  const failedToStart = (stoppedReason: string) => ({ stopCode: 'TaskFailedToStart', stoppedReason });
  const cases: readonly [string, Partial<StoppedTask>, string, RegExp][] = [
    ['memory', OUT_OF_MEMORY, 'Trowel.TaskFailed', /^The container ran out of memory: raise task\.memory/],
    [
      'Spot',
      { stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.', ...container('', 143) },
      'Trowel.TaskLost',
      /Spot/,
    ],
    ['retired host', { stopCode: 'TerminationNotice' }, 'Trowel.TaskLost', /retired/],
    ['killed', container('', 137), 'Trowel.TaskLost', /SIGKILL/],
    ['no answer', container('', 1), 'Trowel.TaskLost', /without an answer \(exit code 1\)/],
    ['nothing known', {}, 'Trowel.TaskLost', /ended without an answer$/],
    ['bootstrap', container('', 78), 'Trowel.BadInput', /bundle/],
    ['an address that holds no more', container('', 75), 'Trowel.TaskLost', /address of its assignment had expired/],
    [
      'stopped by hand',
      { stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' },
      'Trowel.TaskLost',
      /somebody/i,
    ],
    [
      'image that is not there',
      failedToStart(
        'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref x: not found',
      ),
      'Trowel.BadInput',
      /image cannot be pulled/,
    ],
    [
      'image of another architecture',
      failedToStart('CannotPullContainerError: no matching manifest for platform linux/arm64'),
      'Trowel.BadInput',
      /architecture/,
    ],
    [
      'registry out of reach',
      failedToStart('CannotPullContainerError: dial tcp 1.2.3.4:443: i/o timeout'),
      'Trowel.NoCapacity',
      /way to the registry/,
    ],
    [
      "a registry's limit",
      failedToStart('CannotPullContainerError: toomanyrequests: You have reached your pull rate limit'),
      'Trowel.Throttled',
      /refused so many/,
    ],
    [
      'missing secret',
      failedToStart(
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
      ),
      'Trowel.Secret',
      /trowel secrets --aws --set/,
    ],
    [
      'a secret that does not exist, named by its ARN without the random end',
      failedToStart(
        'ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:trowel/shop/db.password from secrets manager: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/r/1 is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:trowel/shop/db.password because no identity-based policy allows the secretsmanager:GetSecretValue action',
      ),
      'Trowel.Secret',
      /secret db\.password is not set.*trowel secrets --aws --set db\.password/,
    ],
    [
      'Secrets Manager out of reach',
      failedToStart('ResourceInitializationError: unable to pull secrets or registry auth: context deadline exceeded'),
      'Trowel.NoCapacity',
      /way to AWS services/,
    ],
    [
      'execution role',
      failedToStart(
        'ResourceInitializationError: unable to retrieve secret from asm: AccessDeniedException: not authorized',
      ),
      'Trowel.BadInput',
      /execution role/,
    ],
    [
      'no free address',
      failedToStart(
        'Unexpected EC2 error while attempting to Create Network Interface: InsufficientFreeAddressesInSubnet',
      ),
      'Trowel.NoCapacity',
      /^No free address in the subnets/,
    ],
    ['no capacity', failedToStart('Capacity is unavailable at this time'), 'Trowel.NoCapacity', /no room/],
    [
      'trap: a second container, which was killed after the runner had ended',
      {
        stopCode: 'EssentialContainerExited',
        containers: [
          { name: 'beside', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
          { name: 'task', exitCode: 1 },
        ],
      },
      'Trowel.TaskLost',
      /without an answer \(exit code 1\)/,
    ],
    [
      'image of a second container that cannot run',
      {
        stopCode: 'TaskFailedToStart',
        containers: [{ name: 'task' }, { name: 'beside', reason: 'CannotStartContainerError: exec format error' }],
      },
      'Trowel.BadInput',
      /cannot run/,
    ],
    [
      'image that cannot run',
      {
        ...container('CannotStartContainerError: exec: "python3": executable file not found'),
        stopCode: 'TaskFailedToStart',
      },
      'Trowel.BadInput',
      /cannot run/,
    ],
  ];
  it.each(cases)('%s', (_, task, error, message) => {
    const reason = reasonOf({ ...stopped(), ...task });
    expect(reason.error).toBe(error);
    expect(reason.message).toMatch(message);
    if (task.stoppedReason) expect(reason.message).toContain(task.stoppedReason);
  });
});

describe('task-stopped', () => {
  let aws: AwsServices;
  let handler: typeof import('../../../lambdas/task-stopped/handler.ts').handler;

  beforeAll(async () => {
    aws = await startServices({ TROWEL_LOG_GROUP: '/trowel/p', TROWEL_LOG_PREFIX: 'run' });
    ({ handler } = await import('../../../lambdas/task-stopped/handler.ts'));
    const assignment = { v: 1, token: 'the-token', assignment: { task: '+main+load' }, secrets_env: {} };
    await aws.put('assignments/x.json', JSON.stringify(assignment));
  });
  afterAll(() => aws.stop());
  beforeEach(() => {
    aws.calls.length = 0;
  });

  it('trap: a task token never learns that its container died: the state that waits fails, with the reason and the log', async () => {
    expect(await handler({ region: 'eu-west-1', detail: stopped(OUT_OF_MEMORY) })).toMatchObject({
      told: { error: 'Trowel.TaskFailed' },
    });
    expect(aws.calls).toHaveLength(1);
    const [{ action, input } = { action: '', input: {} }] = aws.calls;
    expect([action, input.taskToken, input.error]).toEqual(['SendTaskFailure', 'the-token', 'Trowel.TaskFailed']);
    expect(JSON.parse(input.cause)).toEqual({
      message: expect.stringContaining('task.memory'),
      task: '+main+load',
      log: expect.stringMatching(/^https:\/\/eu-west-1\.console.*\/log-events\/run\$252Ftask\$252F0123456789abcdef$/),
    });
  });

  it.each(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'])(
    'does nothing where the task was answered (%s), late or doubled',
    async (name) => {
      aws.answers.SendTaskFailure = [fault(name)];
      expect(await handler({ detail: stopped() })).toEqual({ ignored: 'nobody waits for it' });
    },
  );

  it('trap: a container that dies in PROVISIONING, for its subnet has no free address, is told, and the subnet named', async () => {
    const stoppedReason =
      'Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet: InsufficientFreeAddressesInSubnet';
    const details = [{ name: 'subnetId', value: 'subnet-1234' }];
    const task = { stopCode: 'TaskFailedToStart', stoppedReason, attachments: [{ type: 'eni', details }] };
    expect(await handler({ detail: stopped(task) })).toEqual({
      told: {
        error: 'Trowel.NoCapacity',
        message: expect.stringMatching(/^No free address in subnet-1234: .* ECS says: Unexpected EC2 error/),
      },
    });
  });

  it('finds the assignment by startedBy where the event leaves the variables out', async () => {
    const startedBy = '0123456789abcdef0123456789abcdef';
    const assignment = { v: 1, token: 'another-token', assignment: { task: '+main+b' }, secrets_env: {} };
    await aws.put(`assignments/${startedBy}.json`, JSON.stringify(assignment));
    const overrides = { containerOverrides: [{ name: 'task' }] };
    const containers = [{ name: 'task', exitCode: 137 }];
    expect(await handler({ detail: { ...stopped(), overrides, containers, startedBy } })).toMatchObject({
      told: { error: 'Trowel.TaskLost' },
    });
    expect(aws.calls[0]?.input).toMatchObject({
      taskToken: 'another-token',
      cause: expect.stringContaining('log-events'),
    });
    // Of somebody else's tasks too something starts them.
    expect(await handler({ detail: { ...stopped(), overrides, startedBy: 'ecs-svc/0123' } })).toEqual({
      ignored: 'it is no task of Trowel',
    });
  });

  it('throws what may pass, so that the event comes again', async () => {
    aws.answers.SendTaskFailure = [fault('AccessDeniedException', 'no')];
    await expect(handler({ detail: stopped() })).rejects.toThrow('no');
  });

  it.each([
    ['a task that has not ended', stopped({ lastStatus: 'RUNNING' }), 'it is RUNNING'],
    ['a task of somebody else', { taskArn: TASK, lastStatus: 'STOPPED' }, 'it is no task of Trowel'],
    ['an assignment that has expired', stopped({}, ADDRESS.replace('/x.', '/gone.')), 'its assignment is gone'],
    ['an address elsewhere', stopped({}, 'https://elsewhere/x.json'), 'its assignment is gone'],
  ])('ignores %s', async (_, detail, ignored) => {
    expect(await handler({ detail })).toEqual({ ignored });
    expect(aws.calls).toEqual([]);
  });
});
