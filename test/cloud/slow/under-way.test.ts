/**
 * What happens at the same time, on the small AWS: a deploy while an execution runs, a schedule that is delivered twice, two workflows that
 * require a third. What is real and what is played, test/cloud/aws/service.ts says.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeMessages } from '../aws/queues.ts';
import { type SmallAws, startSmallAws } from '../aws/small-aws.ts';
import type { Run } from '../aws/step-functions.ts';
import type { DeployedStack } from '../aws/template.ts';

const FILES: { readonly [name: string]: string } = {
  'main.dig': 'timezone: UTC\n+a:\n  py>: tasks.say\n+b:\n  py>: tasks.say\n+c:\n  py>: tasks.say\n',
  'nightly.dig': 'timezone: Asia/Tokyo\nschedule:\n  daily>: 07:00:00\n+a:\n  echo>: ${session_time}\n',
  'one.dig': 'timezone: UTC\n+r:\n  require>: shared\n',
  'two.dig': 'timezone: UTC\n+r:\n  require>: shared\n',
  'shared.dig': 'timezone: UTC\n+a:\n  py>: tasks.say\n',
};

let aws: SmallAws;
let stack: DeployedStack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-under-way-'));
  await mkdir(join(folder, 'tasks'));
  await write('one', '1GB');
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
  aws = await startSmallAws({ unpackOnce: true, now: Date.parse('2026-11-01T00:00:00Z') });
  stack = await aws.deploy(folder);
});
afterAll(async () => {
  await aws?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** @param memory of the task definition, so that it changes too */
async function write(version: string, memory: string): Promise<void> {
  await writeFile(join(folder, 'tasks', '__init__.py'), `def say():\n    print('version ${version}')\n`);
  await writeFile(join(folder, 'trowel.yml'), `name: under-way\ntask:\n  memory: ${memory}\n`);
}

async function start(workflow: string, input: object = {}): Promise<Run> {
  const stateMachineArn = stack.outputs[`Workflow${workflow}`];
  const request = new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) });
  const { executionArn = '' } = await aws.sfn.send(request);
  const run = aws.executions.executions.get(executionArn);
  if (run === undefined) throw new Error('it was not started');
  return run;
}

function runsOf(workflow: string): Run[] {
  return [...aws.executions.executions.values()].filter(({ machine }) => machine.name === `under-way-${workflow}`);
}

describe('at the same time', { timeout: 300_000 }, () => {
  it('an execution that began before a deploy ends with what it began with', async () => {
    const said: string[] = [];
    const revisions = new Set<string>();
    let second: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      second = resolve;
    });
    let deployed: () => void = () => {};
    const after = new Promise<void>((resolve) => {
      deployed = resolve;
    });
    aws.containers.hooks = {
      line: (task, text) => {
        said.push(text);
        revisions.add(task.definition.arn);
      },
      starting: async (task) => {
        if (aws.containers.tasks.indexOf(task) !== 1) return undefined;
        second();
        await after;
        return undefined;
      },
    };
    const run = await start('main');
    await waiting;
    await write('two', '2GB');
    // moto loses the change set of an update, and does not know earlier values of parameters.
    stack = await aws.deploy(folder, { args: ['--method', 'direct', '--no-previous-parameters'] });
    deployed();
    expect(await run.ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(said).toEqual(['version one', 'version one', 'version one']);
    expect(revisions.size).toBe(1);
    expect(await (await start('main')).ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(said.slice(3)).toEqual(['version two', 'version two', 'version two']);
    expect(revisions.size).toBe(2);
    aws.containers.hooks = {};
  });

  it('two triggers of one schedule run its session once', async () => {
    aws.scheduler.hooks.deliveries = () => 2;
    const fired = await aws.scheduler.advance(Date.parse('2026-11-02T00:00:00Z'));
    expect(fired.map(({ time, fault }) => [time, fault])).toEqual(Array(2).fill(['2026-11-01T22:00:00Z', undefined]));
    const told = () =>
      aws.functions.logs
        .get('session')
        ?.join('')
        .match(/"workflow":"nightly"/g)?.length;
    await expect.poll(told, { timeout: 30_000 }).toBe(2);
    aws.scheduler.hooks = {};
    const [run, ...others] = runsOf('nightly');
    expect(others).toEqual([]);
    expect(await run?.ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(JSON.stringify(run?.events)).toContain('2026-11-02T00:00:00+09:00');
  });

  it('a schedule whose session cannot be started ends in the dead-letter queue', async () => {
    const role = aws.iam.roles().find(({ id }) => id.includes('Functionsession'));
    const statement = role?.statements.find(({ statement: { Action } }) =>
      Action?.toString().includes('StartExecution'),
    );
    const restore = aws.iam.without(statement?.id ?? '');
    await aws.scheduler.advance(Date.parse('2026-11-03T00:00:00Z'));
    const [queue] = stack.ofType('AWS::SQS::Queue');
    const messages: string[] = [];
    const take = async () => {
      messages.push(...(await takeMessages(aws.url, stack.attribute(queue?.id ?? '', 'Arn'))).map(({ body }) => body));
      return messages.length;
    };
    await expect.poll(take, { timeout: 60_000, interval: 200 }).toBe(1);
    expect(JSON.parse(messages[0] ?? '')).toMatchObject({ workflow: 'nightly', scheduled: '2026-11-02T22:00:00Z' });
    expect(runsOf('nightly')).toHaveLength(1);
    restore();
  });

  it('two workflows that require a third run it once', async () => {
    const input = { session_time: '2026-11-05T00:00:00+00:00' };
    const parents = await Promise.all([start('one', input), start('two', input)]);
    for (const { ended } of parents) expect(await ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(runsOf('shared').map(({ outcome }) => outcome?.status)).toEqual(['SUCCEEDED']);
    // And one that comes when it is over.
    expect(await (await start('one', input)).ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(runsOf('shared')).toHaveLength(1);
  });
});
