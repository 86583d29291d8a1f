/**
 * The network that all projects of an account and region share, as a stack of its own: public subnets in two zones (every region has two)
 * without a NAT gateway, and a way to S3 that costs nothing. While nothing runs, it costs nothing.
 */

/** Projects' stacks are called `trowel-…`: none can have this name. */
export const NETWORK_STACK = 'TrowelNetwork';

/** The parameter by which the network is found. It is made last, so that everything it names exists. */
export const NETWORK_PARAMETER = '/trowel/network';

const tags = (name: string) => [{ Key: 'Name', Value: name }];
const ref = (id: string) => ({ Ref: id });

/** 16,379 containers at a time in each, and half of the VPC is left. */
const subnet = (zone: number, CidrBlock: string) => ({
  Type: 'AWS::EC2::Subnet',
  Properties: {
    VpcId: ref('Vpc'),
    CidrBlock,
    AvailabilityZone: { 'Fn::Select': [zone, { 'Fn::GetAZs': '' }] },
    Tags: tags(`trowel public ${zone + 1}`),
  },
});

const routed = (SubnetId: string) => ({
  Type: 'AWS::EC2::SubnetRouteTableAssociation',
  Properties: { SubnetId: ref(SubnetId), RouteTableId: ref('Routes') },
});

export const NETWORK_TEMPLATE = {
  AWSTemplateFormatVersion: '2010-09-09',
  Description:
    'The VPC that all Trowel projects of this account and region share. It is kept when a project is destroyed.',
  Resources: {
    Vpc: {
      Type: 'AWS::EC2::VPC',
      Properties: {
        CidrBlock: '10.0.0.0/16',
        EnableDnsHostnames: true,
        EnableDnsSupport: true,
        Tags: tags('trowel'),
      },
    },
    Gateway: { Type: 'AWS::EC2::InternetGateway', Properties: { Tags: tags('trowel') } },
    Attachment: {
      Type: 'AWS::EC2::VPCGatewayAttachment',
      Properties: { VpcId: ref('Vpc'), InternetGatewayId: ref('Gateway') },
    },
    Routes: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: ref('Vpc'), Tags: tags('trowel public') } },
    ToInternet: {
      Type: 'AWS::EC2::Route',
      DependsOn: ['Attachment'],
      Properties: { RouteTableId: ref('Routes'), DestinationCidrBlock: '0.0.0.0/0', GatewayId: ref('Gateway') },
    },
    SubnetA: subnet(0, '10.0.0.0/18'),
    SubnetB: subnet(1, '10.0.64.0/18'),
    RoutesOfA: routed('SubnetA'),
    RoutesOfB: routed('SubnetB'),
    // The bundle and all values go through it.
    ToS3: {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcId: ref('Vpc'),
        VpcEndpointType: 'Gateway',
        ServiceName: { 'Fn::Sub': 'com.amazonaws.${AWS::Region}.s3' },
        RouteTableIds: [ref('Routes')],
      },
    },
    Parameter: {
      Type: 'AWS::SSM::Parameter',
      DependsOn: ['ToInternet', 'RoutesOfA', 'RoutesOfB', 'ToS3'],
      Properties: {
        Name: NETWORK_PARAMETER,
        Type: 'String',
        Description: 'Where the containers of Trowel projects run that name no VPC',
        Value: { 'Fn::Sub': '{"vpc":"${Vpc}","subnets":["${SubnetA}","${SubnetB}"]}' },
      },
    },
  },
} as const;
