/**
 * The functions' handlers on moto's server. Covers lambdas/evaluate/handler.ts, lambdas/http/handler.ts, lambdas/notify/handler.ts,
 * lambdas/session/handler.ts.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { attemptVariables, inBucket } from '../../../lambdas/aws/attempts.ts';
import { bundleFiles } from '../../../lambdas/aws/bundle.ts';
import { parseUri } from '../../../lambdas/aws/objects.ts';
import { DeployedSecrets } from '../../../lambdas/aws/secrets.ts';
import type { Payload } from '../../../lib/contract/payload.ts';
import { attemptNumber } from '../../../lib/functions/session/core.ts';
import { type Sink, serve } from '../../lib/functions/http/server.ts';
import { type AwsServices, python, startServices } from '../aws-services.ts';

describe('attempts', () => {
  const attempt = { root: 'attempts/run-1', workflow: 'main' };
  it('lie in the bucket, by the name of the execution', () => {
    const resume = ['run-0', 's3://b/attempts/main/run-00', 's3://b/attempts/run-000'];
    expect(inBucket({ ...attempt, resume }, 'b')).toEqual({
      root: 's3://b/attempts/main/run-1',
      resume: ['s3://b/attempts/main/run-0', 's3://b/attempts/main/run-00', 's3://b/attempts/main/run-000'],
      workflow: 'main',
    });
    expect(attemptVariables('s3://b/attempts/main/run-0')).toEqual({ attempt_id: attemptNumber('run-0') });
  });

  it.each([
    ['main', 's3://b/attempts/main/run-1'],
    ['sub/part', 's3://b/attempts/sub%2Fpart/run-1'],
    ['*', 's3://b/attempts/%2A/run-1'],
    ['..', 's3://b/attempts/%../run-1'],
  ])('of the workflow %s have one folder, whatever they say', (workflow, root) => {
    const execution = 'arn:aws:states:us-east-1:123456789012:execution:p-main:run-1';
    expect(inBucket({ workflow, execution, root: 's3://b/attempts/other/run-1' }, 'b').root).toBe(root);
  });

  it.each(['s3://other/attempts/x', 's3://b/attempts/other/x', '../x', 'a/b', '/tmp/x', '..', ''])(
    '%s is no attempt',
    (resume) => {
      expect(() => inBucket({ ...attempt, resume: [resume] }, 'b')).toThrow('Expected the name of an execution');
    },
  );

  it('have addresses with keys as they are', () => {
    expect(parseUri('s3://b/a%2Fb c/+x')).toEqual({ Bucket: 'b', Key: 'a%2Fb c/+x' });
    expect(parseUri('file:///x')).toBeUndefined();
  });
});

describe('functions on AWS', () => {
  let aws: AwsServices;
  let web: Sink;
  type Handler = (event: Payload, context?: { getRemainingTimeInMillis(): number }) => Promise<unknown>;
  let handlers: { [name in 'evaluate' | 'http' | 'notify']: Handler };
  const secrets = new Map<string, string>();

  beforeAll(async () => {
    web = await serve(({ url }) => {
      if (url === '/silent') return { silent: true };
      return url === '/bad' ? { status: 404, body: 'no' } : { body: 'content' };
    });
    aws = await startServices({
      TROWEL_BUNDLE: 'bundles/x.zip',
      TROWEL_SLACK_SECRET: 'slack.webhook',
    });
    const client = new SecretsManagerClient({});
    secrets.set('slack.webhook', `${web.url}/slack`).set('token', 'hush');
    for (const [key, SecretString] of secrets)
      await client.send(new CreateSecretCommand({ Name: `trowel/p/${key}`, SecretString }));
    const [evaluate, http, notify] = await Promise.all([
      import('../../../lambdas/evaluate/handler.ts'),
      import('../../../lambdas/http/handler.ts'),
      import('../../../lambdas/notify/handler.ts'),
    ]);
    handlers = { evaluate: evaluate.handler, http: http.handler, notify: notify.handler as Handler };
  });
  afterAll(() => Promise.all([aws.stop(), web.close()]));

  function payloadOf(op: string, k: Payload['k'], given: Partial<Payload> = {}): Payload {
    const attempt = { root: 's3://trowel-test/attempts/main/run-2', workflow: 'main' };
    return { v: 1, t: '+main+a', op, l: [{}], m: 1, b: { vars: { timezone: 'UTC' }, attempt }, k, ...given };
  }

  async function stored(json: string) {
    const sha256 = createHash('sha256').update(json).digest('hex');
    await aws.put(`attempts/main/run-2/values/${sha256}.json`, json);
    return { 'trowel:ref': sha256, kind: 'json', bytes: json.length };
  }

  it('evaluate reads values by reference', async () => {
    const ref = await stored('{"deep": [1, 2]}');
    const payload = payloadOf('echo', { 'echo>': '${big.deep[1]}' }, { l: [{ big: ref }] });
    expect(await handlers.evaluate(payload)).toEqual({ text: '2' });
  });

  it('evaluate reads values of its own attempt only', async () => {
    const json = '"of another"';
    const sha256 = createHash('sha256').update(json).digest('hex');
    await aws.put(`attempts/other/run-2/values/${sha256}.json`, json);
    const theirs = { 'trowel:ref': sha256, kind: 'json', bytes: json.length };
    const payload = payloadOf('echo', { 'echo>': '${theirs}' }, { l: [{ theirs }] });
    await expect(handlers.evaluate(payload)).rejects.toThrow('is gone, or not of this run');
    // A root that it is told is not believed.
    const attempt = { ...payload.b.attempt, root: 's3://trowel-test/attempts/other/run-2', execution: 'arn:x:run-2' };
    await expect(handlers.evaluate({ ...payload, b: { ...payload.b, attempt } })).rejects.toThrow('is gone');
  });

  it('http sends with secrets, and leaves values by reference where they are', async () => {
    const ref = await stored('"/path"');
    const keys = { 'http>': `${web.url}\${path}`, headers: [{ Token: '${secret:token}' }], store_content: true };
    const answer = await handlers.http(payloadOf('http', keys, { l: [{ path: ref, n: 1 }] }));
    expect(answer).toEqual({ s: { path: ref, n: 1, http: { last_status: 200, last_content: 'content' } } });
    expect(web.received.at(-1)).toMatchObject({ url: '/path', headers: { token: 'hush' } });
  });

  it('http fails under a name', async () => {
    await expect(handlers.http(payloadOf('http', { 'http>': `${web.url}/bad` }))).rejects.toMatchObject({
      name: 'Trowel.TaskFailed',
    });
    await expect(
      handlers.http(payloadOf('http', { 'http>': web.url, headers: [{ A: '${secret:none}' }] })),
    ).rejects.toMatchObject({
      name: 'Trowel.Secret',
      message: expect.stringContaining('trowel secrets --aws --set none'),
    });
  });

  it('http fails by itself before its time is up', async () => {
    const payload = payloadOf('http', { 'http>': `${web.url}/silent`, timeout: 600 });
    await expect(handlers.http(payload, { getRemainingTimeInMillis: () => 5_500 })).rejects.toMatchObject({
      name: 'Trowel.TaskFailed',
      message: expect.stringContaining('set a shorter timeout, or retry: false'),
    });
  });

  it('http does once what a resumed attempt has done', async () => {
    const keys = { 'http>': `${web.url}/once` };
    await handlers.http(payloadOf('http', keys, { t: '+main+once' }));
    const count = web.received.length;
    const attempt = {
      root: 's3://trowel-test/attempts/main/run-3',
      resume: ['s3://trowel-test/attempts/main/run-2'],
      workflow: 'main',
    };
    const again = payloadOf('http', keys, { t: '+main+once', b: { vars: { timezone: 'UTC' }, attempt } });
    expect(await handlers.http(again)).toMatchObject({ s: { http: { last_status: 200 } }, replayed: true });
    expect(web.received).toHaveLength(count);
    await handlers.http({ ...again, k: { ...keys, timeout: 20 } });
    expect(web.received).toHaveLength(count + 1);
  });

  it('notify posts to Slack and publishes to the topic', async () => {
    const sns = new SNSClient({});
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'trowel' }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: `${web.url}/topic` }));
    vi.stubEnv('TROWEL_TOPIC', TopicArn);
    await handlers.notify(payloadOf('notify', { 'notify>': 'done: ä\nmore' }));
    expect(JSON.parse(web.received.findLast(({ url }) => url === '/slack')?.body ?? '{}')).toEqual({
      text: 'done: ä\nmore',
    });
    const published = () => web.received.flatMap(({ url, body }) => (url === '/topic' ? [JSON.parse(body)] : []));
    await expect
      .poll(published)
      .toContainEqual(expect.objectContaining({ Subject: '+main+a: done: ?', Message: 'done: ä\nmore' }));
  });

  it.each([
    ['http', { 'http>': '/again', method: 'POST', content: 'x' }],
    ['notify', { 'slack>': 'once', url: '/again' }],
  ] as const)('an invocation of %s that is repeated does not act again', async (name, given) => {
    const keys = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, value === '/again' ? `${web.url}/again` : value]),
    );
    const payload = payloadOf(name === 'http' ? 'http' : 'slack', keys, { t: `+main+again-${name}` });
    const count = web.received.length;
    const answer = await handlers[name](payload);
    // As the first did, whose answer was lost: nothing is said of an earlier attempt.
    expect(await handlers[name]({ ...payload, n: 1 })).toEqual(answer);
    expect(answer).not.toHaveProperty('replayed');
    expect(web.received).toHaveLength(count + 1);
    // A retried group does it again.
    await handlers[name]({ ...payload, r: [1] });
    expect(web.received).toHaveLength(count + 2);
  });

  it('secrets are read anew, and one that is being deleted is missing', async () => {
    const client = new SecretsManagerClient({});
    const deployed = new DeployedSecrets('trowel/p/');
    await client.send(new CreateSecretCommand({ Name: 'trowel/p/rotated', SecretString: 'one' }));
    expect(await deployed.get('rotated')).toBe('one');
    await client.send(new PutSecretValueCommand({ SecretId: 'trowel/p/rotated', SecretString: 'two' }));
    expect(await deployed.get('rotated')).toBe('two');
    expect(await deployed.missing(['rotated', 'none', 'token'])).toEqual(['none']);
    await client.send(new DeleteSecretCommand({ SecretId: 'trowel/p/rotated' }));
    expect(await deployed.get('rotated')).toBeUndefined();
    expect(await deployed.missing(['rotated'])).toEqual(['rotated']);
  });

  describe('files of the bundle', () => {
    const MAKE = `
import sys, zipfile
with zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_DEFLATED) as made:
    made.writestr('project/mails/ä.txt', 'Hello \${name}' * 1000)
    made.writestr('project/empty.txt', '')
    made.writestr('secret.txt', 'no')
    made.writestr(zipfile.ZipInfo('project/stored.bin'), b'stored')
    if sys.argv[1:]: [made.writestr(f'project/many/{i}.txt', str(i)) for i in range(2000)]
`;
    it.each([[[]], [['many']]])('are read one by one %j', async (more) => {
      await aws.put('bundles/x.zip', execFileSync(python ?? '', ['-c', MAKE, ...more]));
      const files = bundleFiles(aws.s3, { Bucket: aws.bucket, Key: 'bundles/x.zip' });
      expect((await files.read('ä.txt', 'mails')).toString()).toBe('Hello ${name}'.repeat(1000));
      expect((await files.read('stored.bin', '')).toString()).toBe('stored');
      expect((await files.read('../empty.txt', 'mails')).length).toBe(0);
      await expect(files.read('none.txt', '')).rejects.toThrow('File not found: none.txt (config)');
      await expect(files.read('../secret.txt', '')).rejects.toThrow('File is outside the project');
      await expect(files.read('/etc/passwd', '')).rejects.toThrow('File is outside the project');
    });
  });
});
