/**
 * The way of a task on AWS from `launch` to the answer: the container is played by a local process that runs the very command, bootstrap
 * and all, with what RunTask was told; its image by a Python of this machine. S3 and Secrets Manager are moto's, ECS and Step Functions played.
 * Covers lambdas/launch/handler.ts, task-images/python/src/trowel_task/host/fargate.py.
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LaunchPayload, Layer } from '../../lib/contract/payload.ts';
import type { Mapping } from '../../lib/language/workflow.ts';
import { type AwsServices, fault, python, startServices, TASK } from './aws-services.ts';

const IMAGE = join(import.meta.dirname, '..', '..', 'task-images', 'python');

const TASKS = `
import os, digdag
def make(rows):
    print('making', rows, os.environ.get('PASSWORD'))
    digdag.env.store({'table': [{'row': i} for i in range(rows)], 'rows': rows})
def count(table):
    print('counting')
    digdag.env.store(count=len(table))
def fail():
    raise KeyError('region')
def once():
    print('once')
`;

const BUNDLE = `
import os, sys, zipfile
source, tasks = sys.argv[1:]
with zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_DEFLATED) as made:
    for folder, _, names in os.walk(source):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith('.py'): made.write(path, os.path.join('trowel_task', os.path.relpath(path, source)))
    made.writestr('project/tasks.py', tasks)
`;

const bundleOf = (tasks: string): Buffer =>
  execFileSync(python ?? '', ['-c', BUNDLE, join(IMAGE, 'src', 'trowel_task'), tasks]);

describe('a task in a container', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'trowel-container-'));
  let aws: AwsServices;
  let launch: (payload: LaunchPayload) => Promise<object>;
  let stopped: typeof import('../../lambdas/task-stopped/handler.ts').handler;
  let sha256 = '';

  beforeAll(async () => {
    aws = await startServices({
      TROWEL_CLUSTER: 'arn:cluster',
      TROWEL_SUBNETS: 'subnet-1',
      TROWEL_SECURITY_GROUPS: 'sg-1',
      TROWEL_TASK_DEFINITIONS: JSON.stringify({
        family: 'arn:def-',
        container: 'task',
        size: { cpu: 512, memory: 1024 },
        revisions: { default: '1' },
      }),
    });
    ({ handler: launch } = await import('../../lambdas/launch/handler.ts'));
    ({ handler: stopped } = await import('../../lambdas/task-stopped/handler.ts'));
    const bundle = bundleOf(TASKS);
    sha256 = createHash('sha256').update(bundle).digest('hex');
    await aws.put(`bundles/${sha256}.zip`, bundle);
  });
  afterAll(async () => {
    await aws.stop();
    rmSync(temporary, { recursive: true });
  });
  beforeEach(() => {
    aws.calls.length = 0;
  });

  function payloadOf(
    command: string,
    l: Layer[],
    given: Partial<LaunchPayload> = {},
    resume?: string[],
  ): LaunchPayload {
    const root = `s3://${aws.bucket}/attempts/main/${resume === undefined ? 'run-1' : 'run-2'}`;
    const attempt = { root, workflow: 'main', ...(resume === undefined ? {} : { resume }) };
    const b = { vars: { timezone: 'UTC' }, attempt };
    return {
      v: 1,
      token: `token-${command}`,
      t: `+main+${command}`,
      op: 'py',
      l,
      m: 1,
      b,
      k: { 'py>': `tasks.${command}` },
      ...given,
    };
  }

  /** Does what RunTask was told, and gives the container's log. */
  async function container(more: { [name: string]: string } = {}): Promise<string> {
    const run = aws.calls.find(({ action }) => action === 'RunTask')?.input;
    const [{ name, value }] = run.overrides.containerOverrides[0].environment;
    const env = {
      PATH: process.env.PATH,
      TMPDIR: mkdtempSync(join(temporary, 'container-')),
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: process.env.AWS_ENDPOINT_URL,
      AWS_ENDPOINT_URL_SFN: process.env.AWS_ENDPOINT_URL_SFN,
      TROWEL_BUNDLE: `s3://${aws.bucket}/bundles/${sha256}.zip`,
      TROWEL_BUNDLE_SHA256: sha256,
      [name]: value,
      ...more,
    };
    const source = readFileSync(join(IMAGE, 'src', 'trowel_task', 'aws', 'bootstrap.py'), 'utf8');
    const done = promisify(execFile)(python ?? '', ['-c', source], { cwd: temporary, env });
    const { stdout, stderr } = await done.catch((error: { stdout: string; stderr: string }) => error);
    expect(stderr).toBe('');
    return stdout;
  }

  function told(): { action: string; token: string; output: Mapping } {
    const answers = aws.calls.filter(({ action }) => /Success|Failure/.test(action));
    expect(answers).toHaveLength(1);
    const [{ action, input } = { action: '', input: {} }] = answers;
    return { action, token: input.taskToken, output: JSON.parse(input.output ?? input.cause) };
  }

  it('is answered, hands large values on by reference, and is not repeated by a resumed attempt', async () => {
    await launch(payloadOf('make', [{ rows: 10_000 }]));
    expect(await container()).toBe('making 10000 None\n');
    const made = told();
    expect([made.action, made.token]).toEqual(['SendTaskSuccess', 'token-make']);
    expect(made.output).toMatchObject({ s: { rows: 10_000, table: { kind: 'json' } } });
    const layer = made.output.s as Mapping;

    aws.calls.length = 0;
    await launch(payloadOf('count', [layer]));
    expect(await container()).toBe('counting\n');
    expect(told().output).toMatchObject({ s: { ...layer, count: 10_000 } });

    aws.calls.length = 0;
    const resume = [`s3://${aws.bucket}/attempts/main/run-1`];
    expect(await launch(payloadOf('count', [layer], {}, resume))).toEqual({ replayed: true });
    expect(told().output).toMatchObject({ s: { count: 10_000 } });
    aws.calls.length = 0;
    const changed = { ...layer, table: [1] };
    expect(await launch(payloadOf('count', [changed], {}, resume))).toHaveProperty('started');
  });

  it('is repeated by a resumed attempt that asks for it, if its code was changed', async () => {
    const again = async (bundle: string): Promise<object> => {
      vi.stubEnv('TROWEL_BUNDLE', `s3://${aws.bucket}/bundles/${bundle}.zip`);
      vi.resetModules();
      const fresh = await import('../../lambdas/launch/handler.ts');
      const payload = payloadOf('once', [{}], {}, [`s3://${aws.bucket}/attempts/main/run-1`]);
      const attempt = { ...payload.b.attempt, rerunChanged: true };
      return fresh.handler({ ...payload, b: { ...payload.b, attempt } });
    };
    await launch(payloadOf('once', [{}]));
    expect(await container()).toBe('once\n');
    expect(await again(sha256)).toEqual({ replayed: true });
    await aws.put('bundles/changed.zip', bundleOf(`${TASKS}\n# changed\n`));
    expect(await again('changed')).toHaveProperty('started');
  });

  it('gets its secrets by variables, and the log shows none', async () => {
    const { CreateSecretCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
    const client = new SecretsManagerClient({});
    await client.send(new CreateSecretCommand({ Name: 'trowel/p/pg.password', SecretString: 'hush-hush' }));
    const k = { 'py>': 'tasks.make', _env: { PASSWORD: '${secret:pg.password}' } };
    await launch(payloadOf('make', [{ rows: 1 }], { k }));
    expect(await container({ TROWEL_SECRET_pg_2Epassword: 'hush-hush' })).toBe('making 1 ***\n');
  });

  it('fails with the message and the traceback of Python', async () => {
    await launch(payloadOf('fail', [{}]));
    await container();
    const { action, output } = told();
    expect(action).toBe('SendTaskFailure');
    expect(output).toMatchObject({ task: '+main+fail', stacktrace: expect.stringMatching(/KeyError: 'region'$/) });
  });

  it('runs nothing for a state that waits no more', async () => {
    aws.answers.SendTaskHeartbeat = [fault('TaskTimedOut')];
    await launch(payloadOf('make', [{ rows: 1 }]));
    expect(await container()).toBe('trowel: nobody waits for this task any more; it is not run\n');
  });

  it('that ends without an answer is told by task-stopped', async () => {
    await launch(payloadOf('make', [{ rows: 1 }]));
    const { overrides } = aws.calls[0]?.input ?? {};
    const containers = [{ name: 'task', exitCode: 137 }];
    const detail = { taskArn: TASK, lastStatus: 'STOPPED', overrides, containers };
    expect(await stopped({ detail })).toMatchObject({ told: { error: 'Trowel.TaskLost' } });
    expect(told()).toMatchObject({ action: 'SendTaskFailure', token: 'token-make', output: { task: '+main+make' } });
  });
});
