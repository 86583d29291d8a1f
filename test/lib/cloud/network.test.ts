import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { describe, expect, it } from 'vitest';
import { TrowelProject } from '../../../lib/cloud/trowel-project.ts';
import { NETWORK_TEMPLATE } from '../../../lib/functions/network/template.ts';
import { permissionsOf } from '../../cloud/aws/resource-schemas.ts';
import { deploy, ECHO, folder, launches, load, PLACES, permissions, setUp } from './deploy-template.ts';

setUp();

describe('the network', () => {
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
});
