import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { type ISecurityGroup, type IVpc, SecurityGroup, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Cluster, ContainerImage, type ICluster } from 'aws-cdk-lib/aws-ecs';
import { AccountRootPrincipal, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUNDLED } from '../../../lib/cloud/functions.ts';
import { loadTrowelProject } from '../../../lib/cloud/load-project.ts';
import { ProjectError } from '../../../lib/cloud/project-error.ts';
import { TrowelProject, type TrowelProjectProps } from '../../../lib/cloud/trowel-project.ts';
import { TrowelStack } from '../../../lib/cloud/trowel-stack.ts';
import { stateMachineName } from '../../../lib/contract/deployed-names.ts';
import { NETWORK_TEMPLATE } from '../../../lib/functions/network/template.ts';
import { permissionsOf } from '../../cloud/aws/resource-schemas.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'trowel-cloud-'));
const PLACES = { functions: join(ROOT, 'functions'), bootstrap: join(ROOT, 'bootstrap.py') };
const ECHO = '+a:\n  echo>: a\n';
const CALLS = `
+query: {aws>: athena:startQueryExecution.sync, arguments: {QueryString: select 1}}
+job: {aws>: glue:startJobRun.sync, arguments: {JobName: "sales-\${session_date}"}}
+batch: {aws>: batch:submitJob.sync, arguments: {JobName: n, JobQueue: q, JobDefinition: d}}
+table: {aws>: dynamodb:putItem, arguments: {TableName: t, Item: {}}}
+object: {aws>: s3:putObject, arguments: {Bucket: b, Key: "in/\${session_date}", Body: x}}
+task: {aws>: ecs:runTask.sync, arguments: {TaskDefinition: report}}
`;
const ENV = { ...process.env, XDG_CACHE_HOME: join(ROOT, 'cache') };

beforeAll(async () => {
  // The functions' own code has tests of its own; here it is what is deployed with them.
  for (const name of BUNDLED) write(join(PLACES.functions, name, 'index.mjs'), 'export const handler = () => {};\n');
  write(PLACES.bootstrap, 'print("bootstrap")\n');
  // Installs uv and what the runner needs, which takes its time.
  await load(folder('first', { 'main.dig': ECHO }));
});
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function folder(name: string, files: { readonly [path: string]: string }): string {
  for (const [path, text] of Object.entries(files)) write(join(ROOT, name, path), text);
  return join(ROOT, name);
}

function load(dir: string) {
  return loadTrowelProject(dir, { env: ENV, notice: () => {}, now: Date.parse('2030-01-01T00:00:00Z') });
}

interface Deployed {
  readonly template: Template;
  readonly app: App;
  readonly stack: TrowelStack;
  /** Text of a workflow's definition, as it is uploaded. */
  definition(workflow: string): string;
}

async function deploy(
  name: string,
  files: { readonly [path: string]: string },
  props: Partial<TrowelProjectProps> = {},
) {
  const project = await load(folder(name, files));
  const app = new App({ outdir: join(ROOT, `${name}.out`) });
  const stack = new TrowelStack(app, 'stack', { ...PLACES, project, ...props });
  const template = Template.fromStack(stack);
  const definition = (workflow: string): string => {
    const [machine] = Object.values(
      template.findResources('AWS::StepFunctions::StateMachine', {
        Properties: { StateMachineName: stateMachineName(project.name, workflow) },
      }),
    );
    const key: string = machine?.Properties.DefinitionS3Location.Key;
    const hash = key.slice(key.lastIndexOf('/') + 1);
    const out = join(ROOT, `${name}.out`);
    return readFileSync(join(out, readdirSync(out).find((file) => file === `asset.${hash}`) ?? hash), 'utf8');
  };
  return { template, app, stack, definition } satisfies Deployed;
}

/** Statements of the role whose logical id contains a text: `action action -> resource [condition]`, sorted. */
function permissions(template: Template, role: string): string[] {
  const own = Object.entries(template.findResources('AWS::IAM::Role'))
    .filter(([id]) => id.includes(role))
    .flatMap(([, { Properties }]) => Properties.Policies ?? [])
    .map(({ PolicyDocument }) => PolicyDocument);
  const attached = Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref.includes(role)))
    .map(([, { Properties }]) => Properties.PolicyDocument);
  const list = (value: unknown) => (Array.isArray(value) ? value : [value]);
  return [...own, ...attached]
    .flatMap(({ Statement }) => Statement)
    .map(({ Action, Resource, Condition }) =>
      `${list(Action).join(' ')} -> ${list(Resource).map(flat).join(' ')}${conditions(Condition)}`.replace(
        /[0-9a-f]{64}/,
        'SHA256',
      ),
    )
    .sort();
}

/** ` [key=value]`, with the operator. */
function conditions(given: { readonly [operator: string]: { readonly [key: string]: unknown } } = {}): string {
  return Object.entries(given)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, value]) => ` [${operator} ${key}=${[value].flat().map(flat)}]`),
    )
    .join('');
}

/** References and joins of a template as one text; hashes of logical ids are cut. */
function flat(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  const [[name, inner] = ['', '']] = Object.entries(value);
  const id = (text: string) => text.replace(/[0-9A-F]{8}$/, '').replace('AWS::', '');
  if (name === 'Ref') return `<${id(String(inner))}>`;
  if (name === 'Fn::GetAtt') return `<${id(inner[0])}.${inner[1]}>`;
  if (name === 'Fn::Join') return inner[1].map(flat).join(inner[0]);
  return String(inner).replaceAll(/\$\{AWS::(\w+)\}/g, '<$1>');
}

describe('TrowelProject', () => {
  it('has an output for each workflow, also where names differ in other characters alone', async () => {
    const { template } = await deploy('outputs', { 'a_b.dig': ECHO, 'a-b.dig': ECHO, 'ab.dig': ECHO });
    const said = Object.values(template.findOutputs('*')).map(({ Description, Value }) => [Description, flat(Value)]);
    const machine = 'arn:<Partition>:states:<Region>:<AccountId>:stateMachine:outputs';
    expect(said).toEqual(
      expect.arrayContaining(['a_b', 'a-b', 'ab'].map((name) => [`Workflow ${name}`, `${machine}-${name}`])),
    );
  });

  it('makes a state machine a workflow, with its definition as an asset and user text safe from substitution', async () => {
    const { template, definition } = await deploy('machines', {
      'main.dig': '+a:\n  py>: tasks.a\n  text: "${session} ${launch} ${x}"\n+r:\n  require>: sub/other\n',
      'sub/other.dig': '+e:\n  echo>: "${session_time}"\n',
      'unused/never.dig': ECHO,
    });
    template.resourceCountIs('AWS::StepFunctions::StateMachine', 2);
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'machines-main',
      StateMachineType: 'STANDARD',
      DefinitionSubstitutions: Match.objectLike({
        launch: { Ref: Match.stringLikeRegexp('FunctionlaunchCurrentVersion') },
        session: { Ref: Match.stringLikeRegexp('FunctionsessionCurrentVersion') },
      }),
      LoggingConfiguration: Match.objectLike({ IncludeExecutionData: false, Level: 'ALL' }),
      TracingConfiguration: { Enabled: true },
    });
    const text = definition('main');
    const names = [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, name]) => name);
    const machine = Object.values(template.findResources('AWS::StepFunctions::StateMachine')).find(
      ({ Properties }) => Properties.StateMachineName === 'machines-main',
    );
    expect([...new Set(names)].sort()).toEqual(Object.keys(machine?.Properties.DefinitionSubstitutions).sort());
    expect(JSON.stringify(JSON.parse(text))).toContain('"text":"${session} ${launch} ${x}"');
  });

  it('gives every role exactly what it needs', async () => {
    const { template } = await deploy('roles', {
      'main.dig': '+p:\n  sh>: echo\n  _env: {A: "${secret:a.b}"}\n+r:\n  require>: other\n+w:\n  s3_wait>: in/x.csv\n',
      'other.dig': 'schedule:\n  daily>: 07:00:00\n+l:\n  lambda>: fn\n',
    });
    const attempts = '<ProjectBucket.Arn>/attempts/*';
    const assignments = '<ProjectBucket.Arn>/assignments/*';
    const logs = 'logs:CreateLogStream logs:PutLogEvents -> <ProjectFunctionLogs.Arn>';
    const xray = 'xray:PutTraceSegments xray:PutTelemetryRecords -> *';
    const list = 's3:ListBucket -> <ProjectBucket.Arn>';
    const secrets = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:trowel/roles/*';
    const arn = (rest: string) => `arn:<Partition>:${rest}`;
    expect(permissions(template, 'Functionevaluate')).toEqual(
      [logs, list, xray, `s3:GetObject s3:PutObject -> ${attempts}/values/*`].sort(),
    );
    // What containers may call reads nothing.
    expect(permissions(template, 'Functionrender')).toEqual([logs, xray]);
    expect(permissions(template, 'Functionsession')).toEqual(
      [
        logs,
        xray,
        `states:StartExecution states:ListExecutions -> ${arn('states:<Region>:<AccountId>:stateMachine:roles-other')}`,
        'sqs:SendMessage -> <ProjectDeadLetters.Arn>',
      ].sort(),
    );
    expect(permissions(template, 'Functionlaunch')).toEqual(
      [
        logs,
        list,
        xray,
        `s3:GetObject s3:PutObject -> ${attempts}`,
        `s3:GetObject s3:PutObject -> ${assignments}`,
        's3:GetObject -> arn:<Partition>:s3:::cdk-hnb659fds-assets-<AccountId>-<Region>/trowel/roles/*.zip',
        `ecs:RunTask -> ${families(template)} [ArnEquals ecs:cluster=<ProjectCluster.Arn>]`,
        `iam:PassRole -> <ProjectTaskRoleNone.Arn> <ProjectTaskRoleOfmain.Arn> <ProjectTaskRoleOfother.Arn> <ProjectExecutionRole.Arn> [StringEquals iam:PassedToService=ecs-tasks.amazonaws.com]`,
        `secretsmanager:DescribeSecret -> ${secrets}`,
        'states:SendTaskSuccess -> *',
      ].sort(),
    );
    expect(permissions(template, 'Functiontaskstopped')).toEqual(
      [
        logs,
        list,
        xray,
        `s3:GetObject -> ${assignments}`,
        'sqs:SendMessage -> <ProjectDeadLetters.Arn>',
        'states:SendTaskFailure -> *',
      ].sort(),
    );
    expect(permissions(template, 'Functionhttp')).toEqual(
      [
        logs,
        list,
        xray,
        `s3:GetObject s3:PutObject -> ${attempts}`,
        `secretsmanager:GetSecretValue -> ${secrets}`,
      ].sort(),
    );
    expect(permissions(template, 'ScheduleRole')).toEqual([
      'lambda:InvokeFunction -> <ProjectFunctionsession.Arn>',
      'sqs:SendMessage -> <ProjectDeadLetters.Arn>',
    ]);
    for (const workflow of ['main', 'other']) {
      const own = `<ProjectBucket.Arn>/attempts/${workflow}/*`;
      expect(permissions(template, `TaskRoleOf${workflow}`)).toEqual(
        [
          `s3:GetObject s3:PutObject s3:AbortMultipartUpload -> ${own}/values/*`,
          `s3:PutObject s3:DeleteObject -> ${own}/results/*`,
          's3:GetObject -> arn:<Partition>:s3:::cdk-hnb659fds-assets-<AccountId>-<Region>/trowel/roles/*.zip',
          'lambda:InvokeFunction -> <ProjectFunctionrender.Arn>',
          'states:SendTaskFailure states:SendTaskHeartbeat states:SendTaskSuccess -> *',
        ].sort(),
      );
    }
    // Of the definitions, which all workflows share.
    expect(permissions(template, 'TaskRoleNone')).toEqual([]);
    expect(permissions(template, 'ExecutionRole')).toEqual(
      [
        'logs:CreateLogStream logs:PutLogEvents -> <ProjectTaskLogs.Arn>',
        `secretsmanager:GetSecretValue secretsmanager:DescribeSecret -> ${secrets.replace('*', 'a.b-??????')}`,
      ].sort(),
    );
    const each = [
      'logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery -> *',
      'xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets -> *',
    ];
    const states = (rest: string) => arn(`states:<Region>:<AccountId>:${rest}`);
    const versions = (...names: string[]) =>
      `lambda:InvokeFunction -> ${names.map((name) => `<ProjectFunction${name}.Arn>:*`).join(' ')}`;
    expect(permissions(template, machineRole(template, 'roles-main'))).toEqual(
      [
        ...each,
        versions('evaluate', 'launch', 'session'),
        `states:StartExecution -> ${states('stateMachine:roles-other')}`,
        `states:DescribeExecution states:StopExecution -> ${states('execution:roles-other:*')}`,
        `events:DescribeRule events:PutRule events:PutTargets -> ${arn('events:<Region>:<AccountId>:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule')}`,
        's3:GetObject -> arn:<Partition>:s3:::in/x.csv',
        's3:ListBucket -> arn:<Partition>:s3:::in',
      ].sort(),
    );
    const fn = arn('lambda:<Region>:<AccountId>:function:fn');
    expect(permissions(template, machineRole(template, 'roles-other'))).toEqual(
      [...each, versions('session'), `lambda:InvokeFunction -> ${fn} ${fn}:*`].sort(),
    );
  });

  it('lets each role be taken by its service alone, for this account', async () => {
    const { template } = await deploy('trust', { 'main.dig': `schedule:\n  daily>: 07:00:00\n${ECHO}` });
    const trust = Object.entries(template.findResources('AWS::IAM::Role')).map(([id, { Properties }]) => {
      const [{ Action, Principal, Condition, ...rest }, ...more] = Properties.AssumeRolePolicyDocument.Statement;
      expect([Action, rest, more]).toEqual(['sts:AssumeRole', { Effect: 'Allow' }, []]);
      return `${id.replace(/Role.*$/, 'Role')}: ${Principal.Service}${conditions(Condition)}`;
    });
    const mine = '[StringEquals aws:SourceAccount=<AccountId>]';
    expect(trust.sort()).toEqual(
      [
        ...['session', 'evaluate', 'render', 'launch', 'taskstopped', 'http', 'notify', 'network'].map(
          (name) => `ProjectFunction${name}Role: lambda.amazonaws.com`,
        ),
        ...['ExecutionRole', 'TaskRole', 'TaskRole'].map((name) => `Project${name}: ecs-tasks.amazonaws.com ${mine}`),
        `ProjectMachineRole: states.amazonaws.com ${mine}`,
        `ProjectScheduleRole: scheduler.amazonaws.com ${mine}`,
      ].sort(),
    );
  });

  it('lets the machine do what its aws> call, and warns of what the file does not tell', async () => {
    const { template, stack } = await deploy('calls', { 'main.dig': CALLS });
    const found = permissions(template, 'MachineRole');
    const arn = (service: string, rest: string) => `arn:<Partition>:${service}:<Region>:<AccountId>:${rest}`;
    expect(found).toContain(
      `athena:StartQueryExecution athena:GetDataCatalog -> ${arn('athena', 'workgroup/primary')} ${arn('athena', 'datacatalog/*')}`,
    );
    expect(found).toContain(`glue:StartJobRun -> ${arn('glue', 'job/sales-*')}`);
    expect(found).toContain('batch:DescribeJobs batch:TerminateJob -> *');
    expect(found).toContain('s3:PutObject -> arn:<Partition>:s3:::b/in/*');
    expect(found).toContain(
      `events:PutTargets events:PutRule events:DescribeRule -> ${arn('events', 'rule/StepFunctionsGetEventsForECSTaskRule')}`,
    );
    const warnings = Annotations.fromStack(stack)
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => String(entry.data));
    const about = warnings.filter((text) => text.includes('grantWorkflow'));
    expect(about).toHaveLength(2);
    expect(about.join('\n')).toMatch(/main: .*athena:startQueryExecution\.sync: what the query reads/);
    expect(about.join('\n')).toMatch(/main: .*ecs:runTask\.sync: iam:PassRole/);
  });

  it('has one bucket: encrypted, over TLS alone, closed to the public, kept by default', async () => {
    const { template } = await deploy('bucket', { 'main.dig': ECHO });
    template.resourceCountIs('AWS::S3::Bucket', 1);
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        LifecycleConfiguration: {
          Rules: Match.arrayWith([
            Match.objectLike({ Prefix: 'assignments/', ExpirationInDays: 2 }),
            Match.objectLike({ Prefix: 'attempts/', ExpirationInDays: 90 }),
          ]),
        },
      },
    });
    template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'RetainExceptOnCreate' });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });

  it('keeps task tokens a day longer than the longest task, and knows the project’s heartbeat', async () => {
    const { template, definition } = await deploy('long', {
      'main.dig':
        '+a:\n  py>: tasks.a\n+g:\n  _parallel: true\n  +b:\n    py>: tasks.b\n    _timeout: 3d\n    resources: {heartbeat: 20m}\n',
      'trowel.yml': 'task: {timeout: 30h, heartbeat: 10m}\n',
    });
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([Match.objectLike({ Id: 'assignments', ExpirationInDays: 5 })]),
      },
    });
    launches(template, { TROWEL_HEARTBEAT: '600', TROWEL_TASK_TIMEOUT: '108000' });
    const text = definition('main');
    expect(JSON.parse(text).States['+main+a']).toMatchObject({
      TimeoutSeconds: 108_000 + 3_600,
      HeartbeatSeconds: 600,
    });
    expect(text).toMatch(/"TimeoutSeconds": ?262800,\s*"HeartbeatSeconds": ?1200/);
  });

  it('trap: makes no NAT gateway unless asked, and gives containers a public address', async () => {
    const { template } = await deploy('network', { 'main.dig': ECHO, 'trowel.yml': 'network: {vpc: own}\n' });
    template.resourceCountIs('AWS::EC2::VPC', 1);
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() });
    launches(template, { TROWEL_ASSIGN_PUBLIC_IP: 'ENABLED' });
  });

  it('runs in the VPC that projects share where none is named, with a group of its own', async () => {
    const { template } = await deploy('shared', { 'main.dig': ECHO });
    for (const what of ['VPC', 'Subnet', 'InternetGateway', 'VPCEndpoint'])
      template.resourceCountIs(`AWS::EC2::${what}`, 0);
    const told = (attribute: string) => ({ 'Fn::GetAtt': [Match.stringLikeRegexp('^ProjectNetwork'), attribute] });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      VpcId: told('VpcId'),
      SecurityGroupIngress: Match.absent(),
    });
    launches(template, {
      TROWEL_ASSIGN_PUBLIC_IP: 'ENABLED',
      TROWEL_SUBNETS: { 'Fn::Join': [',', { 'Fn::Split': [',', told('Subnets')] }] },
    });
  });

  it('stops a deploy that would delete the VPC which it would have itself, unless trowel.yml says shared', async () => {
    const { template: own } = await deploy('vpc-own', {
      'main.dig': ECHO,
      'trowel.yml': 'network: {vpc: default-new}\n',
    });
    const [OwnVpc] = Object.keys(own.findResources('AWS::EC2::VPC'));
    const { template } = await deploy('vpc-unsaid', { 'main.dig': ECHO });
    template.hasResourceProperties('Custom::TrowelNetwork', { OwnVpc });
    const { template: shared } = await deploy('vpc-shared', {
      'main.dig': ECHO,
      'trowel.yml': 'network: {vpc: shared}\n',
    });
    shared.hasResourceProperties('Custom::TrowelNetwork', { OwnVpc: Match.absent() });
  });

  it('lets the function that makes the shared VPC do what AWS’s schemas of its resources ask for, and that through CloudFormation', async () => {
    const { template } = await deploy('network-rights', { 'main.dig': ECHO });
    const types = Object.values(NETWORK_TEMPLATE.Resources).map(({ Type }) => Type);
    const needed = [...new Set(types.flatMap((type) => permissionsOf(type, ['create', 'read', 'delete'])))];
    const found = permissions(template, 'FunctionnetworkRole');
    const through = found.filter((each) => each.includes('aws:CalledVia=cloudformation.amazonaws.com'));
    // Of Fn::GetAZs.
    const zones = ['ec2:DescribeAvailabilityZones', 'ec2:DescribeAccountAttributes', 'ec2:DescribeSubnets'];
    const others = needed.filter((each) => !zones.includes(each));
    expect(through.flatMap((each) => each.replace(/ -> .*$/, '').split(' ')).sort()).toEqual(others.sort());
    const arn = (rest: string) => `arn:<Partition>:${rest}`;
    expect(through.map((each) => each.replace(/^.* -> (.*?) \[.*$/, '$1'))).toEqual(
      expect.arrayContaining([
        '*',
        arn('ec2:<Region>:<AccountId>:*/*'),
        arn('ssm:<Region>:<AccountId>:parameter/trowel/network'),
      ]),
    );
    expect(found.filter((each) => !through.includes(each))).toEqual(
      [
        'logs:CreateLogStream logs:PutLogEvents -> <ProjectFunctionLogs.Arn>',
        'xray:PutTraceSegments xray:PutTelemetryRecords -> *',
        'cloudformation:ListStackResources -> <StackId>',
        `${zones.join(' ')} -> *`,
        `cloudformation:CreateStack cloudformation:DescribeStacks cloudformation:DescribeStackEvents cloudformation:UpdateTerminationProtection -> ${arn('cloudformation:<Region>:<AccountId>:stack/TrowelNetwork/*')}`,
        `ssm:GetParameter -> ${arn('ssm:<Region>:<AccountId>:parameter/trowel/network')}`,
      ].sort(),
    );
  });

  it('says that the shared VPC has no private subnets and no endpoints', async () => {
    const refused = deploy('shared-private', {
      'main.dig': ECHO,
      'trowel.yml': 'network: {vpc: shared, subnets: private}\n',
    });
    await expect(refused).rejects.toThrow('The VPC that projects share has public subnets');
  });

  it.each([
    ['private with a NAT gateway', 'subnets: private', 1, 0],
    ['public with endpoints', 'endpoints: true', 0, 6],
    ['private with endpoints', 'subnets: private\n  endpoints: true', 0, 6],
  ])('network: %s', async (name, network, gateways, endpoints) => {
    const { template } = await deploy(`network-${name.replaceAll(' ', '-')}`, {
      'main.dig': ECHO,
      'trowel.yml': `image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/tasks:1\nnetwork:\n  ${network}\n`,
    });
    template.resourceCountIs('AWS::EC2::NatGateway', gateways);
    expect(
      Object.keys(template.findResources('AWS::EC2::VPCEndpoint', { Properties: { VpcEndpointType: 'Interface' } })),
    ).toHaveLength(endpoints);
    launches(template, { TROWEL_ASSIGN_PUBLIC_IP: network.includes('private') ? 'DISABLED' : 'ENABLED' });
    expect(permissions(template, 'ExecutionRole').join('\n')).toContain(
      'ecr:GetDownloadUrlForLayer -> arn:<Partition>:ecr:eu-west-1:123456789012:repository/tasks',
    );
  });

  it('network: endpoints in a VPC of a user’s own app, for the containers alone', async () => {
    const project = await load(
      folder('isolated', {
        'main.dig': ECHO,
        'trowel.yml':
          'image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/tasks:1\nnetwork: {subnets: private, endpoints: true}\n',
      }),
    );
    const stack = new Stack(new App(), 'own');
    const vpc = new Vpc(stack, 'Network', {
      maxAzs: 2,
      natGateways: 1,
      subnetConfiguration: [
        { name: 'out', subnetType: SubnetType.PUBLIC },
        { name: 'tasks', subnetType: SubnetType.PRIVATE_ISOLATED },
      ],
    });
    new TrowelProject(stack, 'Sales', { ...PLACES, project, vpc: vpc as IVpc });
    const template = Template.fromStack(stack);
    const tasks = vpc.isolatedSubnets.map(({ subnetId }) => stack.resolve(subnetId));
    const endpoints = Object.values(
      template.findResources('AWS::EC2::VPCEndpoint', { Properties: { VpcEndpointType: 'Interface' } }),
    );
    expect(endpoints).toHaveLength(6);
    for (const { Properties } of endpoints) expect(Properties.SubnetIds).toEqual(tasks);
    launches(template, { TROWEL_ASSIGN_PUBLIC_IP: 'DISABLED' });
    const group = { 'Fn::GetAtt': [Match.stringLikeRegexp('TaskSecurityGroup'), 'GroupId'] };
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 443, SourceSecurityGroupId: group });
    template.allResourcesProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() });
  });

  it('makes a task definition for each image and set of secrets, and names it in the state', async () => {
    const { template, definition } = await deploy('definitions', {
      'main.dig':
        '+a:\n  py>: tasks.a\n+b:\n  py>: tasks.b\n  _env: {A: "${secret:one}"}\n+c:\n  py>: tasks.c\n  _env: {B: "${secret:one}"}\n+d:\n  py>: tasks.d\n  docker: {image: "python:3.12"}\n',
      'trowel.yml': 'name: definitions\ntask: {cpu: 1024, memory: 2GB, architecture: arm64}\n',
    });
    template.resourceCountIs('AWS::ECS::TaskDefinition', 3);
    template.hasResource('AWS::ECS::TaskDefinition', {
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Family: 'definitions-default',
        Cpu: '1024',
        Memory: '2048',
        RuntimePlatform: { CpuArchitecture: 'ARM64' },
        ContainerDefinitions: [
          Match.objectLike({
            Name: 'task',
            Image: 'public.ecr.aws/docker/library/python:3.11-slim',
            EntryPoint: ['python3', '-c', { 'Fn::FindInMap': Match.arrayWith(['bootstrap', 'source']) }],
            Secrets: Match.absent(),
            StopTimeout: 120,
            LogConfiguration: {
              LogDriver: 'awslogs',
              Options: Match.objectLike({ mode: 'non-blocking', 'max-buffer-size': '26214400b' }),
            },
          }),
        ],
      },
    });
    template.hasMapping('*', { bootstrap: { source: 'print("bootstrap")\n' } });
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [Match.objectLike({ Secrets: [Match.objectLike({ Name: 'TROWEL_SECRET_one' })] })],
    });
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [Match.objectLike({ Image: 'python:3.12' })],
    });
    const { States } = JSON.parse(definition('main')) as {
      States: { [name: string]: { Arguments?: { Payload?: { d?: string } } } };
    };
    const key = (state: string) => States[state]?.Arguments?.Payload?.d;
    expect(key('+main+a')).toBeUndefined();
    expect(key('+main+b')).toMatch(/^[0-9a-f]{12}$/);
    expect(key('+main+c')).toBe(key('+main+b'));
    expect(key('+main+d')).not.toBe(key('+main+b'));
  });

  it('schedules through the session function, with a dead-letter queue', async () => {
    const { template } = await deploy('schedules', {
      'main.dig':
        'timezone: Asia/Tokyo\nschedule:\n  cron>: "0 7 1,L * *"\n  start: 2030-06-01\n  end: 2030-12-31\n+a:\n  echo>: a\n',
      'old.dig': 'schedule:\n  daily>: 07:00:00\n  end: 2029-01-01\n+a:\n  echo>: a\n',
    });
    template.resourceCountIs('AWS::Scheduler::Schedule', 3);
    for (const expression of ['cron(0 7 1 * ? *)', 'cron(0 7 L * ? *)']) {
      template.hasResourceProperties('AWS::Scheduler::Schedule', {
        ScheduleExpression: expression,
        ScheduleExpressionTimezone: 'Asia/Tokyo',
        StartDate: '2030-05-31T14:59:00.000Z',
        EndDate: '2030-12-31T14:59:59.000Z',
        State: 'ENABLED',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('Functionsession'), 'Arn'] },
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] } },
        }),
      });
    }
    // Scheduler's own queue has what could not be delivered; what the function throws it does not hear of.
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ POWERTOOLS_SERVICE_NAME: 'session' }) },
      DeadLetterConfig: { TargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] } },
    });
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      Description: 'old: daily>: 07:00:00',
      State: 'DISABLED',
      EndDate: Match.absent(),
    });
    const [schedule] = Object.values(template.findResources('AWS::Scheduler::Schedule'));
    expect(JSON.parse(flat(schedule?.Properties.Target.Input))).toMatchObject({
      v: 1,
      workflow: 'main',
      zone: 'Asia/Tokyo',
      scheduled: '<aws.scheduler.scheduled-time>',
      machine: 'arn:<Partition>:states:<Region>:<AccountId>:stateMachine:schedules-main',
    });
  });

  it('alarms on failed, timed-out and aborted executions and on what was not delivered', async () => {
    const { template } = await deploy('alarms', {
      'main.dig': ECHO,
      'trowel.yml': 'notifications: {email: [a@example.com]}\n',
    });
    for (const metric of ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted']) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        // Which looks what nobody has told yet, so that a failure is one message.
        AlarmActions: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('Functionnotify'), 'Arn'] }],
        Metrics: Match.arrayWith([
          Match.objectLike({ MetricStat: Match.objectLike({ Metric: Match.objectLike({ MetricName: metric }) }) }),
        ]),
      });
    }
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'alarms-Undelivered',
      AlarmActions: [{ Ref: Match.stringLikeRegexp('Topic') }],
    });
    template.resourceCountIs('AWS::CloudWatch::Alarm', 4);
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
    template.hasResourceProperties('AWS::SNS::Subscription', { Endpoint: 'a@example.com', Protocol: 'email' });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });

  it('gives session the parameters of trowel.yml under those of the input', async () => {
    const { definition } = await deploy('params', {
      'main.dig': ECHO,
      'trowel.yml': 'params: config/params.yml\n',
      'config/params.yml': 'region: eu\n',
    });
    expect(JSON.parse(definition('main')).States.Start.Arguments.Payload).toMatchObject({
      input: '{% $states.input %}',
      defaults: { region: 'eu' },
    });
  });

  it('takes network, cluster, image, key and boundary of a user’s own app, and grants', async () => {
    const project = await load(folder('own', { 'main.dig': '+a:\n  aws>: athena:startQueryExecution\n' }));
    const app = new App();
    const stack = new Stack(app, 'own');
    const vpc = new Vpc(stack, 'Network', { natGateways: 1, maxAzs: 2 }) as IVpc;
    const cluster = new Cluster(stack, 'Cluster', { vpc });
    const bucket = new Bucket(stack, 'Data');
    const trowel = new TrowelProject(stack, 'Sales', {
      ...PLACES,
      project,
      vpc,
      subnets: { subnets: vpc.privateSubnets },
      cluster: cluster as ICluster,
      image: ContainerImage.fromRegistry('example.com/tasks:1'),
      encryptionKey: new Key(stack, 'Key'),
      permissionsBoundary: ManagedPolicy.fromManagedPolicyName(stack, 'Boundary', 'boundary'),
      tags: { team: 'sales' },
    });
    trowel.grantTaskRead(bucket as IBucket);
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::EC2::VPC', 1);
    template.resourceCountIs('AWS::ECS::Cluster', 1);
    launches(template, { TROWEL_ASSIGN_PUBLIC_IP: 'DISABLED' });
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [Match.objectLike({ Image: 'example.com/tasks:1' })],
      Tags: Match.arrayWith([{ Key: 'team', Value: 'sales' }]),
    });
    template.allResourcesProperties('AWS::IAM::Role', { PermissionsBoundary: Match.anyValue() });
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          Match.objectLike({ ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }) }),
        ],
      },
    });
    const key = { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] };
    template.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: key });
    template.allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: key });
    template.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: key });
    expect(permissions(template, 'TaskRole').join('\n')).toMatch(/s3:GetObject\* .*<Data.Arn>/);
    // What writes to the bucket, or sends to the encrypted queue, may use the key; so may the services that send for it.
    for (const role of ['TaskRole', 'Functiontaskstopped', 'Functionnotify'])
      expect(permissions(template, role).join('\n')).toContain('kms:Decrypt kms:GenerateDataKey -> <Key.Arn>');
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
            Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
          }),
          Match.objectLike({ Action: Match.arrayWith(['kms:Encrypt*']) }),
        ]),
      }),
    });
  });

  it('trap: an inactive revision cannot start tasks: replaced ones are retained', async () => {
    const { template } = await deploy('revisions', {
      'main.dig': '+a:\n  py>: tasks.a\n+b:\n  py>: tasks.b\n  docker: {image: "python:3.12"}\n',
    });
    const definitions = Object.values(template.findResources('AWS::ECS::TaskDefinition'));
    expect(definitions.map(({ UpdateReplacePolicy }) => UpdateReplacePolicy)).toEqual(['Retain', 'Retain']);
  });

  it('grants what tasks, workflows and people need, to the roles that need it', async () => {
    const project = await load(folder('grants', { 'main.dig': '+a:\n  aws>: s3:getObject\n', 'other.dig': ECHO }));
    const stack = new Stack(new App(), 'grants');
    const data = Bucket.fromBucketName(stack, 'Data', 'data');
    const trowel = new TrowelProject(stack, 'Sales', { ...PLACES, project });
    trowel.grantTaskReadWrite(data, 'out/*');
    const statement = new PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::mine/x'] });
    trowel.grantWorkflow('main', statement);
    trowel.grantTask(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: ['arn:aws:sqs:eu-west-1:1:q'] }));
    trowel
      .machine('main')
      .taskRole.addToPolicy(
        new PolicyStatement({ actions: ['sns:Publish'], resources: ['arn:aws:sns:eu-west-1:1:t'] }),
      );
    trowel.taskRole.addManagedPolicy(ManagedPolicy.fromManagedPolicyName(stack, 'Mine', 'mine'));
    // A key's policy names who is granted.
    new Key(stack, 'Key').addToResourcePolicy(
      new PolicyStatement({ actions: ['kms:Decrypt'], resources: ['*'], principals: [trowel.taskRole] }),
    );
    const operator = new Role(stack, 'Operator', { assumedBy: new AccountRootPrincipal() });
    trowel.grantStart(operator, 'main');
    expect(() => trowel.machine('mian')).toThrow("There is no workflow 'mian' in this project");
    const template = Template.fromStack(stack);
    expect(permissions(template, 'SalesTaskRole').join('\n')).toMatch(
      /s3:DeleteObject\* s3:PutObject .* -> arn:<Partition>:s3:::data arn:<Partition>:s3:::data\/out\/\*/,
    );
    expect(permissions(template, 'SalesTaskRole')).toContain('sqs:SendMessage -> arn:aws:sqs:eu-west-1:1:q');
    // To all workflows at once, by one policy; or to one.
    const granted = Object.values(template.findResources('AWS::IAM::Policy')).map(({ Properties }) =>
      Properties.Roles.map(({ Ref }: { Ref: string }) => Ref.replace(/[0-9A-F]{8}$/, '')),
    );
    expect(granted).toContainEqual(['SalesTaskRoleOfmain', 'SalesTaskRoleOfother']);
    const [ofMain, ofOther] = ['main', 'other'].map((name) => permissions(template, `SalesTaskRoleOf${name}`));
    for (const [lines, expected] of [
      [ofMain, true],
      [ofOther, false],
    ] as const)
      expect(lines?.includes('sns:Publish -> arn:aws:sns:eu-west-1:1:t')).toBe(expected);
    const managed = Object.entries(template.findResources('AWS::IAM::Role'))
      .filter(([, { Properties }]) => JSON.stringify(Properties.ManagedPolicyArns ?? []).includes('policy/mine'))
      .map(([id]) => id.replace(/[0-9A-F]{8}$/, ''));
    expect(managed).toEqual(['SalesTaskRoleOfmain', 'SalesTaskRoleOfother']);
    expect(permissions(template, 'SalesTaskRoleNone')).toEqual([]);
    const trusted = template.findResources('AWS::KMS::Key');
    expect(JSON.stringify(trusted)).toMatch(/SalesTaskRoleOfmain[\s\S]*SalesTaskRoleOfother/);
    const [role, other] = ['grants-main', 'grants-other'].map((name) =>
      permissions(template, machineRole(template, name)),
    );
    expect(role).toContain('s3:GetObject -> arn:aws:s3:::mine/x');
    expect(other).not.toContain('s3:GetObject -> arn:aws:s3:::mine/x');
    const states = (rest: string) => `arn:<Partition>:states:<Region>:<AccountId>:${rest}`;
    expect(permissions(template, 'Operator')).toEqual([
      `states:DescribeExecution states:GetExecutionHistory states:StopExecution -> ${states('execution:grants-main:*')}`,
      `states:StartExecution states:ListExecutions -> ${states('stateMachine:grants-main')}`,
    ]);
  });

  it('takes tracing, log levels, insights, security groups and architecture as properties; tags go over those of trowel.yml', async () => {
    const project = await loadTrowelProject(
      folder('props', {
        'main.dig': ECHO,
        'trowel.yml': 'tags: {team: ops, cost: "7"}\nretention: {logs: 10}\nvalues: {pickle: true}\n',
      }),
      { env: ENV, notice: () => {}, architecture: 'arm64' },
    );
    const stack = new Stack(new App(), 'props');
    const vpc = new Vpc(stack, 'Network', { maxAzs: 2, natGateways: 0 });
    const group = new SecurityGroup(stack, 'Group', { vpc: vpc as IVpc });
    new TrowelProject(stack, 'Sales', {
      ...PLACES,
      project,
      vpc: vpc as IVpc,
      securityGroups: [group as ISecurityGroup],
      tracing: false,
      logLevel: 'OFF',
      functionLogLevel: 'DEBUG',
      containerInsights: true,
      tags: { team: 'sales' },
    });
    const template = Template.fromStack(stack);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/xray:|CreateLogDelivery/);
    template.allResourcesProperties('AWS::StepFunctions::StateMachine', {
      TracingConfiguration: { Enabled: false },
      LoggingConfiguration: { Level: 'OFF', IncludeExecutionData: false },
      Tags: Match.arrayWith([
        { Key: 'cost', Value: '7' },
        { Key: 'team', Value: 'sales' },
      ]),
    });
    const functions = Object.values(template.findResources('AWS::Lambda::Function')).map(
      ({ Properties }) => Properties,
    );
    const own = functions.filter(({ Environment }) => Environment?.Variables.TROWEL_PROJECT === 'props');
    expect(own).toHaveLength(7);
    for (const { Architectures, TracingConfig, Environment } of own) {
      expect([Architectures, TracingConfig]).toEqual([['arm64'], undefined]);
      expect(Environment.Variables.POWERTOOLS_LOG_LEVEL).toBe('DEBUG');
    }
    template.hasResourceProperties('AWS::ECS::TaskDefinition', { RuntimePlatform: { CpuArchitecture: 'ARM64' } });
    template.hasResourceProperties('AWS::ECS::Cluster', {
      ClusterSettings: [{ Name: 'containerInsights', Value: 'enabled' }],
    });
    expect(Object.keys(template.findResources('AWS::EC2::SecurityGroup'))).toEqual([expect.stringMatching(/^Group/)]);
    launches(template, { TROWEL_SECURITY_GROUPS: stack.resolve(group.securityGroupId), TROWEL_PICKLE: 'true' });
    // CloudWatch knows certain numbers of days: the next longer.
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 14 });
  });

  it('empties and deletes the bucket with the stack when asked', async () => {
    const { template } = await deploy('destroy', { 'main.dig': ECHO }, { removalPolicy: RemovalPolicy.DESTROY });
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
    template.resourceCountIs('Custom::S3AutoDeleteObjects', 1);
    template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete' });
  });

  it('trap: a changed task definition makes a new version of launch, so that an execution keeps its own', async () => {
    const version = async (name: string, yml: string) => {
      const { template } = await deploy(name, { 'main.dig': '+a:\n  py>: tasks.a\n', 'trowel.yml': yml });
      return Object.keys(template.findResources('AWS::Lambda::Version')).find((id) => id.includes('Functionlaunch'));
    };
    const before = await version('version1', 'name: version\ntask: {cpu: 512}\n');
    expect(await version('version2', 'name: version\ntask: {cpu: 1024, memory: 2GB}\n')).not.toBe(before);
  });

  it('a hundred scheduled workflows stay below 500 resources', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [
        `w${i}.dig`,
        `schedule:\n  daily>: 07:00:00\n+p:\n  py>: tasks.a\n  _env: {A: "\${secret:key${i % 5}}"}\n+h:\n  http>: https://example.com\n`,
      ]),
    );
    const { template } = await deploy('hundred', files);
    // One more is the CDK's own.
    expect(Object.keys(template.toJSON().Resources).length + 1).toBeLessThan(500);
    // Each workflow has a role of its machine and one of its tasks.
    const machines = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
    const roles = machines.flatMap(({ Properties }) => [
      Properties.RoleArn['Fn::GetAtt'][0],
      Properties.DefinitionSubstitutions.task_role['Fn::GetAtt'][0],
    ]);
    expect(new Set(roles).size).toBe(200);
    // Too many to be named one by one: by their path, in this region.
    expect(permissions(template, 'Functionlaunch').filter((line) => line.startsWith('iam:PassRole'))).toEqual([
      'iam:PassRole -> arn:<Partition>:iam::<AccountId>:role/trowel/<Region>/hundred/* <ProjectExecutionRole.Arn> [StringEquals iam:PassedToService=ecs-tasks.amazonaws.com]',
    ]);
  });

  it.each([
    ['that asks for Spot', { 'main.dig': '+a: {py>: tasks.a, resources: {spot: true}}\n' }, 1],
    ['that may ask for Spot', { 'main.dig': '+a: {py>: tasks.a, resources: {spot: "${s}"}}\n' }, 1],
    ['whose _export may', { 'main.dig': '_export: {resources: {spot: "${s}"}}\n+a: {py>: tasks.a}\n' }, 1],
    ['with Spot in trowel.yml', { 'main.dig': ECHO, 'trowel.yml': 'name: shop\ntask: {spot: true}\n' }, 1],
    ['that does not ask for Spot', { 'main.dig': '+a: {py>: tasks.a, resources: {spot: false}}\n' }, 0],
  ])('a cluster has capacity providers only for a project %s', async (_, files, expected) => {
    const name = `spot-${createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 8)}`;
    const { template } = await deploy(name, files);
    template.resourceCountIs('AWS::ECS::ClusterCapacityProviderAssociations', expected);
  });

  it('trap: a hundred workflows with long names, each with a schedule, a secret and an object of its own, keep to the limits of AWS', async () => {
    const name = (i: number) => `a-workflow-with-a-rather-long-name-of-sales-${i}`;
    const files = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [
        `${name(i)}.dig`,
        `schedule:\n  daily>: 07:00:00\n+p:\n  py>: tasks.a\n  _env: {A: "\${secret:key${i}}"}\n+w:\n  s3_wait>: in/${i}.csv\n`,
      ]),
    );
    const { template } = await deploy('a-hundred-workflows', files);
    const text = JSON.stringify(template.toJSON());
    // One more is the CDK's own.
    expect(Object.keys(template.toJSON().Resources).length + 1).toBeLessThan(500);
    expect(Object.keys(template.toJSON().Outputs).length).toBeLessThan(200);
    // So machines that call the same share a role; tasks never do.
    const roles = Object.values(template.findResources('AWS::StepFunctions::StateMachine')).map(({ Properties }) => [
      Properties.RoleArn['Fn::GetAtt'][0],
      Properties.DefinitionSubstitutions.task_role['Fn::GetAtt'][0],
    ]);
    expect([0, 1].map((i) => new Set(roles.map((pair) => pair[i])).size)).toEqual([1, 100]);
    // With the real bootstrap, and what the command line adds.
    const { size } = statSync(
      join(import.meta.dirname, '..', '..', '..', 'task-images/python/src/trowel_task/aws/bootstrap.py'),
    );
    expect(text.length + 1.1 * size).toBeLessThan(1_000_000);
    // Policies of a role without their spaces, and the variables of a function, with all references as long as they get.
    for (const [id, { Properties }] of Object.entries(template.findResources('AWS::IAM::Role'))) {
      const documents = (Properties.Policies ?? []).map((each: { PolicyDocument: object }) => each.PolicyDocument);
      const attached = Object.values(template.findResources('AWS::IAM::Policy'))
        .filter((policy) => policy.Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === id))
        .map((policy) => policy.Properties.PolicyDocument);
      expect(written([...documents, ...attached]).length, id).toBeLessThan(10_240);
    }
    for (const [id, { Properties }] of Object.entries(template.findResources('AWS::Lambda::Function'))) {
      const variables = Properties.Environment?.Variables ?? {};
      const length = Object.entries(variables).reduce((sum, [key, value]) => sum + key.length + plain(value).length, 0);
      expect(length, id).toBeLessThan(4_096);
    }
  });

  it('a workflow that requires very many others may start those of the project', async () => {
    const name = (i: number) => `a-workflow-with-a-rather-long-name-of-sales-${i}`;
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${name(i)}.dig`, ECHO]));
    const requires = Object.keys(files).map((_, i) => `+r${i}:\n  require>: ${name(i)}\n`);
    const { template } = await deploy('requires', { ...files, 'main.dig': requires.join('') });
    const role = machineRole(template, 'requires-main');
    const states = (rest: string) => `arn:<Partition>:states:<Region>:<AccountId>:${rest}`;
    const lines = permissions(template, role).filter((line) => line.startsWith('states:'));
    expect(lines).toEqual([
      `states:DescribeExecution states:StopExecution -> ${states('execution:requires-*:*')}`,
      `states:StartExecution -> ${states('stateMachine:requires-*')}`,
    ]);
    const { Policies } = template.findResources('AWS::IAM::Role')[role]?.Properties ?? {};
    expect(written(Policies.map((each: { PolicyDocument: object }) => each.PolicyDocument)).length).toBeLessThan(
      10_240,
    );
  });

  it('more task definitions than a function may know are an error, with a way out', async () => {
    const tasks = Array.from({ length: 121 }, (_, i) => `+t${i}:\n  py>: tasks.a\n  _env: {A: "\${secret:key${i}}"}\n`);
    const loading = load(folder('many-definitions', { 'main.dig': tasks.join('') }));
    await expect(loading).rejects.toThrow(/needs 122 task definitions.* may have 120[\s\S]*split the project/);
  });

  it('passes AwsSolutions of cdk-nag', async () => {
    const project = await load(
      folder('nag', {
        'main.dig':
          'schedule:\n  daily>: 07:00:00\n+w:\n  s3_wait>: in/${session_date}.csv\n+h:\n  http>: https://example.com\n+r:\n  require>: other\n+l:\n  lambda>: fn\n+p:\n  sh>: echo\n  _env: {A: "${secret:a}"}\n',
        'other.dig': ECHO,
        'calls.dig': CALLS,
      }),
    );
    const outdir = join(ROOT, 'nag.out');
    const app = new App({ outdir });
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
    expect(message).toContain('AwsSolutions-S1');
    const places = [...message.matchAll(/^ {3}(\S+) aws-cdk-lib\./gm)].map(([, place]) => place);
    expect([...new Set(places)]).toEqual(['control/Bucket/Resource']);
  });
});

describe('a project that cannot be deployed', () => {
  it.each<[string, { readonly [path: string]: string }, string, RegExp]>([
    [
      'every fault at once',
      { 'main.dig': '+a:\n  shell>: x\n', 'b.dig': '+a:\n  ech>: x\n' },
      'unknown-operator',
      /b\.dig:2.*main\.dig:2/s,
    ],
    [
      'a schedule beyond Scheduler',
      { 'main.dig': `schedule:\n  seconds_interval>: 30\n${ECHO}` },
      'bad-schedule',
      /every 30 seconds/,
    ],
    [
      'an image by expression',
      { 'main.dig': '+a:\n  py>: tasks.a\n  docker: {image: "${x}"}\n' },
      'bad-option',
      /\$\{x\}/,
    ],
    [
      'http_call>',
      { 'main.dig': '+a:\n  http_call>: https://example.com\n' },
      'deployed-only-here',
      /cannot be deployed/,
    ],
    ['no workflow', { 'trowel.yml': 'name: x\n' }, 'file-not-found', /no workflow/],
    [
      'no way to the image',
      { 'main.dig': ECHO, 'trowel.yml': 'network: {subnets: private, endpoints: true}\n' },
      'project-file',
      /public registry/,
    ],
  ])('%s', async (name, files, code, text) => {
    const error = await load(folder(`fault-${name.replaceAll(/\W/g, '-')}`, files)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProjectError);
    expect((error as ProjectError).diagnostics.map((each) => each.code)).toContain(code);
    expect((error as ProjectError).message).toMatch(text);
  });
});

/** Logical id of the role of a state machine. */
function machineRole(template: Template, name: string): string {
  const [machine] = Object.values(
    template.findResources('AWS::StepFunctions::StateMachine', { Properties: { StateMachineName: name } }),
  );
  return machine?.Properties.RoleArn['Fn::GetAtt'][0];
}

/** What a reference becomes at its longest: an ARN in a region with a long name, or a physical name of 64 characters. */
const LONGEST: { readonly [name: string]: string } = {
  'AWS::Partition': 'aws-us-gov',
  'AWS::Region': 'ap-southeast-1',
  'AWS::AccountId': '123456789012',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** A value of a template as text. */
function plain(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  const [[name, inner] = ['', '']] = Object.entries(value);
  if (name === 'Ref') return LONGEST[String(inner)] ?? `subnet-0123456789abcdef0,${'x'.repeat(38)}`;
  if (name === 'Fn::GetAtt') return 'x'.repeat(inner[1] === 'Arn' ? 140 : 20);
  if (name === 'Fn::Select') return '1234';
  if (name === 'Fn::Split') return plain(inner[1]);
  // What is only known as a list when it is deployed is joined again.
  if (name === 'Fn::Join') return [inner[1]].flat().map(plain).join(inner[0]);
  if (name === 'Fn::Sub')
    return String(inner).replaceAll(/\$\{([^}]+)\}/g, (_, each: string) => LONGEST[each] ?? 'x'.repeat(64));
  throw new Error(`Expected a reference, got ${JSON.stringify(value)}`);
}

/** A document with its references, as IAM counts it. */
function written(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    const [first = ''] = each !== null && typeof each === 'object' && !Array.isArray(each) ? Object.keys(each) : [];
    return first === 'Ref' || first.startsWith('Fn::') ? plain(each) : each;
  });
}

function launches(template: Template, variables: { readonly [name: string]: unknown }): void {
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: Match.objectLike({ TROWEL_TASK_DEFINITIONS: Match.anyValue(), ...variables }) },
  });
}

/** ARNs of all families of task definitions, in the template's order. */
function families(template: Template): string {
  return Object.values(template.findResources('AWS::ECS::TaskDefinition'))
    .map(({ Properties }) => `arn:<Partition>:ecs:<Region>:<AccountId>:task-definition/${Properties.Family}:*`)
    .join(' ');
}
