/** What an account has, by the services' own lists. Schedules are those that are played here; alarms, which moto does not make, are left out. */
import { DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeInternetGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import {
  DescribeClustersCommand,
  ECSClient,
  ListClustersCommand,
  ListTaskDefinitionsCommand,
} from '@aws-sdk/client-ecs';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { ListStateMachinesCommand } from '@aws-sdk/client-sfn';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { signedAs } from './keys.ts';
import { ACCOUNT_KEY, REGION } from './service.ts';
import type { SmallAws } from './small-aws.ts';

export type Inventory = { readonly [what: string]: readonly string[] };
type Names = readonly (string | undefined)[];

export async function inventory(aws: SmallAws): Promise<Inventory> {
  const credentials = { accessKeyId: ACCOUNT_KEY, secretAccessKey: 'test' };
  const config = { endpoint: aws.url, region: REGION, credentials };
  const clients = [
    new EC2Client(config),
    new ECSClient(config),
    new LambdaClient(config),
    new SNSClient(config),
  ] as const;
  const [ec2, ecs, lambda, sns] = clients;
  // Services whose clients the package does not need.
  const ask = async (service: string, Action: string, tag: string): Promise<Names> => {
    const headers = { ...signedAs(credentials, service, REGION), 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(aws.url, { method: 'POST', headers, body: new URLSearchParams({ Action }).toString() });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${Action}: ${text}`);
    return [...text.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, name]) => name);
  };
  const rules = async (): Promise<Names> => {
    const headers = {
      ...signedAs(credentials, 'events', REGION),
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSEvents.ListRules',
    };
    const answer = await fetch(aws.url, { method: 'POST', headers, body: '{}' });
    const { Rules = [] } = (await answer.json()) as { readonly Rules?: readonly { readonly Name: string }[] };
    return Rules.map(({ Name }) => Name);
  };
  const clusters = async (): Promise<Names> => {
    const { clusterArns = [] } = await ecs.send(new ListClustersCommand());
    const { clusters: all = [] } = await ecs.send(new DescribeClustersCommand({ clusters: clusterArns }));
    // One that was deleted is shown for a while.
    return all.filter(({ status }) => status === 'ACTIVE').map(({ clusterArn }) => clusterArn);
  };
  const endpoints = async (): Promise<Names> => {
    const { VpcEndpoints = [] } = await ec2.send(new DescribeVpcEndpointsCommand());
    return VpcEndpoints.filter(({ State }) => String(State) !== 'deleted').map(({ VpcEndpointId }) => VpcEndpointId);
  };
  const lists: { readonly [what: string]: Promise<Names | undefined> } = {
    vpcs: ec2.send(new DescribeVpcsCommand()).then(({ Vpcs }) => Vpcs?.map(({ VpcId }) => VpcId)),
    subnets: ec2.send(new DescribeSubnetsCommand()).then(({ Subnets }) => Subnets?.map(({ SubnetId }) => SubnetId)),
    'route tables': ec2
      .send(new DescribeRouteTablesCommand())
      .then(({ RouteTables }) => RouteTables?.map(({ RouteTableId }) => RouteTableId)),
    gateways: ec2
      .send(new DescribeInternetGatewaysCommand())
      .then(({ InternetGateways }) => InternetGateways?.map(({ InternetGatewayId }) => InternetGatewayId)),
    endpoints: endpoints(),
    'security groups': ec2
      .send(new DescribeSecurityGroupsCommand())
      .then(({ SecurityGroups }) => SecurityGroups?.map(({ GroupId }) => GroupId)),
    clusters: clusters(),
    'task definitions': ecs.send(new ListTaskDefinitionsCommand()).then(({ taskDefinitionArns }) => taskDefinitionArns),
    functions: lambda
      .send(new ListFunctionsCommand())
      .then(({ Functions }) => Functions?.map(({ FunctionName }) => FunctionName)),
    machines: aws.sfn
      .send(new ListStateMachinesCommand())
      .then(({ stateMachines }) => stateMachines?.map(({ name }) => name)),
    schedules: Promise.resolve(aws.scheduler.schedules.map(({ arn }) => arn)),
    rules: rules(),
    roles: ask('iam', 'ListRoles', 'RoleName'),
    topics: sns.send(new ListTopicsCommand()).then(({ Topics }) => Topics?.map(({ TopicArn }) => TopicArn)),
    queues: ask('sqs', 'ListQueues', 'QueueUrl'),
    dashboards: ask('monitoring', 'ListDashboards', 'DashboardName'),
    buckets: aws.s3.send(new ListBucketsCommand()).then(({ Buckets }) => Buckets?.map(({ Name }) => Name)),
    'log groups': aws.logs
      .send(new DescribeLogGroupsCommand())
      .then(({ logGroups }) => logGroups?.map(({ logGroupName }) => logGroupName)),
    secrets: aws.secrets.send(new ListSecretsCommand()).then(({ SecretList }) => SecretList?.map(({ Name }) => Name)),
  };
  const made = Object.entries(lists).map(
    async ([what, names]) => [what, ((await names) ?? []).map(String).sort()] as const,
  );
  const found = Object.fromEntries(await Promise.all(made));
  for (const client of clients) client.destroy();
  return found;
}

/** What is there beside what was there before; empty lists are left out. */
export function added(before: Inventory, now: Inventory): Inventory {
  return Object.fromEntries(
    Object.entries(now).flatMap(([what, names]) => {
      const more = names.filter((name) => !before[what]?.includes(name));
      return more.length === 0 ? [] : [[what, more] as const];
    }),
  );
}
