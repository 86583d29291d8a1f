/** Where containers run. Nothing reaches them from outside; they reach AWS and, unless in isolated subnets, the internet. */
import type { InterfaceVpcEndpointAwsService, ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { ProjectConfig } from '../language/project-config.ts';
import { ec2 } from './cdk.ts';

export interface NetworkOptions {
  /** A VPC of yours. Default: what `network:` of trowel.yml says. */
  readonly vpc?: IVpc;
  /** In that VPC. Default: public subnets, or those with egress for `subnets: private`. */
  readonly subnets?: SubnetSelection;
  /** Default: one that admits nothing and lets everything out. */
  readonly securityGroups?: readonly ISecurityGroup[];
}

export interface Network {
  readonly vpc: IVpc;
  readonly subnetIds: readonly string[];
  readonly securityGroups: readonly ISecurityGroup[];
  readonly assignPublicIp: 'ENABLED' | 'DISABLED';
}

/** Without a NAT gateway a container reaches these by interface endpoints alone. */
const SERVICES = ['ECR', 'ECR_DOCKER', 'CLOUDWATCH_LOGS', 'SECRETS_MANAGER', 'STEP_FUNCTIONS', 'LAMBDA'] as const;

/** A NAT gateway costs some 32 USD a month at rest, an interface endpoint some 7 a zone: both only when asked for. */
export function makeNetwork(scope: Construct, config: ProjectConfig['network'], options: NetworkOptions): Network {
  const isPublic = config.subnets === 'public';
  const given = options.vpc ?? lookedUp(scope, config.vpc);
  const vpc: IVpc = given ?? ownVpc(scope, config);
  const type = isPublic
    ? ec2.SubnetType.PUBLIC
    : config.endpoints && given === undefined
      ? ec2.SubnetType.PRIVATE_ISOLATED
      : ec2.SubnetType.PRIVATE_WITH_EGRESS;
  const selected = vpc.selectSubnets(options.subnets ?? { subnetType: type });
  const securityGroups = options.securityGroups ?? [
    new ec2.SecurityGroup(scope, 'TaskSecurityGroup', {
      vpc,
      description: 'Containers of Trowel tasks: nothing in, everything out',
      allowAllOutbound: true,
    }),
  ];
  return {
    vpc,
    subnetIds: selected.subnetIds,
    securityGroups,
    assignPublicIp: selected.hasPublic ? 'ENABLED' : 'DISABLED',
  };
}

function lookedUp(scope: Construct, vpc: string): IVpc | undefined {
  if (vpc === 'default-new') return undefined;
  return ec2.Vpc.fromLookup(scope, 'Vpc', { vpcId: vpc });
}

function ownVpc(scope: Construct, { subnets, endpoints }: ProjectConfig['network']): IVpc {
  const isPublic = subnets === 'public';
  const nat = !isPublic && !endpoints;
  const privateType = nat ? ec2.SubnetType.PRIVATE_WITH_EGRESS : ec2.SubnetType.PRIVATE_ISOLATED;
  const vpc = new ec2.Vpc(scope, 'Vpc', {
    maxAzs: 2,
    natGateways: nat ? 1 : 0,
    subnetConfiguration: [
      ...(isPublic || nat ? [{ name: 'public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 20 }] : []),
      ...(isPublic ? [] : [{ name: 'tasks', subnetType: privateType, cidrMask: 20 }]),
    ],
    // Its group of that name is used by nothing here; emptying it takes a function with rights over the whole VPC.
    restrictDefaultSecurityGroup: false,
    // Free of charge, and the bundle and all values go through it.
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  });
  if (endpoints) {
    for (const service of SERVICES) {
      vpc.addInterfaceEndpoint(service, {
        service: ec2.InterfaceVpcEndpointAwsService[service] as InterfaceVpcEndpointAwsService,
      });
    }
  }
  return vpc as IVpc;
}
