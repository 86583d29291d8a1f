import { DescribeSubnetsCommand, EC2Client, paginateDescribeVpcs } from '@aws-sdk/client-ec2';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { GetAccountCommand, GetEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { ListSubscriptionsByTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { readParameter } from '../functions/network/parameters.ts';
import { NETWORK_PARAMETER } from '../functions/network/template.ts';
import { type Account, QUOTAS } from './account.ts';
import { asking, isAbsent } from './aws-fault.ts';
import { type Connection, clientOptions } from './connection.ts';

export function connectAccount(connection: Connection): Account {
  return new AccountClient(clientOptions(connection));
}

class AccountClient implements Account {
  readonly #options: ReturnType<typeof clientOptions>;

  constructor(options: ReturnType<typeof clientOptions>) {
    this.#options = options;
  }

  async whoami(): Promise<{ readonly account: string; readonly region: string; readonly arn: string }> {
    const client = new STSClient(this.#options);
    return asking('sts:GetCallerIdentity', async () => {
      const { Account: account = '', Arn: arn = '' } = await client.send(new GetCallerIdentityCommand({}));
      return { account, arn, region: await client.config.region() };
    });
  }

  async hasServiceRole(): Promise<boolean> {
    const client = new IAMClient(this.#options);
    try {
      await asking('iam:GetRole', () => client.send(new GetRoleCommand({ RoleName: 'AWSServiceRoleForECS' })));
      return true;
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  }

  vcpuQuota(spot: boolean): Promise<number> {
    return this.#quota('fargate', spot ? QUOTAS.spot : QUOTAS.onDemand);
  }

  async vpcs(): Promise<{ readonly there: number; readonly quota: number }> {
    const client = new EC2Client(this.#options);
    const count = async (): Promise<number> => {
      let there = 0;
      for await (const { Vpcs = [] } of paginateDescribeVpcs({ client }, {})) there += Vpcs.length;
      return there;
    };
    const there = await asking('ec2:DescribeVpcs', count);
    return { there, quota: await this.#quota('vpc', QUOTAS.vpcs) };
  }

  async hasSharedVpc(): Promise<boolean> {
    const { config } = new STSClient(this.#options);
    return (await asking('ssm:GetParameter', () => readParameter(NETWORK_PARAMETER, config))) !== undefined;
  }

  async #quota(ServiceCode: string, QuotaCode: string): Promise<number> {
    const client = new ServiceQuotasClient(this.#options);
    const request = { ServiceCode, QuotaCode };
    try {
      const { Quota } = await asking('servicequotas:GetServiceQuota', () =>
        client.send(new GetServiceQuotaCommand(request)),
      );
      return Quota?.Value ?? 0;
    } catch (error) {
      // Until an account has used the service, only the quota of all accounts is known.
      if (!isAbsent(error)) throw error;
      const { Quota } = await asking('servicequotas:GetAWSDefaultServiceQuota', () =>
        client.send(new GetAWSDefaultServiceQuotaCommand(request)),
      );
      return Quota?.Value ?? 0;
    }
  }

  async functionSettings(project: string): Promise<{ [name: string]: { readonly [variable: string]: string } }> {
    const client = new LambdaClient(this.#options);
    const found: { [name: string]: { readonly [variable: string]: string } } = {};
    let Marker: string | undefined;
    do {
      const page = await asking('lambda:ListFunctions', () => client.send(new ListFunctionsCommand({ Marker })));
      for (const { Environment } of page.Functions ?? []) {
        const variables = Environment?.Variables ?? {};
        const name = variables.POWERTOOLS_SERVICE_NAME;
        if (variables.TROWEL_PROJECT === project && name !== undefined) found[name] = variables;
      }
      Marker = page.NextMarker || undefined;
    } while (Marker !== undefined);
    return found;
  }

  async subnets(SubnetIds: readonly string[]): Promise<readonly { readonly id: string; readonly free: number }[]> {
    const client = new EC2Client(this.#options);
    const { Subnets = [] } = await asking('ec2:DescribeSubnets', () =>
      client.send(new DescribeSubnetsCommand({ SubnetIds: [...SubnetIds] })),
    );
    return Subnets.map(({ SubnetId = '', AvailableIpAddressCount = 0 }) => ({
      id: SubnetId,
      free: AvailableIpAddressCount,
    }));
  }

  async unconfirmed(TopicArn: string): Promise<readonly string[]> {
    const client = new SNSClient(this.#options);
    const addresses: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await asking('sns:ListSubscriptionsByTopic', () =>
        client.send(new ListSubscriptionsByTopicCommand({ TopicArn, NextToken })),
      );
      for (const { Protocol, Endpoint = '', SubscriptionArn = '' } of page.Subscriptions ?? []) {
        if (Protocol?.startsWith('email') && !SubscriptionArn.startsWith('arn:')) addresses.push(Endpoint);
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return addresses;
  }

  async inSandbox(): Promise<boolean> {
    const client = new SESv2Client(this.#options);
    const { ProductionAccessEnabled } = await asking('ses:GetAccount', () => client.send(new GetAccountCommand({})));
    return ProductionAccessEnabled !== true;
  }

  async verified(address: string): Promise<boolean> {
    const client = new SESv2Client(this.#options);
    const identity = async (EmailIdentity: string): Promise<boolean> => {
      try {
        const { VerifiedForSendingStatus } = await asking('ses:GetEmailIdentity', () =>
          client.send(new GetEmailIdentityCommand({ EmailIdentity })),
        );
        return VerifiedForSendingStatus === true;
      } catch (error) {
        if (isAbsent(error)) return false;
        throw error;
      }
    };
    return (await identity(address)) || identity(address.slice(address.indexOf('@') + 1));
  }
}
