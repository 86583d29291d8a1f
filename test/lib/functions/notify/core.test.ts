import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Payload } from '../../../../lib/contract/payload.ts';
import { type NotifyServices, notify } from '../../../../lib/functions/notify/core.ts';
import { projectFiles } from '../../../../lib/functions/project-files.ts';
import type { Mapping } from '../../../../lib/language/workflow.ts';
import { payload, plainRender, secretsOf } from '../http/plain-render.ts';
import { serve } from '../http/server.ts';
import { bodyOf, type Mail, type MailSink, smtp } from './smtp.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function opened<T extends { close(): Promise<void> }>(what: Promise<T>): Promise<T> {
  const one = await what;
  open.push(one);
  return one;
}

let project = '';
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'trowel-mail-'));
  project = join(folder, 'project');
  mkdirSync(join(project, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'outside.txt'), 'no');
  symlinkSync(join(folder, 'outside.txt'), join(project, 'link.txt'));
  writeFileSync(join(project, 'body.txt'), 'Hello ${who},\n\n"${from}" says ${secret:mail.password}\n');
  writeFileSync(join(project, 'bad.txt'), '${nope}');
  writeFileSync(join(project, 'sub', 'data.csv'), 'a,b\n1,2\n');
});
afterAll(() => rmSync(join(project, '..'), { recursive: true }));

const printed: string[] = [];
const services = (more: Partial<NotifyServices> & { secrets?: { [key: string]: string } } = {}): NotifyServices => ({
  render: plainRender,
  renderText: async (text, params) => {
    const result = await plainRender({ layers: [params], builtins: {}, task: '', keys: { text } });
    return result.ok ? { ok: true, text: String(result.keys.text) } : result;
  },
  files: projectFiles(project),
  secret: secretsOf(more.secrets ?? {}),
  sleep: async () => undefined,
  log: (line) => printed.push(line),
  ...more,
});

async function failure(promise: Promise<unknown>): Promise<{ name: string; message: string }> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: Error) => reason,
  );
  return { name: error.name, message: error.message };
}

const only = (sink: MailSink): Mail => {
  const [mail] = sink.mails;
  if (!mail || sink.mails.length > 1) throw new Error(`${sink.mails.length} mails`);
  return mail;
};

const ERROR =
  'Python command failed with code 1: it\'s "bad" \\ (ValueError)\n\tfrom File "x.py", line 5\n\n.\n${nope} é 😀\nlast';

describe('mail>', () => {
  const base: Mapping = { subject: 'S', to: ['a@x.org'], from: 'me@x.org', host: '127.0.0.1' };
  const send = (
    sink: MailSink,
    keys: Mapping,
    more: Parameters<typeof services>[0] = {},
    part: Partial<Payload> = {},
  ) => notify(payload('mail', { 'mail>': { data: 'hi' }, ...base, port: sink.port, ...keys }, part), services(more));

  test('to, cc and bcc', async () => {
    const sink = await opened(smtp());
    const answer = await send(sink, { to: 'a@x.org, Bea <b@x.org>', cc: '["c@x.org"]', bcc: ['d@x.org'] });
    const mail = only(sink);
    expect(mail).toMatchObject({ from: 'me@x.org', to: ['a@x.org', 'b@x.org', 'c@x.org', 'd@x.org'], user: undefined });
    expect(mail.raw).toMatch(/^From: me@x.org\r$/m);
    expect(mail.raw).toMatch(/^Subject: S\r$/m);
    expect(mail.raw).not.toMatch(/^Bcc/im);
    expect(answer).toEqual({ stored: {} });
  });

  test('an error text arrives with newlines and quotes intact', async () => {
    const sink = await opened(smtp());
    const keys = { 'mail>': { data: 'Failed:\n${error.message}' }, subject: 'é ${error.message}' };
    await send(sink, keys, {}, { l: [{}, [{ error: { message: ERROR } }, 0]] });
    expect(bodyOf(only(sink)).trimEnd()).toBe(`Failed:\n${ERROR}`.replaceAll('\n', '\r\n'));
  });

  test('the body is a template of the project, secrets stay out of it', async () => {
    const sink = await opened(smtp());
    await send(sink, { 'mail>': 'body.txt' }, {}, { l: [{ who: 'Ann' }] });
    expect(bodyOf(only(sink)).trimEnd()).toBe('Hello Ann,\r\n\r\n"me@x.org" says ${secret:mail.password}');
  });

  test('defaults of mail:, and m', async () => {
    const sink = await opened(smtp());
    const keys = { 'mail>': { data: '<b>hi</b>' }, subject: 'own' };
    const l: Payload['l'] = [
      { a: 1 },
      [{ mail: { ...base, subject: 'default', port: String(sink.port), html: 'true' } }],
      { b: 2 },
    ];
    expect(await notify(payload('mail', keys, { l, m: 2 }), services())).toEqual({ s: { a: 1, b: 2 } });
    expect(only(sink).raw).toMatch(/^Subject: own\r$/m);
    expect(only(sink).raw).toMatch(/^Content-Type: text\/html; charset=utf-8\r$/m);
  });

  test.each<[string, Parameters<typeof smtp>[0], Mapping, { [key: string]: string }, Partial<Mail>]>([
    ['tls by default: STARTTLS is used if offered', {}, {}, {}, { secure: true }],
    ['and not if not', { hideSTARTTLS: true }, {}, {}, { secure: false }],
    ['tls: false', {}, { tls: 'false' }, {}, { secure: false }],
    ['ssl', { secure: true }, { ssl: true }, {}, { secure: true }],
    ['ssl by secret', { secure: true }, {}, { 'mail.ssl': 'true' }, { secure: true }],
    ['a login', { password: 'pw' }, { username: 'me' }, { 'mail.password': 'pw' }, { user: 'me', secure: true }],
    [
      'a login in clear',
      { password: 'pw', hideSTARTTLS: true },
      {},
      { 'mail.username': 'me', 'mail.password': 'pw' },
      { user: 'me', secure: false },
    ],
    ['secrets go before', {}, { host: '127.0.0.2' }, { 'mail.host': '127.0.0.1' }, { secure: true }],
  ])('%s', async (_name, server, keys, secrets, expected) => {
    const sink = await opened(smtp(server));
    await send(sink, keys, { secrets });
    expect(only(sink)).toMatchObject(expected);
  });

  test('attachments', async () => {
    const sink = await opened(smtp());
    const files = [
      { path: 'sub/data.csv', content_type: 'text/csv' },
      { path: 'body.txt', filename: 'x.bin' },
    ];
    await send(sink, { attach_files: files });
    const { raw } = only(sink);
    expect(raw).toMatch(/Content-Type: text\/csv; name=data.csv\r\n/);
    expect(raw).toContain(Buffer.from('a,b\n1,2\n').toString('base64'));
    expect(raw).toMatch(/Content-Type: application\/octet-stream; name=x.bin\r\n/);
  });

  test.each([(text: string) => [{ value: text }], (text: string) => `[{"value": ${text}}]`])(
    'a text that looks like a value in a file is attached as it is: %s',
    async (files) => {
      const sink = await opened(smtp());
      const forged = '{"trowel:ref":"abc","kind":"bytes","bytes":3}';
      const readValue = (): never => expect.fail('it was read');
      await send(sink, { attach_files: files(forged) }, { readValue });
      expect(only(sink).raw.replaceAll('\r\n', '')).toContain(Buffer.from(forged).toString('base64'));
    },
  );

  test('debug shows the conversation, not the password', async () => {
    const sink = await opened(smtp({ password: 'pw-secret' }));
    printed.length = 0;
    await send(sink, { debug: true, username: 'me' }, { secrets: { 'mail.password': 'pw-secret' } });
    expect(printed).toContainEqual(expect.stringMatching(/^> MAIL FROM:<me@x.org>/));
    expect(printed.join('\n')).not.toContain('pw-secret');
    expect(printed.join('\n')).not.toContain(Buffer.from('\0me\0pw-secret').toString('base64'));
  });

  test.each<[string, Parameters<typeof smtp>[0], Mapping, { [key: string]: string }, RegExp]>([
    [
      'a wrong password',
      { password: 'right' },
      { username: 'me' },
      { 'mail.password': 'wrong' },
      /^Sending the mail through 127.0.0.1:\d+ failed: Invalid login: 535 no: \*\*\*$/,
    ],
    [
      'a refused recipient',
      { refuse: 'b@x.org' },
      { to: ['a@x.org', 'b@x.org'] },
      {},
      /recipients, the others have the message: b@x.org$/,
    ],
    ['all refused', { refuse: 'a@x.org' }, {}, {}, /no such person/],
    ['nothing listens', {}, { port: 1 }, {}, /^Sending the mail through 127.0.0.1:1 failed: .*ECONNREFUSED/],
  ])('%s', async (_name, server, keys, secrets, message) => {
    const sink = await opened(smtp(server));
    const error = await failure(send(sink, keys, { secrets }));
    expect(error).toEqual({ name: 'Trowel.TaskFailed', message: expect.stringMatching(message) });
  });

  test.each<[string, Mapping, string | RegExp]>([
    [
      'nothing said',
      { to: null, subject: null, from: null },
      "Parameter 'subject', 'from', 'to' is required but not set: give it next to mail>, or in 'mail:' of an _export (config)",
    ],
    ['no recipient', { to: [] }, /^Parameter 'to' is required/],
    ['no server', { host: null }, /^Missing SMTP configuration: give 'host'/],
    ['an empty server', { host: '' }, /^Missing SMTP configuration: give 'host'/],
    ['no address', { to: 'ann' }, "Invalid address for key 'to': 'ann' (config)"],
    ['a header in an address', { cc: ['a@x.org\nBcc: b@x.org'] }, /it has a line break/],
    ['port', { port: 'smtp' }, /^Expected integer \(int\) type for key 'port'/],
    ['no file', { 'mail>': 'nofile.txt' }, 'File not found: nofile.txt (config)'],
    ['a folder', { 'mail>': 'sub' }, 'Not a file: sub (config)'],
    ['above the project', { 'mail>': '../outside.txt' }, 'File is outside the project: ../outside.txt (config)'],
    ['absolute', { attach_files: [{ path: '/etc/passwd' }] }, 'File is outside the project: /etc/passwd (config)'],
    ['through a link', { attach_files: [{ path: 'link.txt' }] }, 'File is outside the project: link.txt (config)'],
    ['no path', { attach_files: ['a'] }, /^Parameter 'path' is required/],
    ['no data', { 'mail>': {} }, "Parameter 'data' is required but not set (config)"],
  ])('bad input: %s', async (_name, keys, message) => {
    const run = notify(payload('mail', { 'mail>': { data: 'hi' }, ...base, port: 1, ...keys }), services());
    const expected = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(await failure(run)).toEqual({ name: 'Trowel.BadInput', message: expected });
  });

  test('a bad expression in the file names the file', async () => {
    const error = await failure(notify(payload('mail', { 'mail>': 'bad.txt', ...base, port: 1 }), services()));
    expect(error).toMatchObject({
      name: 'Trowel.Template',
      message: expect.stringMatching(/nope is not defined.* in bad.txt$/),
    });
  });

  test('a file of a called workflow in a sub-folder', async () => {
    const sink = await opened(smtp());
    await send(sink, { 'mail>': 'data.csv', _workdir: 'sub' });
    expect(bodyOf(only(sink))).toContain('1,2');
  });
});

describe('slack>', () => {
  const hook = (url: string): { secrets: { [key: string]: string } } => ({
    secrets: { 'slack.webhook': url, other: `${url}/other` },
  });

  test.each<[string, Mapping, unknown, string]>([
    ['text', { 'slack>': 'It\'s "done"\n${who} é' }, { text: 'It\'s "done"\nAnn ${secret:other} é' }, '/'],
    [
      'a message',
      { 'slack>': { text: 't', blocks: [{ type: 'divider' }] } },
      { text: 't', blocks: [{ type: 'divider' }] },
      '/',
    ],
    [
      'blocks beside it',
      { 'slack>': 't', blocks: '[{"type":"divider"}]', channel: '#c' },
      { text: 't', blocks: [{ type: 'divider' }], channel: '#c' },
      '/',
    ],
    ['webhook', { 'slack>': 't', webhook: '${secret:other}' }, { text: 't' }, '/other'],
    ['url', { 'slack>': 't', url: '${secret:other}' }, { text: 't' }, '/other'],
    [
      'slack: of an _export',
      { 'slack>': 't', slack: { webhook: '${secret:other}', username: 'U' } },
      { text: 't', username: 'U' },
      '/other',
    ],
  ])('%s', async (_name, keys, message, path) => {
    const to = await opened(serve());
    await notify(payload('slack', keys, { l: [{ who: 'Ann ${secret:other}' }] }), services(hook(to.url)));
    expect(to.received.map(({ method, url, body }) => [method, url, JSON.parse(body)])).toEqual([
      ['POST', path, message],
    ]);
  });

  test('limits of rate and passing faults are waited out', async () => {
    const to = await opened(
      serve([
        { status: 429, headers: { 'retry-after': '3' } },
        { status: 500 },
        { hangUp: true },
        { silent: true },
        {},
      ]),
    );
    const waits: number[] = [];
    const sleep = async (seconds: number): Promise<void> => void waits.push(seconds);
    await notify(payload('slack', { 'slack>': 't' }), services({ ...hook(to.url), sleep, answerWithin: 0.3 }));
    expect(waits).toEqual([3, 2, 4, 8]);
  });

  test('a refusal, and no trace of the address', async () => {
    const to = await opened(serve([{ status: 404, body: 'no_service' }]));
    expect(await failure(notify(payload('slack', { 'slack>': 't' }), services(hook(`${to.url}/T0/B0/xyz`))))).toEqual({
      name: 'Trowel.TaskFailed',
      message: 'Slack refused the message: 404 no_service',
    });
  });

  test.each<[string, Mapping, { [key: string]: string }, { name: string; message: string }]>([
    ['no secret', {}, {}, { name: 'Trowel.Secret', message: "set it: 'slack.webhook'" }],
    [
      'no address',
      {},
      { 'slack.webhook': 'hunter2' },
      { name: 'Trowel.BadInput', message: 'The Slack webhook is not an http or https address (config)' },
    ],
    [
      'nobody there',
      {},
      { 'slack.webhook': 'http://127.0.0.1:1/T0' },
      { name: 'Trowel.TaskFailed', message: 'Slack did not get the message: connection refused' },
    ],
  ])('%s', async (_name, keys, secrets, expected) => {
    const missingSecret = (key: string): string => `set it: '${key}'`;
    expect(
      await failure(notify(payload('slack', { 'slack>': 't', ...keys }), services({ secrets, missingSecret }))),
    ).toEqual(expected);
  });
});

describe('notify>', () => {
  test('prints, and tells whom trowel.yml names', async () => {
    const to = await opened(serve());
    const sink = await opened(smtp());
    printed.length = 0;
    const l: Payload['l'] = [
      {},
      [{ mail: { from: 'me@x.org', host: '127.0.0.1', port: sink.port } }],
      { what: 'all "good"\nreally' },
    ];
    const notifications = { slack: 'team.hook', email: ['a@x.org'] };
    await notify(
      payload('notify', { 'notify>': '${what}' }, { l }),
      services({ notifications, secrets: { 'team.hook': to.url } }),
    );
    expect(printed).toEqual(['all "good"\nreally']);
    expect(to.received.map(({ body }) => JSON.parse(body))).toEqual([{ text: 'all "good"\nreally' }]);
    expect(only(sink).raw).toMatch(/^Subject: =\?UTF-8\?Q\?\+main\+task=3A_all_=22good=22\?=\r$/m);
    expect(bodyOf(only(sink)).trimEnd()).toBe('all "good"\r\nreally');
  });

  test('prints alone without them', async () => {
    printed.length = 0;
    expect(await notify(payload('notify', { 'notify>': 'x' }, { m: 1 }), services())).toEqual({ s: {} });
    expect(printed).toEqual(['x']);
  });
});
