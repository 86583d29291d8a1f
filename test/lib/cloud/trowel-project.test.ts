import { createRequire } from 'node:module';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { type ISecurityGroup, type IVpc, SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Cluster, ContainerImage, type ICluster } from 'aws-cdk-lib/aws-ecs';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { loadTrowelProject } from '../../../lib/cloud/load-project.ts';
import { TrowelProject } from '../../../lib/cloud/trowel-project.ts';
import { TrowelStack } from '../../../lib/cloud/trowel-stack.ts';
import {
  CALLS,
  deploy,
  ECHO,
  ENV,
  flat,
  folder,
  launches,
  load,
  PLACES,
  permissions,
  ROOT,
  setUp,
} from './deploy-template.ts';

setUp();

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
