/**
 * Which actions of IAM a call of an API asks for, and on which resources, by AWS's "service authorization reference". An action that is not
 * in the table is asked for on `*`, so that no statement about a certain resource allows it.
 */
import type { Check, Context } from './policy.ts';
import { ACCOUNT, REGION, type ServiceCall } from './service.ts';

/** A call, before anybody has looked at who calls. */
export type SignedRequest = Omit<ServiceCall, 'action' | 'resources' | 'principal'>;

/** What has to be asked of others to know what a call needs. */
export interface Facts {
  /** The whole ARN, with the six characters at its end, of a secret by name or ARN. */
  readonly secretArn: (id: string) => Promise<string | undefined>;
  /** A task definition by ARN, family or family:revision. */
  readonly taskDefinition: (id: string) => { readonly arn: string; readonly roles: readonly string[] } | undefined;
}

/** Signing names that are not the prefix of the actions. */
const PREFIXES: { readonly [signing: string]: string } = { monitoring: 'cloudwatch', email: 'ses' };

/** The first action that a call asks for, without its prefix, and the resources as far as the call names them. */
export function actionOf(request: SignedRequest): Pick<ServiceCall, 'action' | 'resources'> {
  const [first] = plainChecks(request);
  if (first === undefined) return { action: 'Unknown', resources: ['*'] };
  return { action: first.action.slice(first.action.indexOf(':') + 1), resources: [first.resource].flat() };
}

/** All that a call needs to be allowed. */
export async function checksOf(request: SignedRequest, facts: Facts): Promise<readonly Check[]> {
  const checks = plainChecks(request);
  const [first] = checks;
  if (first === undefined) throw new Error(`Unknown call ${request.service} ${request.method} ${request.url.pathname}`);
  if (first.action === 'ecs:RunTask') return [...runTaskChecks(first, fieldsOf(request), facts), ...checks.slice(1)];
  if (!first.action.startsWith('secretsmanager:') || typeof first.resource !== 'string') return checks;
  return [{ ...first, resource: (await facts.secretArn(first.resource)) ?? first.resource }, ...checks.slice(1)];
}

function plainChecks(request: SignedRequest): Check[] {
  const prefix = PREFIXES[request.service] ?? request.service;
  return prefix === 's3' ? s3Checks(request) : (restChecks(prefix, request) ?? operationChecks(prefix, request));
}

/** By protocol: a header (JSON), a path (CBOR), a field of a form (query). Paths of REST are below. */
function operationName({ headers, url, body }: SignedRequest): string | undefined {
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  const cbor = /^\/service\/[^/]+\/operation\/([^/]+)$/.exec(url.pathname)?.[1];
  if (cbor !== undefined) return cbor;
  return url.searchParams.get('Action') ?? new URLSearchParams(body.toString()).get('Action') ?? undefined;
}

interface Fields {
  readonly [name: string]: unknown;
}

function fieldsOf({ headers, body, url }: SignedRequest): Fields {
  if (String(headers['content-type']).includes('json')) {
    try {
      return JSON.parse(body.toString() || '{}') as Fields;
    } catch {
      return {};
    }
  }
  return Object.fromEntries([...url.searchParams, ...new URLSearchParams(body.toString())]);
}

function operationChecks(prefix: string, request: SignedRequest): Check[] {
  const operation = operationName(request);
  if (operation === undefined) return [];
  const fields = fieldsOf(request);
  const action = `${prefix}:${ALIASES[`${prefix}:${operation}`] ?? operation}`;
  const resource = RESOURCES[prefix]?.(operation, fields) ?? '*';
  return [{ action, resource, ...(prefix === 'ecs' && { context: clusterContext(fields) }) }];
}

/** Operations whose action has another name. */
const ALIASES: { readonly [operation: string]: string } = {
  'sns:PublishBatch': 'Publish',
  'sqs:SendMessageBatch': 'SendMessage',
};

type ResourceOf = (operation: string, fields: Fields) => string | readonly string[] | undefined;

const RESOURCES: { readonly [prefix: string]: ResourceOf } = {
  // Tokens belong to no machine that a caller could name.
  states: (operation, fields) =>
    operation.startsWith('SendTask') ? '*' : text(fields.stateMachineArn ?? fields.executionArn ?? fields.resourceArn),
  secretsmanager: (_, { SecretId, Name }) => {
    const id = text(SecretId ?? Name);
    return id === undefined || id.startsWith('arn:') ? id : arn('secretsmanager', `secret:${id}`);
  },
  sns: (_, { TopicArn, TargetArn, ResourceArn }) => text(TopicArn ?? TargetArn ?? ResourceArn),
  sqs: (_, { QueueUrl, QueueName }) => {
    const name = text(QueueName) ?? text(QueueUrl)?.split('/').at(-1);
    return name === undefined ? undefined : arn('sqs', name);
  },
  logs: (_, { logGroupName, logGroupIdentifier, logStreamName }) => {
    const group = text(logGroupName) ?? text(logGroupIdentifier)?.replace(/^arn:.*:log-group:/, '');
    return group === undefined ? undefined : arn('logs', `log-group:${group}:log-stream:${text(logStreamName) ?? ''}`);
  },
  ecs: (operation, fields) => {
    const { task, tasks, taskDefinition, cluster } = fields;
    if (operation === 'StopTask') return taskArn(text(task), cluster);
    if (operation === 'DescribeTasks' && Array.isArray(tasks))
      return tasks.map((each) => taskArn(text(each), cluster))[0];
    if (operation === 'DescribeClusters') return clusterArn(text(cluster));
    const definition = operation === 'RunTask' ? text(taskDefinition) : undefined;
    return definition?.startsWith('arn:') ? definition : definition && arn('ecs', `task-definition/${definition}`);
  },
  dynamodb: (_, { TableName }) => {
    const name = text(TableName);
    return name === undefined || name.startsWith('arn:') ? name : arn('dynamodb', `table/${name}`);
  },
  events: (operation, { Name, Rule, EventBusName }) => {
    const name = operation === 'PutEvents' ? undefined : text(Name ?? Rule);
    return name === undefined
      ? arn('events', `event-bus/${text(EventBusName) ?? 'default'}`)
      : arn('events', `rule/${name}`);
  },
  ssm: (_, { Name }) => {
    const name = text(Name);
    return name === undefined ? undefined : arn('ssm', `parameter/${name.replace(/^\//, '')}`);
  },
  kms: (_, { KeyId }) => text(KeyId),
  cloudformation: (_, { StackName }) => {
    const name = text(StackName);
    return name === undefined || name.startsWith('arn:') ? name : arn('cloudformation', `stack/${name}/any`);
  },
};

function runTaskChecks(run: Check, fields: Fields, facts: Facts): Check[] {
  const definition = facts.taskDefinition(text(fields.taskDefinition) ?? '');
  const overrides = (fields.overrides ?? {}) as Fields;
  const given = [text(overrides.taskRoleArn), text(overrides.executionRoleArn)].filter((role) => role !== undefined);
  const roles = new Set([...(definition?.roles ?? []), ...given]);
  const tags = Array.isArray(fields.tags) && fields.tags.length > 0;
  return [
    { ...run, resource: definition?.arn ?? run.resource },
    ...[...roles].map((role) => ({
      action: 'iam:PassRole',
      resource: role,
      context: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' },
    })),
    ...(tags
      ? [{ action: 'ecs:TagResource', resource: arn('ecs', 'task/*'), context: { 'ecs:CreateAction': 'RunTask' } }]
      : []),
  ];
}

function clusterContext({ cluster }: Fields): Context {
  return { 'ecs:cluster': clusterArn(text(cluster)) };
}

function clusterArn(cluster: string | undefined): string {
  return cluster?.startsWith('arn:') ? cluster : arn('ecs', `cluster/${cluster ?? 'default'}`);
}

function taskArn(task: string | undefined, cluster: unknown): string | undefined {
  if (task === undefined || task.startsWith('arn:')) return task;
  const name = clusterArn(text(cluster)).split('/').at(-1);
  return arn('ecs', `task/${name}/${task}`);
}

/** Of the services that speak REST, what functions and containers call; the rest is the account's, and is asked for on `*`. */
function restChecks(prefix: string, request: SignedRequest): Check[] | undefined {
  const path = decodeURIComponent(request.url.pathname);
  if (prefix === 'lambda') {
    const [, name, invocation] = /^\/\d{4}-\d\d-\d\d\/functions\/([^/]+)\/?(invocations)?/.exec(path) ?? [];
    const resource = name === undefined ? '*' : functionArn(name, request.url.searchParams.get('Qualifier'));
    const verb = { GET: 'GetFunction', PUT: 'UpdateFunctionCode', POST: 'CreateFunction', DELETE: 'DeleteFunction' }[
      request.method
    ];
    return [{ action: `lambda:${invocation ? 'InvokeFunction' : (verb ?? 'Unknown')}`, resource }];
  }
  if (prefix === 'ses' && path.startsWith('/v2/')) {
    if (path !== '/v2/email/outbound-emails') return [{ action: `ses:${request.method}${path}`, resource: '*' }];
    const from = text(fieldsOf(request).FromEmailAddress) ?? '';
    const address = /<([^>]+)>/.exec(from)?.[1] ?? from;
    const identity = (name: string | undefined) => arn('ses', `identity/${name}`);
    const raw = (fieldsOf(request).Content as Fields | undefined)?.Raw !== undefined;
    return [
      {
        action: raw ? 'ses:SendRawEmail' : 'ses:SendEmail',
        resource: [identity(address), identity(address.split('@')[1])],
      },
    ];
  }
  if (prefix === 'scheduler') return [{ action: `scheduler:${request.method}${path}`, resource: '*' }];
  return undefined;
}

/** By name, by partial or whole ARN, with or without a version. */
function functionArn(name: string, qualifier: string | null): string {
  const whole = name.startsWith('arn:') ? name : arn('lambda', `function:${name}`);
  return qualifier === null || whole.split(':').length > 7 ? whole : `${whole}:${qualifier}`;
}

/** Sub-resources of an object by method, and the action that they ask for; without one the first. */
const OBJECT_ACTIONS: { readonly [method: string]: { readonly [parameter: string]: string } } = {
  GET: {
    '': 'GetObject',
    tagging: 'GetObjectTagging',
    acl: 'GetObjectAcl',
    uploadId: 'ListMultipartUploadParts',
    versionId: 'GetObjectVersion',
  },
  HEAD: { '': 'GetObject', versionId: 'GetObjectVersion' },
  PUT: { '': 'PutObject', tagging: 'PutObjectTagging', acl: 'PutObjectAcl' },
  POST: { '': 'PutObject' },
  DELETE: {
    '': 'DeleteObject',
    uploadId: 'AbortMultipartUpload',
    versionId: 'DeleteObjectVersion',
    tagging: 'DeleteObjectTagging',
  },
};

const BUCKET_ACTIONS: { readonly [method: string]: { readonly [parameter: string]: string } } = {
  GET: {
    '': 'ListBucket',
    location: 'GetBucketLocation',
    uploads: 'ListBucketMultipartUploads',
    versions: 'ListBucketVersions',
  },
  HEAD: { '': 'ListBucket' },
  PUT: { '': 'CreateBucket' },
  DELETE: { '': 'DeleteBucket' },
};

/** Parameters of a listing, which name no sub-resource. */
const PLAIN =
  /^(?:list-type|prefix|delimiter|max-keys|marker|continuation-token|start-after|encoding-type|fetch-owner|x-id|partNumber|response-.*|x-amz-.*)$/i;

function s3Checks({ method, url, headers, body }: SignedRequest): Check[] {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(decodeURIComponent(url.pathname)) ?? [];
  if (bucket === '') return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
  const sub = [...url.searchParams.keys()].filter((name) => !PLAIN.test(name));
  const bucketArn = `arn:aws:s3:::${bucket}`;
  if (key === '' && method === 'POST' && sub.includes('delete')) {
    const keys = [...body.toString().matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, each]) => `${bucketArn}/${each}`);
    return keys.map((resource) => ({ action: 's3:DeleteObject', resource }));
  }
  const table = (key === '' ? BUCKET_ACTIONS : OBJECT_ACTIONS)[method];
  const named = sub.find((name) => table?.[name] !== undefined);
  // A part of an upload, its beginning and its end ask for no more than the object.
  const whole = sub.length === 0 || sub.every((name) => /^(?:uploads|uploadId)$/.test(name));
  const action = named !== undefined ? table?.[named] : whole ? table?.[''] : `${method}?${sub[0]}`;
  if (action === undefined) return [];
  const prefix = url.searchParams.get('prefix');
  const source = headers['x-amz-copy-source'];
  return [
    {
      action: `s3:${action}`,
      resource: key === '' ? bucketArn : `${bucketArn}/${key}`,
      ...(key === '' && prefix !== null && { context: { 's3:prefix': prefix } }),
    },
    ...(typeof source === 'string'
      ? [
          {
            action: 's3:GetObject',
            resource: `arn:aws:s3:::${decodeURIComponent(source).replace(/^\//, '').replace(/\?.*$/, '')}`,
          },
        ]
      : []),
  ];
}

/** What S3 says of an object that is not there: without the right to list its bucket, not even that. */
export function listCheck(request: SignedRequest): Check | undefined {
  const [, bucket, key] = /^\/([^/]+)\/(.+)$/s.exec(decodeURIComponent(request.url.pathname)) ?? [];
  if (bucket === undefined || key === undefined || (request.method !== 'GET' && request.method !== 'HEAD'))
    return undefined;
  return { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}`, context: { 's3:prefix': key } };
}

function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
