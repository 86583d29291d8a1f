/** Covers lib/functions/notify/slack.ts, lib/functions/notify/mail.ts, lib/functions/notify/blocks.ts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Payload } from '../../../../lib/contract/payload.ts';
import { render, renderText } from '../../../../lib/expression/render.ts';
import { type NotifyServices, notify } from '../../../../lib/functions/notify/core.ts';
import { projectFiles } from '../../../../lib/functions/project-files.ts';
import type { Mapping, Value } from '../../../../lib/language/workflow.ts';
import { payload, secretsOf } from '../http/plain-render.ts';
import { type Answer, serve } from '../http/server.ts';
import { bodyOf, smtp } from './smtp.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
const project = mkdtempSync(join(tmpdir(), 'trowel-escaping-'));
afterAll(() => rmSync(project, { recursive: true }));

const lines: string[] = [];
const services = (secrets: { [key: string]: string }): NotifyServices => ({
  render,
  renderText,
  files: projectFiles(project),
  secret: secretsOf(secrets),
  sleep: async () => undefined,
  patience: { tries: 1, first: 0, max: 0 },
  log: (line) => void lines.push(line),
});

const EVIL = 'boom <!channel> & <https://e.test|click> "}},{"a\n\\u003c';
const ESCAPED = 'boom &lt;!channel&gt; &amp; &lt;https://e.test|click&gt; "}},{"a\n\\u003c';
/** As an `_error` handler sees it, and as data of other kinds. */
const LAYERS: Payload['l'] = [
  {
    x: EVIL,
    list: ['<!here>'],
    block: { type: 'section', text: { type: 'mrkdwn', text: '<!here>' } },
    rich: [
      {
        type: 'rich_text',
        elements: [
          {
            type: 'rich_text_section',
            elements: [
              { type: 'broadcast', range: 'channel' },
              { type: 'usergroup', usergroup_id: 'S1' },
            ],
          },
        ],
      },
    ],
  },
  [{ error: { message: EVIL } }, 0],
];

/** The message that Slack gets. */
async function posted(keys: Mapping, l: Payload['l'] = LAYERS, op = 'slack'): Promise<Mapping> {
  const to = await serve();
  open.push(to);
  const all = { ...services({ 'slack.webhook': to.url }), notifications: { slack: 'slack.webhook' } };
  await notify(payload(op, keys, { l }), all);
  return JSON.parse(to.received[0]?.body ?? '{}');
}

const PATH = `/T0KEN/${'q'.repeat(80)}`;
const section = (text: Value) => ({ type: 'section', text: { type: 'mrkdwn', text } });

describe('slack>', () => {
  test.each<[string, Mapping, Mapping]>([
    [
      'what an expression gives is escaped, markup that the author wrote stays',
      { 'slack>': '<!here> *Failed*: ${error.message} <https://x.test|log> &amp; ${x.length}' },
      { text: `<!here> *Failed*: ${ESCAPED} <https://x.test|log> &amp; ${EVIL.length}` },
    ],
    [
      'JavaScript',
      { 'slack>': '${"<!channel>" + x} ${list}' },
      { text: `&lt;!channel&gt;${ESCAPED} ["&lt;!here&gt;"]` },
    ],
    [
      'a message with blocks',
      { 'slack>': { text: '<!here> ${x}', blocks: [section('<!here> ${x}')] } },
      { text: `<!here> ${ESCAPED}`, blocks: [section(`<!here> ${ESCAPED}`)] },
    ],
    [
      'blocks beside it, attachments with fields',
      {
        'slack>': 't',
        blocks: [section('<!here> ${x}')],
        attachments: [{ title: '${x}', fallback: '${x}', fields: [{ title: '<a>', value: '${x}' }] }],
      },
      {
        text: 't',
        blocks: [section(`<!here> ${ESCAPED}`)],
        attachments: [{ title: ESCAPED, fallback: ESCAPED, fields: [{ title: '<a>', value: ESCAPED }] }],
      },
    ],
    [
      'blocks as JSON text: what an expression gives stays in its text',
      { 'slack>': 't', blocks: JSON.stringify([section('<!here> ${error.message}')]) },
      { text: 't', blocks: [section(`<!here> ${ESCAPED}`)] },
    ],
    [
      'a block that an expression gives',
      { 'slack>': 't', blocks: '[${block}, {"type": "divider"}]' },
      { text: 't', blocks: [section('&lt;!here&gt;'), { type: 'divider' }] },
    ],
    [
      'all blocks from an expression: texts are escaped, no element pings',
      { 'slack>': 't', blocks: '${rich}' },
      {
        text: 't',
        blocks: [
          {
            type: 'rich_text',
            elements: [
              {
                type: 'rich_text_section',
                elements: [
                  { type: 'text', text: '{"type":"broadcast","range":"channel"}' },
                  { type: 'text', text: '{"type":"usergroup","usergroup_id":"S1"}' },
                ],
              },
            ],
          },
        ],
      },
    ],
    [
      'escape: false keeps the markup of values',
      { 'slack>': '${x}', blocks: '${rich}', escape: false },
      { text: EVIL, blocks: (LAYERS[0] as Mapping).rich ?? null },
    ],
  ])('%s', async (_name, keys, message) => {
    expect(await posted(keys)).toEqual(message);
  });

  test.each<[string, Mapping]>([
    ['blocks of an _export', { blocks: [section('<!here> ${x}')] }],
    ['of its slack:', { slack: { blocks: [section('<!here> ${x}')] } }],
  ])('%s', async (_name, exported) => {
    const message = await posted({ 'slack>': 't' }, [...LAYERS, [exported]]);
    expect(message.blocks).toEqual([section(`<!here> ${ESCAPED}`)]);
  });

  test.each<[string, Mapping]>([
    ['blocks', { blocks: [section('<!here>')], escape: false }],
    ['the text', { 'slack>': '<!here>', _command: '<!here>' }],
  ])('what a task has stored is data, and does not say how it is taken: %s', async (_name, stored) => {
    expect(JSON.stringify(await posted({ 'slack>': '${x}' }, [...LAYERS, stored]))).not.toContain('<!');
  });

  test('notify> takes no markup at all', async () => {
    const message = await posted({ 'notify>': '<!here> ${error.message}' }, LAYERS, 'notify');
    expect(JSON.stringify(message)).not.toMatch(/<!|<https/);
  });

  test.each<[string, Answer]>([
    ['early', { status: 400, body: `no: ${'p'.repeat(150)}${PATH} end` }],
    ['late', { status: 500, body: `${'p'.repeat(60_000)}${PATH}` }],
  ])('its answer is cut after secrets are hidden: %s', async (_name, answer) => {
    const to = await serve([answer]);
    open.push(to);
    const run = notify(payload('slack', { 'slack>': 'x' }), services({ 'slack.webhook': to.url + PATH }));
    const { message } = await run.then(
      () => new Error('it succeeded'),
      (error: Error) => error,
    );
    expect(message).toMatch(/^Slack refused the message: [45]00 /);
    expect(message.length).toBeLessThan(240);
    expect(message).not.toContain('/T0');
  });

  test('metadata services are not asked', async () => {
    const secrets = { 'slack.webhook': 'http://169.254.169.254/latest' };
    await expect(notify(payload('slack', { 'slack>': 'x' }), services(secrets))).rejects.toThrow(
      'metadata services are not asked',
    );
  });
});

describe('mail>', () => {
  const HTML = 'boom &lt;!channel&gt; &amp; &lt;https://e.test|click&gt; &quot;}},{&quot;a\r\n\\u003c';

  async function mailed(keys: Mapping, l: Payload['l'] = LAYERS): Promise<string> {
    const server = await smtp();
    open.push(server);
    const base = { subject: 'S', to: 'a@x.test', from: 'b@x.test', host: '127.0.0.1', port: server.port };
    await notify(payload('mail', { ...base, ...keys }, { l }), services({}));
    const [mail] = server.mails;
    return mail === undefined ? '' : bodyOf(mail).trimEnd();
  }

  writeFileSync(join(project, 'body.html'), '<b>${error.message}</b> &amp; ${x.length}');

  test.each<[string, Mapping, string]>([
    ['a text', { 'mail>': { data: '<b>${error.message}</b>' }, html: true }, `<b>${HTML}</b>`],
    ['in an attribute', { 'mail>': { data: `<a title='\${"'"}'>x</a>` }, html: true }, "<a title='&#39;'>x</a>"],
    ['a file', { 'mail>': 'body.html', html: true }, `<b>${HTML}</b> &amp; ${EVIL.length}`],
    ['body:', { body: '<b>${x}</b>', html: 'true' }, `<b>${HTML}</b>`],
    [
      'escape: false',
      { 'mail>': { data: '<b>${x}</b>' }, html: true, escape: false },
      `<b>${EVIL.replace('\n', '\r\n')}</b>`,
    ],
    ['plain text', { 'mail>': { data: '<b> ${x}' } }, `<b> ${EVIL.replace('\n', '\r\n')}`],
  ])('%s', async (_name, keys, body) => {
    expect(await mailed(keys)).toBe(body);
  });

  test.each<[string, Mapping]>([
    ['body of an _export', { body: '<b>${x}</b>' }],
    ['of its mail:', { mail: { body: '<b>${x}</b>' } }],
  ])('%s', async (_name, exported) => {
    expect(await mailed({ html: true }, [...LAYERS, [exported]])).toBe(`<b>${HTML}</b>`);
  });

  test('what a task has stored is data, and does not say how it is taken', async () => {
    expect(await mailed({ html: true }, [...LAYERS, { body: '<b>', escape: false }])).toBe('&lt;b&gt;');
  });

  test('a secret that a value holds is hidden, in HTML too', async () => {
    const secrets = { 'mail.password': 'pass&<word>' };
    const server = await smtp({ password: 'pass&<word>' });
    open.push(server);
    const keys = { subject: 'S ${p}', to: 'a@x.test', from: 'b@x.test', host: '127.0.0.1', port: server.port };
    const more = { 'mail>': { data: '<i>${p}</i>' }, html: true, username: 'me' };
    const l: Payload['l'] = [{ p: 'it is pass&<word>' }];
    // Sent once, so that the function has read it.
    await notify(payload('mail', { ...keys, ...more }, { l }), services(secrets));
    await notify(payload('mail', { ...keys, ...more }, { l }), services(secrets));
    const [, mail] = server.mails;
    expect(mail && bodyOf(mail).trimEnd()).toBe('<i>it is ***</i>');
    expect(mail?.raw).toMatch(/^Subject: S it is \*\*\*\r$/m);
  });
});
