/**
 * The VPC that projects share: a resource of the project's stack whose function finds it, or makes it where it is the first to need it
 * (lib/functions/network). So `cdk deploy` stays one command, nothing is looked up at synth, and `cdk destroy` leaves it.
 */
import type { ArnComponents } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { NETWORK_PARAMETER, NETWORK_STACK } from '../functions/network/template.ts';
import { cdk, constructs, ec2, iam } from './cdk.ts';
import { functionsFolder, makeFunction } from './functions.ts';
import { allow } from './statements.ts';

export interface SharedNetworkProps {
  /** Whether a deploy is to stop where the project's stack has a VPC of its own, which it would delete. */
  readonly keepOwn: boolean;
  readonly project: string;
  readonly functions?: string | undefined;
  readonly functionLogLevel?: string | undefined;
  readonly logGroup: ILogGroup;
  readonly tracing: boolean;
  readonly architecture: 'x86_64' | 'arm64';
}

export interface SharedNetwork {
  readonly vpc: IVpc;
  /** A token: how many there are is known when it is deployed. */
  readonly subnetIds: readonly string[];
}

/** Subnets of the network as it is made; one that somebody has named in the parameter may have others. */
const SUBNETS = 2;
/** Seconds: what the function may take, and a minute. Without it a stack whose function died would wait an hour. */
const PATIENCE = 960;

export function sharedNetwork(scope: Construct, props: SharedNetworkProps): SharedNetwork {
  const made = makeFunction(scope, {
    name: 'network',
    environment: { POWERTOOLS_LOG_LEVEL: props.functionLogLevel ?? 'INFO', TROWEL_PROJECT: props.project },
    statements: statements(scope, props.keepOwn),
    folder: props.functions ?? functionsFolder(),
    logGroup: props.logGroup,
    tracing: props.tracing,
    architecture: props.architecture,
  });
  const found = new cdk.CustomResource(scope, 'Network', {
    resourceType: 'Custom::TrowelNetwork',
    serviceToken: made.functionArn,
    serviceTimeout: cdk.Duration.seconds(PATIENCE),
    properties: props.keepOwn ? { OwnVpc: ownVpc(scope) } : {},
  });
  const subnetIds = cdk.Fn.split(',', found.getAttString('Subnets'));
  const vpc = ec2.Vpc.fromVpcAttributes(scope, 'Vpc', {
    vpcId: found.getAttString('VpcId'),
    availabilityZones: range(SUBNETS).map((i) => cdk.Fn.select(i, cdk.Fn.getAzs())),
    publicSubnetIds: range(SUBNETS).map((i) => cdk.Fn.select(i, subnetIds)),
  });
  // Whoever wants to change its routes has a VPC to give.
  cdk.Annotations.of(vpc).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');
  return { vpc, subnetIds };
}

function range(count: number): readonly number[] {
  return [...Array(count).keys()];
}

/** Logical id of the VPC that network.ts would make for this project: that of one at the same place in another tree. */
function ownVpc(scope: Construct): string {
  let place: Construct = new cdk.Stack(new cdk.App({ autoSynth: false }), 'Elsewhere');
  const below = scope.node.scopes.slice(cdk.Stack.of(scope).node.scopes.length);
  for (const id of [...below.map(({ node }) => node.id), 'Vpc']) place = new constructs.Construct(place, id);
  const vpc = new cdk.CfnResource(place, 'Resource', { type: 'AWS::EC2::VPC' });
  return String(cdk.Stack.of(vpc).resolve(vpc.logicalId));
}

/** Of the resources in lib/functions/network/template.ts: what making, reading and taking them back asks for, by AWS's schemas of them. */
export const READS = [
  ...['InternetGateways', 'NetworkAcls', 'NetworkInterfaces', 'RouteTables', 'SecurityGroups'],
  ...['VpcAttribute', 'VpcEncryptionControls', 'VpcEndpoints', 'Vpcs', 'VpnGateways'],
].map((what) => `ec2:Describe${what}`);
/** Of Fn::GetAZs, which is no operation on a resource: whether CloudFormation is named as the caller there is documented nowhere. */
export const ZONES = ['AvailabilityZones', 'AccountAttributes', 'Subnets'].map((what) => `ec2:Describe${what}`);
const WRITES = [
  ...['CreateVpc', 'CreateSubnet', 'CreateInternetGateway', 'CreateRouteTable', 'CreateRoute', 'CreateVpcEndpoint'],
  ...['DeleteVpc', 'DeleteSubnet', 'DeleteInternetGateway', 'DeleteRouteTable', 'DeleteRoute', 'DeleteVpcEndpoints'],
  ...['ModifyVpcAttribute', 'ModifySubnetAttribute', 'AttachInternetGateway', 'DetachInternetGateway'],
  ...['AssociateRouteTable', 'ReplaceRouteTableAssociation', 'DisassociateRouteTable', 'CreateTags', 'DeleteTags'],
].map((what) => `ec2:${what}`);

/**
 * The function itself may read the parameter and make the one stack. All else it may through CloudFormation only, which acts in its name
 * while it makes that stack: a role for CloudFormation would be gone with the project, and the stack could not be deleted any more.
 */
function statements(scope: Construct, keepOwn: boolean): PolicyStatement[] {
  const own = cdk.Stack.of(scope);
  const arn = (components: ArnComponents) => own.formatArn(components);
  const stack = arn({ service: 'cloudformation', resource: 'stack', resourceName: `${NETWORK_STACK}/*` });
  const parameter = arn({ service: 'ssm', resource: 'parameter', resourceName: NETWORK_PARAMETER.slice(1) });
  const through = (actions: readonly string[], resource: string) =>
    new iam.PolicyStatement({
      actions: [...actions],
      resources: [resource],
      conditions: { 'ForAnyValue:StringEquals': { 'aws:CalledVia': 'cloudformation.amazonaws.com' } },
    });
  return [
    allow(['ssm:GetParameter'], [parameter]),
    allow(
      ['CreateStack', 'DescribeStacks', 'DescribeStackEvents', 'UpdateTerminationProtection'].map(
        (action) => `cloudformation:${action}`,
      ),
      [stack],
    ),
    ...(keepOwn ? [allow(['cloudformation:ListStackResources'], [own.stackId])] : []),
    allow([...ZONES], ['*']),
    through(READS, '*'),
    through(WRITES, arn({ service: 'ec2', resource: '*', resourceName: '*' })),
    through(
      ['PutParameter', 'GetParameters', 'DeleteParameter', 'AddTagsToResource', 'ListTagsForResource'].map(
        (action) => `ssm:${action}`,
      ),
      parameter,
    ),
  ];
}
