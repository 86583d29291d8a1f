/** Where containers run. Nothing reaches them from outside; they reach AWS and, unless in isolated subnets, the internet. */
import type {
  InterfaceVpcEndpointAwsService,
  ISecurityGroup,
  IVpc,
  SubnetSelection,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { networkKind, type ProjectConfig } from '../language/config/project-config.ts';
import { ec2 } from './cdk.ts';
import { type SharedNetworkProps, sharedNetwork } from './shared-network.ts';

export interface NetworkOptions {
  /** Your own VPC. Default: what `network:` of trowel.yml says. */
  readonly vpc?: IVpc;
  /** In that VPC. Default: public subnets; for `subnets: private` those with egress, with `endpoints: true` isolated ones if there are any. */
  readonly subnets?: SubnetSelection;
  /** Default: one that admits nothing and lets everything out. */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** For the function that finds the shared one. */
  readonly network: Omit<SharedNetworkProps, 'keepOwn'>;
}

export interface Network {
  readonly vpc: IVpc;
  /** For the shared VPC, a list that is known only when it is deployed. */
  readonly subnetIds: readonly string[];
  readonly securityGroups: readonly ISecurityGroup[];
  readonly assignPublicIp: 'ENABLED' | 'DISABLED';
}

/** Without a NAT gateway, a container reaches these services only by interface endpoints. */
const SERVICES = ['ECR', 'ECR_DOCKER', 'CLOUDWATCH_LOGS', 'SECRETS_MANAGER', 'STEP_FUNCTIONS', 'LAMBDA'] as const;

/** A NAT gateway costs some 32 USD a month at rest, an interface endpoint some 7 a zone: both only when asked for. */
export function makeNetwork(scope: Construct, config: ProjectConfig['network'], options: NetworkOptions): Network {
  if (options.vpc === undefined && options.subnets === undefined && networkKind(config) === 'shared')
    return inShared(scope, config, options);
  const vpc: IVpc = options.vpc ?? lookedUp(scope, config) ?? ownVpc(scope, config);
  const subnets = options.subnets ?? { subnetType: subnetType(vpc, config) };
  const selected = vpc.selectSubnets(subnets);
  const securityGroups = options.securityGroups ?? [closedGroup(scope, vpc)];
  if (config.endpoints) makeEndpoints(scope, vpc, subnets, securityGroups);
  return {
    vpc,
    subnetIds: selected.subnetIds,
    securityGroups,
    assignPublicIp: selected.hasPublic ? 'ENABLED' : 'DISABLED',
  };
}

function inShared(scope: Construct, config: ProjectConfig['network'], options: NetworkOptions): Network {
  const keepOwn = config.vpc === undefined;
  const { vpc, subnetIds } = sharedNetwork(scope, { ...options.network, keepOwn });
  const securityGroups = options.securityGroups ?? [closedGroup(scope, vpc)];
  return { vpc, subnetIds, securityGroups, assignPublicIp: 'ENABLED' };
}

function closedGroup(scope: Construct, vpc: IVpc): ISecurityGroup {
  return new ec2.SecurityGroup(scope, 'TaskSecurityGroup', {
    vpc,
    description: 'Containers of Trowel tasks: nothing in, everything out',
    allowAllOutbound: true,
  });
}

function subnetType(vpc: IVpc, { subnets, endpoints }: ProjectConfig['network']): SubnetType {
  if (subnets === 'public') return ec2.SubnetType.PUBLIC;
  const isolated = endpoints && (vpc.privateSubnets.length === 0 || vpc.isolatedSubnets.length > 0);
  return isolated ? ec2.SubnetType.PRIVATE_ISOLATED : ec2.SubnetType.PRIVATE_WITH_EGRESS;
}

/** In a user's VPC too. Such a VPC must have its own endpoint for S3 already, because a route table takes only one. */
function makeEndpoints(
  scope: Construct,
  vpc: IVpc,
  subnets: SubnetSelection,
  securityGroups: readonly ISecurityGroup[],
): void {
  for (const name of SERVICES) {
    const service = ec2.InterfaceVpcEndpointAwsService[name] as InterfaceVpcEndpointAwsService;
    const endpoint = new ec2.InterfaceVpcEndpoint(scope, `Endpoint-${name}`, { vpc, service, subnets, open: false });
    for (const group of securityGroups) endpoint.connections.allowDefaultPortFrom(group);
  }
}

function lookedUp(scope: Construct, config: ProjectConfig['network']): IVpc | undefined {
  if (networkKind(config) !== 'named' || config.vpc === undefined) return undefined;
  return ec2.Vpc.fromLookup(scope, 'Vpc', { vpcId: config.vpc });
}

function ownVpc(scope: Construct, { subnets, endpoints }: ProjectConfig['network']): IVpc {
  const isPublic = subnets === 'public';
  const nat = !isPublic && !endpoints;
  const privateType = nat ? ec2.SubnetType.PRIVATE_WITH_EGRESS : ec2.SubnetType.PRIVATE_ISOLATED;
  return new ec2.Vpc(scope, 'Vpc', {
    maxAzs: 2,
    natGateways: nat ? 1 : 0,
    subnetConfiguration: [
      ...(isPublic || nat ? [{ name: 'public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 20 }] : []),
      ...(isPublic ? [] : [{ name: 'tasks', subnetType: privateType, cidrMask: 20 }]),
    ],
    // Nothing here uses the VPC's default group; to empty it would take a function with rights over the whole VPC.
    restrictDefaultSecurityGroup: false,
    // Free of charge, and the bundle and all values go through it.
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  }) as IVpc;
}
