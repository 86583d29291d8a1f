import { describe, expect, it } from 'vitest';
import { actionOf, checksOf, type Facts, Iam, listCheck } from './iam.ts';
import { arnLike, readStatements, type Statement, speaksOf } from './policy.ts';
import { ACCOUNT, type Principal, REGION } from './service.ts';
import { type DeployedResource, type DeployedStack, type Mapping, Names, resolveStack } from './template.ts';

const CLUSTER = `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/c`;
const TASK_ROLE = `arn:aws:iam::${ACCOUNT}:role/task`;
const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:dead`;
const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:trowel/p/`;
const FUNCTION = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:launch`;
const DEFINITION = `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/p-default`;

const role = (name: string, statements: Mapping[], more: Mapping = {}): DeployedResource => ({
  id: name,
  type: 'AWS::IAM::Role',
  physicalId: name,
  properties: {
    AssumeRolePolicyDocument: {
      Statement: [
        {
          Action: 'sts:AssumeRole',
          Effect: 'Allow',
          Principal: { Service: 'ecs-tasks.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
        },
      ],
    },
    Policies: [{ PolicyName: 'inline', PolicyDocument: { Statement: statements } }],
    ...more,
  },
});

const as = (name: string): Principal => ({ kind: 'role', role: name, accessKey: `key-${name}` });

/** The forms of statement that lib/cloud writes. */
const STATEMENTS = [
  { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::b/attempts/*' },
  { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::b' },
  {
    Effect: 'Allow',
    Action: 'ecs:RunTask',
    Resource: [`${DEFINITION}:*`],
    Condition: { ArnEquals: { 'ecs:cluster': CLUSTER } },
  },
  {
    Effect: 'Allow',
    Action: 'iam:PassRole',
    Resource: [TASK_ROLE],
    Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
  },
  { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: `${SECRET}report.webhook-??????` },
  { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: `${FUNCTION}:*` },
  { Effect: 'Allow', Action: ['states:SendTaskSuccess'], Resource: '*' },
  { Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::b/attempts/secret/*' },
];

function stackOf(...resources: DeployedResource[]): DeployedStack {
  const Resources = Object.fromEntries(
    resources.map(({ id, type, properties }) => [id, { Type: type, Properties: properties }]),
  );
  const known = new Map(resources.map(({ id, physicalId }) => [id, physicalId]));
  return resolveStack('stack', { Resources }, known, new Names());
}

function deployed(...more: DeployedResource[]): Iam {
  const iam = new Iam();
  iam.deployed(stackOf(role('launch', STATEMENTS), ...more));
  return iam;
}

describe('Iam', () => {
  const cases: readonly [string, boolean, string, string, { [key: string]: string }?][] = [
    ['an object below the prefix', true, 's3:PutObject', 'arn:aws:s3:::b/attempts/x/y.json'],
    ['an object beside it', false, 's3:PutObject', 'arn:aws:s3:::b/other'],
    ['another action on it', false, 's3:DeleteObject', 'arn:aws:s3:::b/attempts/x'],
    ['a denied object', false, 's3:GetObject', 'arn:aws:s3:::b/attempts/secret/x'],
    ['its bucket', true, 's3:ListBucket', 'arn:aws:s3:::b'],
    ['another bucket', false, 's3:ListBucket', 'arn:aws:s3:::bb'],
    ['a revision on the cluster', true, 'ecs:RunTask', `${DEFINITION}:7`, { 'ecs:cluster': CLUSTER }],
    ['a revision on another cluster', false, 'ecs:RunTask', `${DEFINITION}:7`, { 'ecs:cluster': `${CLUSTER}2` }],
    ['a revision on no cluster', false, 'ecs:RunTask', `${DEFINITION}:7`],
    ['another family', false, 'ecs:RunTask', `${DEFINITION}2:7`, { 'ecs:cluster': CLUSTER }],
    ['a role for ECS', true, 'iam:PassRole', TASK_ROLE, { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' }],
    ['a role for another service', false, 'iam:PassRole', TASK_ROLE, { 'iam:PassedToService': 'ec2.amazonaws.com' }],
    ['a secret with its six characters', true, 'secretsmanager:GetSecretValue', `${SECRET}report.webhook-AbCdEf`],
    ['a secret without them', false, 'secretsmanager:GetSecretValue', `${SECRET}report.webhook`],
    ['a secret of a longer name', false, 'secretsmanager:GetSecretValue', `${SECRET}report.webhook-2-AbCdEf`],
    ['a version of a function', true, 'lambda:InvokeFunction', `${FUNCTION}:3`],
    ['the function itself', false, 'lambda:InvokeFunction', FUNCTION],
    ['what knows no resource', true, 'states:SendTaskSuccess', '*'],
    ['another such', false, 'states:SendTaskFailure', '*'],
    ['an action in another case', true, 'S3:getobject', 'arn:aws:s3:::b/attempts/x'],
  ];
  it.each(cases)('%s: %s', (_, allowed, action, resource, context = {}) => {
    const [service = '', name = ''] = action.split(':');
    expect(deployed().allowed(as('launch'), service, name, [resource], context)).toBe(allowed);
  });

  it('says who may not do what', () => {
    const checks = [{ action: 's3:GetObject', resource: 'arn:aws:s3:::b/x' }];
    expect(deployed().refusal(as('launch'), checks)).toBe(
      `User: arn:aws:sts::${ACCOUNT}:assumed-role/launch/session is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/x because no identity-based policy allows the s3:GetObject action`,
    );
    expect(deployed().refusal(as('nobody'), checks)).toContain('no deployed role');
    expect(deployed().refusal({ kind: 'account', accessKey: 'test' }, checks)).toBeUndefined();
  });

  it('reads attached policies, managed ones and a boundary', () => {
    const own = `arn:aws:iam::${ACCOUNT}:policy/own`;
    const document = (Action: string) => ({ Statement: { Effect: 'Allow', Action, Resource: '*' } });
    const policy = { PolicyName: 'more', PolicyDocument: document('sns:Publish'), Roles: ['bounded'] };
    const iam = deployed(
      role('bounded', STATEMENTS, {
        PermissionsBoundary: own,
        ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
      }),
      { id: 'P', type: 'AWS::IAM::Policy', physicalId: 'P', properties: policy },
      {
        id: 'M',
        type: 'AWS::IAM::ManagedPolicy',
        physicalId: own,
        properties: { PolicyDocument: document('s*:*') },
      },
    );
    const may = (action: string, resource: string) =>
      iam.refusal(as('bounded'), [{ action, resource }])?.replace(/.* because /, '') ?? 'allowed';
    expect(may('sns:Publish', 'arn:topic')).toBe('allowed');
    expect(may('s3:ListBucket', 'arn:aws:s3:::b')).toBe('allowed');
    expect(may('lambda:InvokeFunction', `${FUNCTION}:1`)).toMatch(/^no permissions boundary allows/);
    expect(may('logs:PutLogEvents', 'arn:group')).toMatch(/^no permissions boundary allows/);
    expect(() =>
      deployed(role('x', [], { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] })),
    ).toThrow('Unknown managed policy');
  });

  it('lets a service do what the resource says', () => {
    const rule = `arn:aws:events:${REGION}:${ACCOUNT}:rule/stopped`;
    const permission = {
      Action: 'lambda:InvokeFunction',
      FunctionName: FUNCTION,
      Principal: 'events.amazonaws.com',
      SourceArn: rule,
    };
    const secure = {
      Statement: [
        {
          Action: 'sqs:*',
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Resource: QUEUE,
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
        { Action: 'sqs:SendMessage', Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Resource: QUEUE },
      ],
    };
    const iam = deployed(
      { id: 'L', type: 'AWS::Lambda::Permission', physicalId: 'L', properties: permission },
      { id: 'Q', type: 'AWS::SQS::QueuePolicy', physicalId: 'Q', properties: { PolicyDocument: secure } },
    );
    const invoke = (source: string) => ({
      action: 'lambda:InvokeFunction',
      resource: FUNCTION,
      context: { 'aws:SourceArn': source },
    });
    expect(iam.serviceAllowed('events.amazonaws.com', invoke(rule))).toBe(true);
    expect(iam.serviceAllowed('events.amazonaws.com', invoke(`${rule}2`))).toBe(false);
    expect(iam.serviceAllowed('sns.amazonaws.com', invoke(rule))).toBe(false);
    expect(iam.serviceAllowed('events.amazonaws.com', { action: 'sqs:SendMessage', resource: QUEUE })).toBe(true);
    expect(iam.serviceAllowed('scheduler.amazonaws.com', { action: 'sqs:SendMessage', resource: QUEUE })).toBe(false);
    expect(iam.mayAssume('launch', 'ecs-tasks.amazonaws.com')).toBe(true);
    expect(iam.mayAssume(`arn:aws:iam::${ACCOUNT}:role/launch`, 'lambda.amazonaws.com')).toBe(false);
  });

  it('can do without a statement, and knows which were used', () => {
    const iam = deployed();
    const checks = [{ action: 's3:ListBucket', resource: 'arn:aws:s3:::b' }];
    expect(iam.refusal(as('launch'), checks)).toBeUndefined();
    expect(iam.used()).toEqual(['launch/inline#1']);
    const restore = iam.without('launch/inline#1');
    expect(iam.refusal(as('launch'), checks)).toContain('s3:ListBucket');
    restore();
    expect(iam.refusal(as('launch'), checks)).toBeUndefined();
  });

  it('forgets what a deploy has taken away', () => {
    const iam = deployed();
    iam.deployed(stackOf(role('other', STATEMENTS)));
    expect(iam.roles().map(({ name }) => name)).toEqual(['other']);
  });
});

describe('statements', () => {
  it.each([
    [{ Effect: 'Allow', Action: 's3:*', Resource: '*', Conditions: {} }, 'Unknown field'],
    [{ Effect: 'Allow', Action: 's3:*', Resource: '*', Condition: { IpAddress: {} } }, 'Unknown condition operator'],
    [{ Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::${aws:username}' }, 'policy variable'],
    [{ Effect: 'Allow', Action: 's3:*', Resource: { Ref: 'B' } }, 'Not resolved'],
    [{ Effect: 'Maybe', Action: 's3:*', Resource: '*' }, 'Unknown effect'],
    [{ Effect: 'Allow', Resource: '*' }, 'No action'],
  ])('are refused where they could be misread: %j', (statement, message) => {
    expect(() => readStatements({ Statement: [statement] })).toThrow(message);
  });

  it.each<[string, object, { [key: string]: string }, boolean]>([
    ['StringLike', { StringLike: { k: 'a*c?' } }, { k: 'abbcd' }, true],
    ['StringNotEquals', { StringNotEquals: { k: ['a', 'b'] } }, { k: 'b' }, false],
    ['StringNotEquals of nothing', { StringNotEquals: { k: 'a' } }, {}, true],
    ['StringEquals of nothing', { StringEquals: { k: 'a' } }, {}, false],
    ['StringEqualsIfExists of nothing', { StringEqualsIfExists: { k: 'a' } }, {}, true],
    ['ArnLike by part', { ArnLike: { k: 'arn:aws:s3:::*' } }, { k: 'arn:aws:s3:x::b' }, false],
    ['Bool', { Bool: { 'aws:SecureTransport': 'false' } }, { 'AWS:securetransport': 'true' }, false],
    ['NumericLessThan', { NumericLessThan: { v: '1.2' } }, { v: '1.3' }, false],
    ['NumericLessThan a number', { NumericLessThan: { v: 1.2 } }, { v: '1.1' }, true],
    ['all of several', { StringEquals: { a: '1', b: '2' } }, { a: '1' }, false],
  ])('%s', (_, Condition, context, holds) => {
    const statement = { Effect: 'Allow', Action: 'x:Y', Resource: '*', Condition } as Statement;
    expect(speaksOf(statement, { action: 'x:Y', resource: '*', context })).toBe(holds);
  });

  it('NotAction and NotResource', () => {
    const statement: Statement = { Effect: 'Deny', NotAction: 's3:Get*', NotResource: 'arn:aws:s3:::b/*' };
    const speaks = (action: string, resource: string) => speaksOf(statement, { action, resource });
    expect([speaks('s3:GetObject', 'arn:aws:s3:::c'), speaks('s3:PutObject', 'arn:aws:s3:::b/x')]).toEqual([
      false,
      false,
    ]);
    expect(speaks('s3:PutObject', 'arn:aws:s3:::c/x')).toBe(true);
  });

  it.each([
    ['*', 'anything', true],
    ['arn:aws:logs:*:1:log-group:/a:*', 'arn:aws:logs:r:1:log-group:/a:log-stream:x', true],
    ['arn:*:x', 'arn:aws:s3:::x', false],
  ])('%s is like %s: %s', (pattern, arn, like) => {
    expect(arnLike(pattern, arn)).toBe(like);
  });
});

describe('what a call asks for', () => {
  interface Given {
    readonly service: string;
    readonly target?: string;
    readonly body?: object | string;
    readonly path?: string;
    readonly method?: string;
    readonly headers?: { readonly [name: string]: string };
  }
  const request = ({ service, target, body = '', path = '/', method = 'POST', headers = {} }: Given) => ({
    service,
    method,
    url: new URL(path, 'http://localhost'),
    headers: {
      ...(target !== undefined && { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }),
      ...headers,
    },
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });
  const facts: Facts = {
    secretArn: async (id) => (id.endsWith('set') ? `${id}-AbCdEf` : undefined),
    taskDefinition: (id) => (id.endsWith(':1') ? { arn: `${DEFINITION}:1`, roles: [TASK_ROLE] } : undefined),
  };
  const ses = (name: string) => `arn:aws:ses:${REGION}:${ACCOUNT}:identity/${name}`;
  const cases: readonly [Given, string, string | string[]][] = [
    [{ service: 's3', method: 'GET', path: '/b/a%20b/c?x-id=GetObject' }, 's3:GetObject', 'arn:aws:s3:::b/a b/c'],
    [{ service: 's3', method: 'HEAD', path: '/b/k' }, 's3:GetObject', 'arn:aws:s3:::b/k'],
    [{ service: 's3', method: 'PUT', path: '/b/k?partNumber=1&uploadId=u' }, 's3:PutObject', 'arn:aws:s3:::b/k'],
    [{ service: 's3', path: '/b/k?uploads' }, 's3:PutObject', 'arn:aws:s3:::b/k'],
    [{ service: 's3', method: 'DELETE', path: '/b/k?uploadId=u' }, 's3:AbortMultipartUpload', 'arn:aws:s3:::b/k'],
    [{ service: 's3', method: 'DELETE', path: '/b/k' }, 's3:DeleteObject', 'arn:aws:s3:::b/k'],
    [{ service: 's3', method: 'GET', path: '/b?list-type=2&prefix=x' }, 's3:ListBucket', 'arn:aws:s3:::b'],
    [{ service: 's3', method: 'GET', path: '/b/k?tagging' }, 's3:GetObjectTagging', 'arn:aws:s3:::b/k'],
    [{ service: 's3', method: 'PUT', path: '/b/k?retention' }, 's3:PUT?retention', 'arn:aws:s3:::b/k'],
    [{ service: 's3', path: '/b?delete', body: '<Key>a</Key>' }, 's3:DeleteObject', 'arn:aws:s3:::b/a'],
    [
      { service: 'states', target: 'AWSStepFunctions.StartExecution', body: { stateMachineArn: 'arn:m' } },
      'states:StartExecution',
      'arn:m',
    ],
    [
      { service: 'states', target: 'AWSStepFunctions.SendTaskSuccess', body: { taskToken: 'x' } },
      'states:SendTaskSuccess',
      '*',
    ],
    [
      { service: 'secretsmanager', target: 'secretsmanager.GetSecretValue', body: { SecretId: 'trowel/p/set' } },
      'secretsmanager:GetSecretValue',
      `${SECRET}set-AbCdEf`,
    ],
    [
      { service: 'secretsmanager', target: 'secretsmanager.DescribeSecret', body: { SecretId: 'trowel/p/none' } },
      'secretsmanager:DescribeSecret',
      `${SECRET}none`,
    ],
    [
      {
        service: 'sns',
        body: 'Action=Publish&TopicArn=arn%3Atopic',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
      'sns:Publish',
      'arn:topic',
    ],
    [
      { service: 'sqs', target: 'AmazonSQS.SendMessage', body: { QueueUrl: `http://localhost:1/${ACCOUNT}/dead` } },
      'sqs:SendMessage',
      QUEUE,
    ],
    [
      { service: 'logs', target: 'Logs_20140328.PutLogEvents', body: { logGroupName: '/g', logStreamName: 's' } },
      'logs:PutLogEvents',
      `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/g:log-stream:s`,
    ],
    [
      { service: 'lambda', path: `/2015-03-31/functions/${encodeURIComponent(`${FUNCTION}:3`)}/invocations` },
      'lambda:InvokeFunction',
      `${FUNCTION}:3`,
    ],
    [
      { service: 'lambda', path: '/2015-03-31/functions/launch/invocations?Qualifier=4' },
      'lambda:InvokeFunction',
      `${FUNCTION}:4`,
    ],
    [{ service: 'lambda', path: '/2015-03-31/functions/launch/invocations' }, 'lambda:InvokeFunction', FUNCTION],
    [
      {
        service: 'ecs',
        target: 'AmazonEC2ContainerServiceV20141113.StopTask',
        body: { cluster: CLUSTER, task: 'abc' },
      },
      'ecs:StopTask',
      `arn:aws:ecs:${REGION}:${ACCOUNT}:task/c/abc`,
    ],
    [
      {
        service: 'ses',
        path: '/v2/email/outbound-emails',
        headers: { 'content-type': 'application/json' },
        body: { FromEmailAddress: 'Trowel <t@x.org>', Content: { Raw: {} } },
      },
      'ses:SendRawEmail',
      [ses('t@x.org'), ses('x.org')],
    ],
    [{ service: 'athena', target: 'AmazonAthena.StartQueryExecution', body: {} }, 'athena:StartQueryExecution', '*'],
    [
      { service: 'monitoring', path: '/service/GraniteServiceVersion20100801/operation/PutMetricData' },
      'cloudwatch:PutMetricData',
      '*',
    ],
  ];
  it.each(cases)('%j', async (given, action, resource) => {
    expect(actionOf(request(given)).action).toBe(action.slice(action.indexOf(':') + 1));
    expect((await checksOf(request(given), facts))[0]).toMatchObject({ action, resource });
  });

  it('RunTask also passes roles', async () => {
    const body = { cluster: CLUSTER, taskDefinition: `${DEFINITION}:1`, overrides: { taskRoleArn: 'arn:other' } };
    const checks = await checksOf(request({ service: 'ecs', target: 'x.RunTask', body }), facts);
    expect(checks).toEqual([
      { action: 'ecs:RunTask', resource: `${DEFINITION}:1`, context: { 'ecs:cluster': CLUSTER } },
      ...[TASK_ROLE, 'arn:other'].map((resource) => ({
        action: 'iam:PassRole',
        resource,
        context: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' },
      })),
    ]);
  });

  it('a copy reads its source', async () => {
    const headers = { 'x-amz-copy-source': '/a/from%20here?versionId=1' };
    const checks = await checksOf(request({ service: 's3', method: 'PUT', path: '/b/k', headers }), facts);
    expect(checks.map(({ action, resource }) => [action, resource])).toEqual([
      ['s3:PutObject', 'arn:aws:s3:::b/k'],
      ['s3:GetObject', 'arn:aws:s3:::a/from here'],
    ]);
  });

  it('an object that is not there is hidden from who may not list', () => {
    expect(listCheck(request({ service: 's3', method: 'GET', path: '/b/k' }))).toMatchObject({
      action: 's3:ListBucket',
      resource: 'arn:aws:s3:::b',
    });
    expect(listCheck(request({ service: 's3', method: 'PUT', path: '/b/k' }))).toBeUndefined();
  });
});
