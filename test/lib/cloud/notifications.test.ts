import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUNDLED } from '../../../lib/cloud/functions.ts';
import { loadTrowelProject } from '../../../lib/cloud/load-project.ts';
import { TrowelStack } from '../../../lib/cloud/trowel-stack.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'trowel-notifications-'));
const PLACES = { functions: join(ROOT, 'functions'), bootstrap: join(ROOT, 'bootstrap.py') };
const ECHO = '+a:\n  echo>: a\n';

beforeAll(() => {
  for (const name of BUNDLED) write(join('functions', name, 'index.mjs'), 'export const handler = () => {};\n');
  write('bootstrap.py', '');
});
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), text);
}

function load(name: string, files: { readonly [path: string]: string }) {
  for (const [path, text] of Object.entries(files)) write(join(name, path), text);
  return loadTrowelProject(join(ROOT, name), {
    env: { ...process.env, XDG_CACHE_HOME: join(ROOT, 'cache') },
    notice: () => {},
  });
}

async function deploy(name: string, files: { readonly [path: string]: string }, encrypted = false) {
  const project = await load(name, { 'main.dig': ECHO, ...files });
  const app = new App({ outdir: join(ROOT, `${name}.out`) });
  const env = { account: '123456789012', region: 'eu-west-1' };
  const key = encrypted ? new Key(new Stack(app, 'keys', { env }), 'Key') : undefined;
  const stack = new TrowelStack(app, 'stack', { ...PLACES, project, env, ...(key && { encryptionKey: key }) });
  return { stack, key, template: Template.fromStack(stack) };
}

const MACHINE = 'arn:<AWS::Partition>:states:eu-west-1:123456789012:stateMachine';
const EXECUTION = 'arn:<AWS::Partition>:states:eu-west-1:123456789012:execution';

/** References and joins as one text; hashes of logical ids are cut. */
function flat(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  const [[name, inner] = ['', '']] = Object.entries(value);
  const id = (text: string): string => text.replace(/[0-9A-F]{8}$/, '');
  if (name === 'Ref') return `<${id(String(inner))}>`;
  if (name === 'Fn::GetAtt') return `<${id(inner[0])}.${inner[1]}>`;
  if (name === 'Fn::Join') return inner[1].map(flat).join(inner[0]);
  return String(inner);
}

function statements(template: Template, role: string): string[] {
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
  return Object.entries(template.findResources('AWS::IAM::Role'))
    .filter(([id]) => id.includes(role))
    .flatMap(([, { Properties }]) => Properties.Policies)
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .map(({ Action, Resource }) => `${list(Action).join(' ')} -> ${list(Resource).map(flat).join(' ')}`);
}

const rules = (template: Template) =>
  Object.values(template.findResources('AWS::Events::Rule'))
    .map(({ Properties }) => Properties)
    .filter(({ EventPattern }) => EventPattern.source[0] === 'aws.states');

describe('what notify may do', () => {
  const BASE = [
    's3:GetObject s3:PutObject -> <ProjectBucket.Arn>/attempts/*',
    's3:ListBucket -> <ProjectBucket.Arn>',
    'secretsmanager:GetSecretValue -> arn:<AWS::Partition>:secretsmanager:eu-west-1:123456789012:secret:trowel/NAME/*',
    'sns:Publish -> <ProjectTopic>',
    'sqs:SendMessage -> <ProjectDeadLetters.Arn>',
    `states:ListExecutions -> ${MACHINE}:NAME-main`,
    `states:DescribeExecution states:GetExecutionHistory -> ${EXECUTION}:NAME-main:*`,
    'logs:CreateLogStream logs:PutLogEvents -> <ProjectFunctionLogs.Arn>',
    'xray:PutTraceSegments xray:PutTelemetryRecords -> *',
  ];
  const named = (name: string, lines: readonly string[]) => lines.map((line) => line.replaceAll('NAME', name)).sort();

  it('is to know executions, to tell, and no more', async () => {
    const { template } = await deploy('plain', {});
    expect(statements(template, 'Functionnotify').sort()).toEqual(named('plain', BASE));
  });

  it('with a mail> is also to send through SES and to read the files of the project', async () => {
    const mail = '+m:\n  mail>: a.txt\n  subject: s\n  to: a@example.com\n  from: b@example.com\n';
    const { template } = await deploy('mails', {
      'main.dig': `+g:\n  _parallel: true\n  +a: {echo>: a}\n  ${mail.replaceAll('\n', '\n  ').trimEnd()}\n`,
    });
    const more = [
      'ses:SendRawEmail -> arn:<AWS::Partition>:ses:eu-west-1:123456789012:identity/*',
      's3:GetObject -> arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-123456789012-eu-west-1/trowel/mails/*.zip',
    ];
    expect(statements(template, 'Functionnotify').sort()).toEqual(named('mails', [...BASE, ...more]));
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({ TROWEL_BUNDLE: Match.anyValue(), POWERTOOLS_SERVICE_NAME: 'notify' }),
      },
    });
  });

  it('names so many workflows as a policy holds, beyond that what their names begin with', async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`workflow-${i}.dig`, ECHO]));
    const { template } = await deploy('many', files);
    const mine = statements(template, 'Functionnotify');
    expect(mine).toContain(`states:ListExecutions -> ${MACHINE}:many-*`);
    expect(mine).toContain(`states:DescribeExecution states:GetExecutionHistory -> ${EXECUTION}:many-*:*`);
  });
});

describe('ends of executions', () => {
  it('come to notify, and where it cannot be reached to the queue', async () => {
    const { template } = await deploy('ends', { 'other.dig': ECHO });
    expect(rules(template).map(({ EventPattern }) => EventPattern)).toEqual([
      {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: [Match.anyValue(), Match.anyValue()].map(() => expect.anything()),
        },
      },
    ]);
    expect(rules(template)[0]?.EventPattern.detail.stateMachineArn).toEqual([
      { suffix: ':ends-main' },
      { suffix: ':ends-other' },
    ]);
    expect(rules(template)[0]?.Targets).toEqual([
      {
        Arn: { 'Fn::GetAtt': [expect.stringContaining('Functionnotify'), 'Arn'] },
        Id: 'Target0',
        DeadLetterConfig: { Arn: { 'Fn::GetAtt': [expect.stringContaining('DeadLetters'), 'Arn'] } },
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
      },
    ]);
    template.hasResourceProperties('AWS::Lambda::Function', {
      DeadLetterConfig: { TargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] } },
      Environment: { Variables: Match.objectLike({ POWERTOOLS_SERVICE_NAME: 'notify', TROWEL_NOTIFY_ON: 'failure' }) },
    });
  });

  it.each([
    ['recovery', 'on: [failure, recovery]', ['FAILED', 'TIMED_OUT', 'ABORTED', 'SUCCEEDED']],
    ['only-recovery', 'on: [recovery]', ['SUCCEEDED']],
    ['nothing', 'on: [sla]', undefined],
  ])('are asked for as trowel.yml says: %s', async (name, on, status) => {
    const { template } = await deploy(`on-${name}`, { 'trowel.yml': `notifications: {${on}}\n` });
    expect(rules(template).map(({ EventPattern }) => EventPattern.detail.status)).toEqual(status ? [status] : []);
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
    const acting = alarms.filter(({ AlarmActions = [] }) => AlarmActions.length > 0).map(({ AlarmName }) => AlarmName);
    expect(acting).toHaveLength(on.includes('failure') ? 4 : 1);
  });

  it('are matched by patterns that EventBridge takes', async () => {
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`workflow-${i}.dig`, ECHO]));
    const { template } = await deploy('patterns', files);
    const found = rules(template).map(({ EventPattern }) => EventPattern);
    expect(found.flatMap(({ detail }) => detail.stateMachineArn)).toHaveLength(61);
    for (const pattern of found) {
      expect(JSON.stringify(pattern).length).toBeLessThan(2_048);
    }
  });
});

describe('alarms', () => {
  it('of executions invoke notify, which one permission allows; that of the queue goes to the topic and Slack', async () => {
    const { template } = await deploy('alarms', { 'trowel.yml': 'notifications: {slack: secret:slack.webhook}\n' });
    const notify = { 'Fn::GetAtt': [Match.stringLikeRegexp('Functionnotify'), 'Arn'] };
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'alarms-ExecutionsFailed',
      AlarmActions: [notify],
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'alarms-Undelivered',
      AlarmActions: [{ Ref: Match.stringLikeRegexp('Topic') }, notify],
    });
    const permissions = Object.values(template.findResources('AWS::Lambda::Permission')).map(
      ({ Properties }) => Properties,
    );
    const own = permissions.filter(({ Principal }) => Principal === 'lambda.alarms.cloudwatch.amazonaws.com');
    expect(own.map(({ SourceArn, SourceAccount }) => [flat(SourceArn), SourceAccount])).toEqual([
      ['arn:<AWS::Partition>:cloudwatch:eu-west-1:123456789012:alarm:alarms-*', '123456789012'],
    ]);
  });
});

it('trap: a topic with a policy of its own has none for alarms: they are let in', async () => {
  const { template } = await deploy('let-in', {});
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Principal: { Service: 'cloudwatch.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: { Ref: Match.stringLikeRegexp('Topic') },
          Condition: {
            ArnLike: { 'aws:SourceArn': Match.objectLike({ 'Fn::Join': Match.anyValue() }) },
            StringEquals: { 'aws:SourceAccount': '123456789012' },
          },
        }),
      ]),
    },
  });
});

describe('sla:', () => {
  const SLA = { 'main.dig': `sla: {time: 02:00, fail: true}\n${ECHO}` };

  it('makes a machine that may look at and stop the workflow, and is watched like one', async () => {
    const { template } = await deploy('late', {
      ...SLA,
      'trowel.yml': 'name: late\nnotifications: {on: [failure, sla]}\n',
    });
    expect(rules(template)[0]?.EventPattern.detail.stateMachineArn).toEqual([
      { suffix: ':late-main' },
      { suffix: ':late-main_part_sla' },
    ]);
    const machines = statements(template, 'MachineRole').filter((line) => line.startsWith('states:'));
    expect(machines.sort()).toEqual([
      `states:DescribeExecution -> ${EXECUTION}:late-main:*`,
      `states:StartExecution -> ${MACHINE}:late-main_part_sla`,
      `states:StopExecution -> ${EXECUTION}:late-main:*`,
    ]);
  });

  it('that nobody would hear of is a warning', async () => {
    const { stack } = await deploy('unheard', SLA);
    Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('nobody is notified'));
  });
});

it('an encrypted topic and queue let alarms and rules in', async () => {
  const { key } = await deploy('encrypted', {}, true);
  if (key === undefined) throw new Error('no key');
  const keys = Template.fromStack(key.stack).findResources('AWS::KMS::Key');
  const statements = Object.values(keys).flatMap(({ Properties }) => Properties.KeyPolicy.Statement);
  expect(statements.filter(({ Principal }) => JSON.stringify(Principal).includes('cloudwatch'))).toEqual([
    {
      Effect: 'Allow',
      Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:SourceAccount': '123456789012' } },
    },
  ]);
});

it('passes AwsSolutions of cdk-nag with everything on', async () => {
  const files = {
    'trowel.yml':
      'name: nag\nnotifications: {slack: secret:slack.webhook, email: [a@example.com], on: [failure, recovery, sla]}\n',
    'main.dig': `sla: {time: 02:00, fail: true}\n+m:\n  mail>: a.txt\n  subject: s\n  to: a@example.com\n  from: b@example.com\n`,
    ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`workflow-${i}.dig`, ECHO])),
  };
  const project = await load('nag', files);
  const app = new App({ outdir: join(ROOT, 'nag.out') });
  const { AwsSolutionsChecks } = createRequire(import.meta.url)('cdk-nag');
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  new TrowelStack(app, 'nag', { ...PLACES, project });
  // So that a pack that did not run is noticed.
  new Bucket(new Stack(app, 'control'), 'Bucket');
  const { message } = await Promise.resolve()
    .then(() => app.synth())
    .then(
      () => new Error('nothing was found'),
      (error: Error) => error,
    );
  const places = [...message.matchAll(/^ {3}(\S+) aws-cdk-lib\./gm)].map(([, place]) => place);
  expect([...new Set(places)]).toEqual(['control/Bucket/Resource']);
});
