/** Codes of the quotas `Fargate On-Demand vCPU resource count`, `Fargate Spot vCPU resource count` and `VPCs per Region`. */
export const QUOTAS = { onDemand: 'L-3032A538', spot: 'L-36FBB829', vpcs: 'L-F678F1CE' } as const;

/** The questions to an account for `trowel check --aws`; account-client.ts answers them. */
export interface Account {
  /** Throws an AwsFault with the reason `setup` where there are no credentials or no region. */
  whoami(): Promise<{ readonly account: string; readonly region: string; readonly arn: string }>;
  /** Whether ECS has its service-linked role here, which it needs to put containers into a network. */
  hasServiceRole(): Promise<boolean>;
  /** Fargate's vCPUs at once, on demand or on Spot. */
  vcpuQuota(spot: boolean): Promise<number>;
  /** VPCs of this region, and how many there may be. */
  vpcs(): Promise<{ readonly there: number; readonly quota: number }>;
  /** Whether there is a VPC that projects share. */
  hasSharedVpc(): Promise<boolean>;
  /** Variables of the deployed functions of a project, by the function's name here (`launch`, `notify`); empty if it is not deployed. */
  functionSettings(project: string): Promise<{ readonly [name: string]: { readonly [variable: string]: string } }>;
  subnets(ids: readonly string[]): Promise<readonly { readonly id: string; readonly free: number }[]>;
  /** Addresses that were asked whether they want a topic's mail, and have not said yes. */
  unconfirmed(topicArn: string): Promise<readonly string[]>;
  /** Whether SES still sends only to verified addresses. */
  inSandbox(): Promise<boolean>;
  /** Whether SES may send in the name of an address, or of its domain. */
  verified(address: string): Promise<boolean>;
}
