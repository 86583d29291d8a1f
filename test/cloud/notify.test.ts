/**
 * Who hears of what on AWS: a deployed project fails in several ways, and a Slack stand-in (a real HTTP server), a queue on the topic, and
 * moto's SES hold what they were sent. Played are Step Functions, Lambda, Fargate, EventBridge and IAM (aws/service.ts says how); alarms are
 * not played, what they lead to is in test/lib/functions/notify. All of it goes to servers of this machine, so there is no real account here.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { ListExecutionsCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { ListTopicsCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Answer, type Sink, serve } from '../lib/functions/http/server.ts';
import { type Stack, startSmallCloud } from './aws/cloud.ts';
import { takeMessages } from './aws/queues.ts';
import { run, start } from './aws/run.ts';
import { ACCOUNT } from './aws/service.ts';

// A container takes a second of a processor, and Slack's silence ten.
vi.setConfig({ testTimeout: 300_000 });

const FILES: { readonly [file: string]: string } = {
  'trowel.yml': `name: told
notifications:
  slack: secret:slack.webhook
  email: [ops@example.com]
  on: [failure, recovery, sla]
`,
  'main.dig': `+load:
  +rows:
    py>: tasks.load.rows
    n: '\${typeof n == "undefined" ? 0 : n}'
`,
  'handled.dig': `_error:
  notify>: the workflow failed
+outer:
  _error:
    notify>: "outer: <\${error.message}>"
  +inner:
    _error:
      notify>: "inner: <\${session_date}>"
    py>: tasks.load.rows
    n: 0
`,
  'parent.dig': '+sub:\n  require>: main\n',
  'late.dig': `sla:
  duration: 00:00:03
  fail: true
  +note:
    mail>: late.txt
    subject: Late
+slow:
  wait>: 600s
_export:
  mail: {from: me@example.com, to: [boss@example.com]}
`,
  'late.txt': 'The session of ${session_date} is late.\n',
  'mailed.dig': `+report:
  py>: tasks.load.report
+mail:
  mail>: {data: "<b>\${rows}</b> rows"}
  from: me@example.com
  to: [boss@example.com]
  subject: Report
  html: true
  attach_files:
    - {value: "\${report}", filename: report.bin}
    - {path: tasks/load.py, content_type: text/x-python}
`,
  'tasks/__init__.py': '',
  'tasks/load.py': `import digdag


def rows(n):
    if int(n) == 0:
        raise ValueError("no <rows> & more")


def report():
    digdag.env.store({"rows": 3, "report": bytes(range(256)) * 4})
`,
};

let cloud: Awaited<ReturnType<typeof startSmallCloud>>;
let folder: string;
let stack: Stack;
let web: Sink;
let slack: () => Answer = () => ({});
/** Whole messages that SES took. */
const mails: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-told-'));
  for (const [file, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  web = await serve(({ url }) => (url === '/topic' ? {} : slack()));
  cloud = await startSmallCloud();
  cloud.small.proxy.around = async (call, next) => {
    const answer = await next();
    if (call.url.pathname === '/v2/email/outbound-emails' && answer.status === 200) {
      const { Content } = JSON.parse(call.body.toString()) as { Content: { Raw: { Data: string } } };
      mails.push(Buffer.from(Content.Raw.Data, 'base64').toString());
    }
    return answer;
  };
  stack = await cloud.deploy(folder);
  const secret = { Name: 'trowel/told/slack.webhook', SecretString: `${web.url}/slack/hush` };
  await cloud.secrets.send(new CreateSecretCommand(secret));
  const [sns, ses] = [new SNSClient(account()), new SESv2Client(account())];
  const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
  const TopicArn = Topics.find((topic) => topic.TopicArn?.includes('told'))?.TopicArn;
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: `${web.url}/topic` }));
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'me@example.com' }));
}, 600_000);

afterAll(async () => {
  // Nobody asked for more than its role allows.
  expect(cloud?.small.proxy.refused ?? []).toEqual([]);
  await cloud?.stop();
  await web?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
}, 600_000);

beforeEach(() => {
  web.received.length = 0;
  slack = () => ({});
});

function account() {
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region = '', AWS_ACCESS_KEY_ID: id = '' } = cloud.env;
  const credentials = { accessKeyId: id, secretAccessKey: cloud.env.AWS_SECRET_ACCESS_KEY ?? '' };
  return endpoint === undefined ? {} : { endpoint, region, credentials };
}

const posted = (): { text: string; blocks: unknown[] }[] =>
  web.received.flatMap(({ url, body }) => (url === '/topic' ? [] : [JSON.parse(body)]));
const texts = (): string[] => posted().map(({ text }) => text);
const published = (): { Subject: string; Message: string }[] =>
  web.received.flatMap(({ url, body }) => {
    const message = url === '/topic' ? JSON.parse(body) : {};
    return message.Type === 'Notification' ? [message] : [];
  });

async function told(count: number): Promise<void> {
  await expect.poll(published).toHaveLength(count);
  await quiet();
}

/** Time for what must not come. */
async function quiet(): Promise<void> {
  await cloud.small.events.idle();
  await cloud.small.functions.idle();
}

describe('a failed execution', () => {
  test('reaches Slack, which asks to wait before, and the topic, with the traceback', async () => {
    const answers: Answer[] = [{ status: 429, headers: { 'retry-after': '1' } }, {}];
    slack = () => answers.shift() ?? {};
    const ended = await run(cloud, stack, 'main', { session_time: '2030-01-31T00:00:00+00:00' });
    expect(ended.status).toBe('FAILED');
    await told(1);
    expect(new Set(texts())).toEqual(new Set(['main failed: no &lt;rows&gt; &amp; more (ValueError)']));
    const text = JSON.stringify(posted().at(-1)?.blocks);
    for (const part of [
      '*Session*\\n2030-01-31T00:00:00+00:00',
      '*Task*\\n+main+load+rows',
      'raise ValueError(\\"no &lt;rows&gt; &amp; more\\")\\nValueError: no &lt;rows&gt; &amp; more\\n```',
      `/v2/executions/details/${ended.arn}|Execution>`,
      '|Log>',
      `trowel retry ${ended.name} --resume`,
    ])
      expect(text).toContain(part);
    expect(published()[0]?.Message).toContain('ValueError: no <rows> & more');
  });

  test('is one message, though three handlers around it tell', async () => {
    const { status } = await run(cloud, stack, 'handled', { session_time: '2030-01-31' });
    expect(status).toBe('FAILED');
    await told(1);
    expect(texts()).toEqual(['handled failed: inner: &lt;2030-01-31&gt;']);
    expect(JSON.stringify(posted())).toContain('no &lt;rows&gt; &amp; more');
  });

  test('is one message for a workflow and the one that requires it', async () => {
    await run(cloud, stack, 'parent', { session_time: '2029-05-01' });
    await told(1);
    expect(texts()).toEqual(['main failed: no &lt;rows&gt; &amp; more (ValueError)']);
  });

  test('is told where no task could run', async () => {
    await run(cloud, stack, 'main', { sesion_time: 'x' });
    await told(1);
    expect(texts()).toEqual([expect.stringMatching(/^main failed: The execution's input is wrong: unknown key/)]);
  });

  test('is told of one that somebody stops', async () => {
    const execution = await start(cloud, stack, 'late', { session_time: '2029-02-01' });
    await cloud.sfn.send(new StopExecutionCommand({ executionArn: execution.arn, cause: 'by hand' }));
    await told(1);
    expect(texts()).toEqual(['late was stopped: by hand']);
  });

  test('ends in the dead-letter queue where Slack refuses for good; the mail is sent', async () => {
    slack = () => ({ status: 404, body: 'no_service' });
    await run(cloud, stack, 'main', {});
    await told(1);
    expect(texts().length).toBe(3);
    const [queue] = cloud.small.stacks.get(stack.name)?.ofType('AWS::SQS::Queue') ?? [];
    const arn = cloud.small.stacks.get(stack.name)?.attribute(queue?.id ?? '', 'Arn') ?? '';
    const messages = await takeMessages(cloud.small.url, arn);
    expect(messages.map(({ body }) => JSON.parse(body).detail.status)).toEqual(['FAILED']);
  });
});

test('every alarm may do what it is to do', () => {
  if (cloud.small === undefined) return;
  const { stacks, iam } = cloud.small;
  const deployed = stacks.get(stack.name);
  const alarms = deployed?.ofType('AWS::CloudWatch::Alarm') ?? [];
  expect(alarms.length).toBeGreaterThan(3);
  for (const { id, properties } of alarms) {
    const context = { 'aws:SourceArn': deployed?.attribute(id, 'Arn') ?? '', 'aws:SourceAccount': ACCOUNT };
    const actions = properties.AlarmActions as string[];
    expect(actions.length, id).toBeGreaterThan(0);
    for (const resource of actions) {
      const [service, action] = resource.includes(':sns:')
        ? ['cloudwatch', 'sns:Publish']
        : ['lambda.alarms.cloudwatch', 'lambda:InvokeFunction'];
      expect(iam.serviceAllowed(`${service}.amazonaws.com`, { action, resource, context }), id).toBe(true);
    }
  }
});

test('the first success after a failure is told, the second is not', async () => {
  for (const n of [1, 1]) {
    expect((await run(cloud, stack, 'main', { params: { n } })).status).toBe('SUCCEEDED');
    await quiet();
  }
  expect(texts()).toEqual(['main works again']);
});

test('a late session is told, its tasks run, and it is stopped: with one message', async () => {
  const ended = await run(cloud, stack, 'late', { session_time: '2030-01-31' });
  expect(ended).toMatchObject({ status: 'ABORTED', error: 'Trowel.Sla' });
  await told(1);
  expect(texts()).toEqual(['late is late']);
  const machine = stack.outputs.Workflowlate?.replace(/-late$/, '-late_part_sla') ?? '';
  const statuses = async () => {
    const found = await cloud.sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }));
    return found.executions?.map(({ status }) => status);
  };
  await expect.poll(statuses).toContain('SUCCEEDED');
  expect(mails.join()).toContain('The session of 2030-01-31 is late.');
});

test('mail> goes through SES with html and attachments', async () => {
  expect(await run(cloud, stack, 'mailed')).toMatchObject({ status: 'SUCCEEDED' });
  const mail = mails.find((one) => one.includes('Subject: Report')) ?? '';
  const bytes = Buffer.from(Array.from({ length: 60 }, (_, i) => i)).toString('base64');
  for (const part of ['<b>3</b> rows', 'filename=report.bin', bytes, 'Content-Type: text/x-python; name=load.py'])
    expect(mail.replaceAll('\r\n', '')).toContain(part);
});
