/**
 * What a task may reach that is not its own, tried from the code of another: of the same workflow, and of another one. On the small AWS, whose
 * IAM decides by the deployed roles (what of it is played, test/cloud/aws/service.ts says). The code calls as the runner does, so that
 * what is tried is the role and not the library.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, HOOK_TIMEOUT, type Stack, startSmallCloud } from '../aws/cloud.ts';
import { expiredAddress } from '../aws/proxy.ts';
import { containerLogs, type Ended, run } from '../aws/run.ts';
import type { SmallAws } from '../aws/small-aws.ts';

const VICTIM = '+keep:\n  py>: tasks.keep\n+use:\n  py>: tasks.use\n';
const FILES: { readonly [name: string]: string } = {
  'victim.dig': VICTIM,
  'attacker.dig': '+attack:\n  py>: tasks.attack\n',
  'sub.dig': '+sub:\n  py>: tasks.sub\n',
  'trowel.yml': 'name: rights\n',
  'tasks/__init__.py': `
import json, os, digdag
from trowel_task.aws import remote, services

def keep():
    digdag.env.store({'kept': ['private to its workflow'] * 2000})

def use(kept):
    digdag.env.store({'count': len(kept)})

def tried(act):
    try:
        act()
    except Exception as error:
        return getattr(error, 'code', type(error).__name__)
    return 'allowed'

def attack(keys, bucket, functions):
    """What becomes of each call; keys are of other tasks."""
    answers = {}
    for name, key in keys.items():
        uri = f's3://{bucket}/{key}'
        answers[f'read {name}'] = tried(lambda: remote.load(uri))
        answers[f'write {name}'] = tried(lambda: remote.save(uri, b'forged'))
        answers[f'delete {name}'] = tried(lambda: remote.remove(uri))
    for prefix in ('', 'assignments/', 'attempts/', 'attempts/attacker/'):
        listing = services.object_url(bucket, '') + f'?list-type=2&prefix={prefix}'
        answers[f'list {prefix}'] = tried(lambda: services.send('s3', 'GET', listing))
    reference = {'trowel:ref': f's3://{bucket}/{keys["value"]}', 'kind': 'json', 'bytes': 100, 'sha256': '0' * 64}
    attempt = {'root': f's3://{bucket}/attempts/victim/x', 'workflow': 'victim', 'execution': 'arn:x:' + keys['value'].split('/')[2]}
    payload = {'v': 1, 't': '+a', 'op': 'keys', 'l': [{'big': reference}], 'k': {'got': '\${JSON.stringify(big)}'}, 'b': {'vars': {}, 'attempt': attempt}}
    for name, function in functions.items():
        said = []
        answers[f'invoke {name}'] = tried(lambda: said.extend(services.invoke(function, payload)))
        if said:
            answers[f'told by {name}'] = json.dumps(said)
    answers['own environment'] = sorted(name for name in os.environ if name.startswith('TROWEL_'))
    print(json.dumps(answers))
    digdag.env.store({'answers': answers})

def sub():
    digdag.env.store({'big': {'words': ['x' * 30_000, 'last']}})
    digdag.env.add_subtask({'+x': {'sh>': 'echo subtask sees \${big.words[1]}'}})
`,
};

let cloud: Cloud & { readonly small: SmallAws };
let stack: Stack;
let folder: string;
let bucket: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-rights-'));
  await mkdir(join(folder, 'tasks'));
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
  cloud = await startSmallCloud({ unpackOnce: true });
  stack = await cloud.deploy(folder);
  bucket = stack.outputs.BucketName ?? '';
}, HOOK_TIMEOUT);
afterAll(async () => {
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
}, HOOK_TIMEOUT);

async function keysBelow(Prefix: string): Promise<string[]> {
  const { Contents = [] } = await cloud.s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
  return Contents.map(({ Key = '' }) => Key);
}

async function textOf(Key: string): Promise<string> {
  const { Body } = await cloud.s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
  return (await Body?.transformToString()) ?? '';
}

async function succeeded(workflow: string, input: object = {}): Promise<Ended> {
  const ended = await run(cloud, stack, workflow, input);
  expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED' });
  return ended;
}

/** What the attacking task was answered, by what it tried. */
async function attack(keys: { readonly [name: string]: string }): Promise<{ readonly [tried: string]: string }> {
  const functions = Object.fromEntries(
    ['evaluate', 'render', 'launch', 'http', 'notify', 'session', 'task-stopped'].map((name) => [
      name,
      cloud.small.functions.named(name),
    ]),
  );
  const ended = await succeeded('attacker', { params: { keys, bucket, functions } });
  const results = await keysBelow(`attempts/attacker/${ended.name}/results/`);
  const { stored } = JSON.parse(await textOf(results[0] ?? '')) as {
    readonly stored: { readonly answers: { readonly [tried: string]: string } };
  };
  return stored.answers;
}

/** References had the address, and the hash in a field of its own. */
function asBefore(text: string, values: string): string {
  return JSON.stringify(JSON.parse(text), (_, value) => {
    const sha256 = value?.['trowel:ref'];
    if (!/^[0-9a-f]{64}$/.test(sha256 ?? '')) return value;
    return { ...value, 'trowel:ref': `${values}${sha256}.json`, sha256 };
  });
}

const refused = (answers: { readonly [tried: string]: unknown }, but: readonly string[] = []) =>
  Object.entries(answers).filter(
    ([tried, answer]) => answer !== 'AccessDenied' && !but.some((each) => tried.includes(each)),
  );

describe('a task', { timeout: 600_000 }, () => {
  it('reaches nothing of another workflow, no assignment, no list, and no function that reads for it', async () => {
    const victim = await succeeded('victim');
    const root = `attempts/victim/${victim.name}`;
    const [value] = await keysBelow(`${root}/values/`);
    const [record] = await keysBelow(`${root}/results/`);
    const [assignment] = await keysBelow('assignments/');
    const before = await Promise.all([value, record, assignment].map((key) => textOf(key ?? '')));
    const answers = await attack({
      value: value ?? '',
      record: record ?? '',
      assignment: assignment ?? '',
      mark: `${root}/notified/failure-victim.json`,
      'new value': `${root}/values/${'0'.repeat(64)}.json`,
      'new record': `${root}/results/+victim+other.0.json`,
      'new assignment': 'assignments/new.json',
      'value of before': `attempts/${victim.name}/values/${'0'.repeat(64)}.json`,
      bundle: 'bundles/x.zip',
    });
    expect(refused(answers, ['invoke', 'told by', 'own environment'])).toEqual([]);
    // The one function that it may call reads nothing, whatever it is told.
    for (const name of ['evaluate', 'launch', 'http', 'notify', 'session', 'task-stopped'])
      expect([name, answers[`invoke ${name}`]]).toEqual([name, 'AccessDeniedException']);
    expect(answers['invoke render']).toBe('allowed');
    expect(answers['told by render']).not.toContain('private');
    expect(answers['own environment']).toEqual([]);
    expect(await Promise.all([value, record, assignment].map((key) => textOf(key ?? '')))).toEqual(before);
  });

  it('reaches of its own workflow values and, to write, records: no assignment, mark or list', async () => {
    const other = await attack({ value: 'attempts/attacker/x/values/x' });
    expect(other['read value']).toBe('AccessDenied');
    const root = 'attempts/attacker/another-execution';
    const answers = await attack({
      value: `${root}/values/${'1'.repeat(64)}.json`,
      record: `${root}/results/+attacker+other.0.json`,
      assignment: (await keysBelow('assignments/'))[0] ?? '',
      mark: `${root}/notified/failure-attacker.json`,
      log: `${root}/anything.json`,
    });
    expect(Object.fromEntries(refused(answers, ['invoke', 'told by', 'own environment']))).toEqual({
      // docs/security.md says so.
      'write value': 'allowed',
      'write record': 'allowed',
      'delete record': 'allowed',
    });
  });

  it('is given the role of its workflow and a signed address, which CloudFormation’s task definition does not have', async () => {
    const tasks = cloud.small.containers.tasks;
    const roles = new Set(tasks.map((task) => task.roles.task));
    expect(roles.size).toBeGreaterThan(1);
    for (const task of tasks) {
      expect(task.environment.TROWEL_ASSIGNMENT).toMatch(
        /^http.*\/assignments\/[0-9a-f]{32}\.json\?.*X-Amz-Expires=900/,
      );
      expect(task.roles.task).not.toBe(task.definition.taskRole);
      expect(JSON.stringify(task.request.overrides).length).toBeLessThan(8_192);
    }
    // Neither functions nor containers print it.
    const printed = JSON.stringify([...cloud.small.functions.logs.values()]);
    expect(printed).not.toMatch(/X-Amz-(?:Signature|Security-Token)/);
  });

  it('has templates of subtasks rendered with the values that they name', async () => {
    const ended = await succeeded('sub');
    await expect
      .poll(async () => Object.values(await containerLogs(cloud, 'rights', ended)).join(''), { timeout: 60_000 })
      .toBe('subtask sees last\n');
  });

  it('that finds its address expired is lost and tried again', async () => {
    const { containers } = cloud.small;
    const first = containers.tasks.length;
    cloud.small.proxy.around = async (call, next) =>
      call.url.pathname.includes('/assignments/') &&
      call.method === 'GET' &&
      containers.tasks.length === first + 1 &&
      call.url.searchParams.has('X-Amz-Signature')
        ? expiredAddress()
        : next();
    const { events } = await succeeded('sub');
    cloud.small.proxy.around = undefined;
    const failed = events.flatMap(({ taskFailedEventDetails: details }) => details ?? []);
    expect(failed).toMatchObject([
      { error: 'Trowel.TaskLost', cause: expect.stringContaining('address of its assignment had expired') },
    ]);
    await expect
      .poll(() => containers.tasks.slice(first).map(({ exitCode }) => exitCode), { timeout: 60_000 })
      .toEqual([75, 0]);
  });

  it('of an attempt from before workflows had folders is taken over by a resumed one, and its values are read', async () => {
    const now = await succeeded('victim');
    // As an earlier version has left it.
    const root = `attempts/victim/${now.name}`;
    for (const key of await keysBelow(root)) {
      const Key = key.replace('attempts/victim/', 'attempts/');
      const text = asBefore(await textOf(key), `s3://${bucket}/attempts/${now.name}/values/`);
      await cloud.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: text }));
      await cloud.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    }
    // So that the second task runs, and reads what the first one has left.
    const record = (await keysBelow(`attempts/${now.name}/results/`)).find((key) => key.includes('use'));
    await cloud.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: record }));
    const before = cloud.small.containers.tasks.length;
    await succeeded('victim', { resume_from: now.name });
    expect(cloud.small.containers.tasks.length - before).toBe(1);
  });
});
