/**
 * What end-to-end tests run against: the small AWS, or with TROWEL_E2E_AWS=1 the account whose credentials the environment has (AWS_REGION
 * must be set). There stacks are deployed under their projects' names, and destroyed when the tests end; it has been written with the
 * service's documentation at hand and not been tried yet.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Clients, clientsOf } from './clients.ts';
import { bootstrap, type DeployOptions, deploy, destroy, stackOf } from './deploy.ts';
import { type SmallAws, startSmallAws } from './small-aws.ts';

export interface Stack {
  readonly name: string;
  readonly outputs: { readonly [name: string]: string };
  /** By the command line. */
  readonly printed: string;
}

export interface Cloud extends Clients {
  /** Present where AWS is played: what only such a one can tell. */
  readonly small?: SmallAws;
  /** For command lines and SDKs, in the account's name. */
  readonly env: { readonly [name: string]: string };
  /** `cdk bootstrap` the first time, and `cdk deploy`; again for an update. */
  deploy(project: string, options?: DeployOptions): Promise<Stack>;
  stop(): Promise<void>;
}

export async function startCloud(): Promise<Cloud> {
  if (process.env.TROWEL_E2E_AWS === '1') return realCloud();
  const small = await startSmallAws();
  return { ...small, small };
}

async function realCloud(): Promise<Cloud> {
  const folder = await mkdtemp(join(tmpdir(), 'trowel-aws-'));
  const env = Object.fromEntries(Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
  const { destroy: close, ...clients } = clientsOf({});
  const { Account } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
  const projects = new Map<string, string>();
  let prepared: Promise<void> | undefined;
  return {
    ...clients,
    env,
    deploy: async (project, options = {}) => {
      prepared ??= bootstrap(folder, env, `aws://${Account}/${env.AWS_REGION}`);
      await prepared;
      const context = { destroy: 'true', ...options.context };
      const printed = await deploy(resolve(project), folder, env, { ...options, context });
      const name = stackOf(printed);
      projects.set(name, resolve(project));
      const { Stacks } = await clients.cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
      const outputs = (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [
        OutputKey,
        OutputValue,
      ]);
      return { name, printed, outputs: Object.fromEntries(outputs) as Stack['outputs'] };
    },
    stop: async () => {
      for (const project of projects.values()) {
        await destroy(project, folder, env, { context: { destroy: 'true' } });
      }
      close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
