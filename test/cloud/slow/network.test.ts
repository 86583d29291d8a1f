/** The VPC that projects share, by the real `cdk deploy` and `cdk destroy` against the small AWS: who makes it, who keeps it, and what is said. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { added, type Inventory, inventory } from '../aws/inventory.ts';
import { type SmallAws, startSmallAws } from '../aws/small-aws.ts';
import type { DeployedStack } from '../aws/template.ts';

let aws: SmallAws;
let folder: string;
let before: Inventory;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-network-'));
  aws = await startSmallAws({ unpackOnce: true });
  await aws.bootstrap();
  before = await inventory(aws);
});
afterAll(async () => {
  await aws?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function project(name: string, network?: string): Promise<string> {
  const dir = join(folder, name);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'main.dig'), 'timezone: UTC\n+a:\n  sh>: echo there\n');
  await writeFile(join(dir, 'trowel.yml'), `name: ${name}\n${network === undefined ? '' : `network: ${network}\n`}`);
  return dir;
}

async function vpcs(): Promise<readonly string[]> {
  return added(before, await inventory(aws)).vpcs ?? [];
}

/** What its containers are started in. */
function place(stack: DeployedStack): { readonly subnets: unknown; readonly vpc: unknown } {
  const [launch] = stack.ofType('AWS::Lambda::Function').filter(({ id }) => id.includes('Functionlaunch'));
  const subnets = /"TROWEL_SUBNETS":"([^"]*)"/.exec(JSON.stringify(launch))?.[1];
  return { subnets, vpc: stack.ofType('AWS::EC2::SecurityGroup')[0]?.properties.VpcId };
}

async function failure(deploy: Promise<unknown>): Promise<string> {
  const message = await deploy.then(
    () => '',
    (error: Error) => error.message,
  );
  expect(message).not.toBe('');
  return message;
}

describe('the VPC that projects share', { timeout: 300_000 }, () => {
  it('that cannot be made is said with its reason and the way out, and nothing is left of it', async () => {
    const reason = 'The maximum number of VPCs has been reached. (Service: Ec2, Status Code: 400)';
    aws.formation.failing = { id: 'Vpc', type: 'AWS::EC2::VPC', status: 'CREATE_FAILED', reason };
    const said = await failure(aws.deploy(await project('first')));
    expect(said).toContain(`could not be made (stack TrowelNetwork): AWS::EC2::VPC Vpc: ${reason}`);
    expect(said).toContain('VPCs per Region');
    expect(said).toContain('network: {vpc: vpc-');
    expect(added(before, await inventory(aws))).toEqual({});
  });

  it('is made by the first project and found by the next, and containers run in it', async () => {
    aws.iam.forget();
    const [first, second] = [await aws.deploy(await project('first')), await aws.deploy(await project('second'))];
    expect(await vpcs()).toEqual([place(first).vpc]);
    expect(place(second)).toEqual(place(first));
    expect(place(first).subnets).toMatch(/^subnet-\w+,subnet-\w+$/);
    const { Stacks: [network] = [] } = await aws.cloudFormation.send(
      new DescribeStacksCommand({ StackName: 'TrowelNetwork' }),
    );
    expect(network?.StackStatus).toBe('CREATE_COMPLETE');
    const stateMachineArn = second.outputs.Workflowmain;
    const { executionArn = '' } = await aws.sfn.send(new StartExecutionCommand({ stateMachineArn, input: '{}' }));
    expect((await aws.executions.ended(executionArn)).outcome).toMatchObject({ status: 'SUCCEEDED' });
    await expect.poll(() => aws.containers.running().length, { timeout: 60_000 }).toBe(0);
    await aws.events.idle();
    expect(aws.proxy.refused).toEqual([]);
    // Nothing that the function may do is idle: CloudFormation's part is asked by AWS's schemas of the resources.
    const asked = aws.iam.used().filter((id) => id.includes('FunctionnetworkRole'));
    expect([...new Set(asked.map((id) => id.replace(/^.*#/, '')))].sort()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  it('is kept when projects are destroyed', async () => {
    for (const name of ['first', 'second']) await aws.destroy(join(folder, name), { context: {} });
    const { buckets, 'log groups': groups, ...rest } = added(before, await inventory(aws));
    expect([buckets?.length, groups?.length]).toEqual([2, 6]);
    expect(Object.keys(rest).sort()).toEqual([
      'endpoints',
      'gateways',
      'route tables',
      'security groups',
      'subnets',
      'vpcs',
    ]);
    const deleted = aws.cloudFormation.send(new DeleteStackCommand({ StackName: 'TrowelNetwork' }));
    await expect(deleted).rejects.toThrow('TerminationProtection');
  });

  it('is no place for a project that has its own: the deploy stops and says which line keeps it', async () => {
    const own = await aws.deploy(await project('own', '{vpc: own}'));
    const all = await vpcs();
    expect(all).toHaveLength(2);
    const had = place(own);
    const said = await failure(aws.deploy(await project('own')));
    expect(said).toContain(`a VPC of its own, ${had.vpc}, which this deploy would delete`);
    expect(said).toContain('To keep it, write into trowel.yml: `network: {vpc: own}`');
    expect(await vpcs()).toEqual(all);
    expect(place(await aws.deployed('trowel-own'))).toEqual(had);
  });
});
