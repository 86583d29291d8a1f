/**
 * Every workflow of the operator guide on AWS, as the quickstart in ../quickstart.test.ts. apt-get is played by a script that says what the
 * real one says to a user without rights.
 */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { tabulateWheel } from '../../examples/wheel.ts';
import { type Sink, serve } from '../../lib/functions/http/server.ts';
import { bodyOf, type Mail, type MailSink, smtp } from '../../lib/functions/notify/smtp.ts';
import { type Cloud, HOOK_TIMEOUT, type Stack, startCloud } from '../aws/cloud.ts';
import { run } from '../aws/run.ts';
import { EXAMPLES, expectSame, here, type Local, textOf } from '../here.ts';

const SECRET = '1234/abcd';
/** Of a session in any zone. */
const TIME = '2026-11-01T00:00:00+09:00';

// A container takes a second of a processor here, a minute in an account.
vi.setConfig({ testTimeout: 900_000 });

let cloud: Cloud;
let folder: string;
let guide: Stack;
/** For tasks here and in the small AWS's containers. Who tests may be root: neither pip nor apt-get is to do anything to this machine. */
let env: { readonly [name: string]: string };
let wheel: string;
let web: Sink;
let post: MailSink;
/** What SES took. */
const letters: Mail[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-examples-'));
  [web, post] = [await serve(), await smtp()];
  wheel = tabulateWheel(folder, '0.9.0');
  env = {
    PIP_NO_INDEX: '1',
    PIP_ROOT_USER_ACTION: 'ignore',
    PATH: `${await aptGet(folder)}${delimiter}${process.env.PATH}`,
  };
  cloud = await startCloud({ containerEnv: env });
  guide = await cloud.deploy(join(EXAMPLES, 'operator-guide'));
  const secret = { Name: 'trowel/operator-guide/td.apikey', SecretString: SECRET };
  await cloud.secrets.send(new CreateSecretCommand(secret));
  await openMail();
}, HOOK_TIMEOUT);

afterAll(async () => {
  // Nobody asked for more than its role allows.
  expect(cloud?.small?.proxy.refused ?? []).toEqual([]);
  await cloud?.stop();
  await Promise.all([web?.close(), post?.close()]);
  if (folder) await rm(folder, { recursive: true, force: true });
}, HOOK_TIMEOUT);

async function aptGet(root: string): Promise<string> {
  const bin = join(root, 'bin');
  await mkdir(bin);
  const said = 'E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)';
  await writeFile(join(bin, 'apt-get'), `#!/bin/sh\necho '${said}' >&2\nexit 100\n`);
  await chmod(join(bin, 'apt-get'), 0o755);
  return bin;
}

/** SES sends from a known address, and keeps no message that could be asked for. */
async function openMail(): Promise<void> {
  const { small } = cloud;
  if (small === undefined) return;
  small.proxy.around = async (call, next) => {
    const answer = await next();
    if (call.url.pathname === '/v2/email/outbound-emails' && answer.status === 200) {
      const { FromEmailAddress: from, Destination, Content } = JSON.parse(call.body.toString());
      const raw = Buffer.from(Content.Raw.Data, 'base64').toString();
      letters.push({ from, to: Destination.ToAddresses, user: undefined, secure: true, raw });
    }
    return answer;
  };
  const credentials = { accessKeyId: small.env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: 'test' };
  const ses = new SESv2Client({ endpoint: small.url, region: small.env.AWS_REGION ?? '', credentials });
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'workflows@example.com' }));
  ses.destroy();
}

interface Case {
  readonly params?: (place: 'here' | 'there') => { readonly [name: string]: string };
  /** More parameters, as the example's comment says to give them. */
  readonly file?: string;
  readonly secrets?: { readonly [key: string]: string };
  /** What came of it at a server of this machine, which nothing of an account reaches. */
  readonly sent?: (place: 'here' | 'there') => readonly unknown[];
}

describe('operator-guide', () => {
  const CASES: { readonly [workflow: string]: Case } = {
    awesome_workflow: {},
    env: {},
    error_echo: {},
    error_mail: {
      params: (place) => ({ smtp_host: '127.0.0.1', smtp_port: String(post.port), mail_to: `${place}@example.com` }),
      sent: (place) => post.mails.filter(({ to: [to] }) => to === `${place}@example.com`).map(contents),
    },
    error_slack: {
      params: (place) => ({ slack_url: `${web.url}/${place}` }),
      sent: (place) =>
        web.received
          .filter(({ url }) => url === `/${place}`)
          .map(({ method, headers, body }) => [method, headers['content-type'], JSON.parse(body)]),
    },
    ingest: { file: 'config/params.yml' },
    install_package: { params: () => (cloud.small ? { package: wheel } : {}) },
    kwargs: {},
    main_guard: {},
    os_package: {},
    params: {},
    secret_arg: { secrets: { 'td.apikey': SECRET } },
    secret_env: { secrets: { 'td.apikey': SECRET } },
    several_args: {},
    simple_with_arg: {},
    store: {},
    td_conflict: {},
    test: {},
    types: {},
  };

  const contents = (mail: Mail) => [mail.from, /^Subject: (.*)\r$/m.exec(mail.raw)?.[1], bodyOf(mail)];

  /** There and here. */
  function both(workflow: string, { params, file, secrets = {} }: Case) {
    const more = file === undefined ? {} : parse(readFileSync(join(EXAMPLES, 'operator-guide', file), 'utf8'));
    const args = [
      ...(file === undefined ? [] : ['-P', file]),
      ...Object.entries(params?.('here') ?? {}).flatMap(([name, value]) => ['-p', `${name}=${value}`]),
    ];
    return Promise.all([
      run(cloud, guide, workflow, { session_time: TIME, params: { ...more, ...params?.('there') } }),
      here(folder, 'operator-guide', workflow, {
        ...{ args: ['--session', TIME, ...args], secrets },
        env: cloud.small ? env : { ...env, PIP_NO_INDEX: '' },
      }),
    ]);
  }

  test('every workflow of the folder is run below', async () => {
    const files = (await readdir(join(EXAMPLES, 'operator-guide'))).filter((name) => name.endsWith('.dig'));
    expect(Object.keys(CASES).map((name) => `${name}.dig`)).toEqual(files.sort());
  });

  test.concurrent.for(Object.entries(CASES))('%s gives what it gives here', async ([workflow, given], { skip }) => {
    if (given.sent !== undefined && cloud.small === undefined)
      skip('nothing of this machine can be reached from an account');
    const [there, local] = await both(workflow, given);
    expect(local.code, local.stderr).toBe(workflow.startsWith('error_') ? 1 : 0);
    await expectSame(cloud, 'operator-guide', there, local);
    expect(JSON.stringify(there.events)).not.toContain(SECRET);
    if (given.sent === undefined) return;
    expect(given.sent('here')).toHaveLength(1);
    expect(tell(given.sent('there'), local)).toBe(tell(given.sent('here'), local));
  });

  const tell = (sent: readonly unknown[], { project }: Local): string => textOf(cloud, JSON.stringify(sent), project);

  test.concurrent('error_mail: without a server it goes through SES, as the same mail', async ({ skip }) => {
    if (cloud.small === undefined) skip('nothing of this machine can be reached from an account');
    const server = { smtp_host: '127.0.0.1', smtp_port: String(post.port), mail_to: 'ses@example.com' };
    const [there, local] = await both('error_mail', {
      params: (place) => (place === 'here' ? server : { ...server, smtp_host: '' }),
    });
    await expectSame(cloud, 'operator-guide', there, local);
    const mails = post.mails.filter(({ to: [to] }) => to === 'ses@example.com');
    expect(letters.map(({ to }) => to)).toEqual([['ses@example.com']]);
    expect(tell(letters.map(contents), local)).toBe(tell(mails.map(contents), local));
    const [[from, subject, text] = []] = letters.map(contents);
    expect([from, subject]).toEqual(['workflows@example.com', 'Failed on 2026-10-31']);
    expect(text?.replaceAll('\r\n', '\n')).toContain(
      'the server said:\n\t"no such \'table\'" \\ ${not_a_variable} {"code": 42} (RuntimeError)',
    );
  });

  test.concurrent('os_package: apt-get in a task fails, with a hint to apt:', async ({ skip }) => {
    const [there, local] = await both('os_package', { params: () => ({ install_os_packages: 'true' }) });
    if (local.stdout.includes('wkhtmltopdf is here')) skip('this machine has the program');
    expect(there).toMatchObject({ status: 'FAILED', error: 'Trowel.TaskFailed' });
    const messages = [local.message, (JSON.parse(there.cause ?? '{}') as { readonly message?: string }).message];
    for (const message of messages) {
      expect(message).toContain(
        "Command '['apt-get', 'update']' returned non-zero exit status 100. (CalledProcessError) Packages of the operating system come with the image: `apt: [NAME]` in trowel.yml\n",
      );
    }
    if (cloud.small) await expectSame(cloud, 'operator-guide', there, local);
  });
});
