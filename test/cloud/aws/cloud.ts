/**
 * What end-to-end tests run against: the small AWS, or with TROWEL_E2E_AWS=1 the account whose credentials the environment has (AWS_REGION
 * must be set). There stacks and secrets have their projects' names and are removed when the tests end; what is there already is not
 * touched: the tests fail. What remains are CDKToolkit, its assets, the network that projects share (TrowelNetwork), and logs of the CDK's own functions. All this has run against the small AWS
 * in an account's place, where a stack with a network could not be destroyed then, and not in an account yet.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DeleteSecretCommand, paginateListSecrets } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { secretPrefix } from '../../../lib/contract/deployed-names.ts';
import { loadProject } from '../../../lib/language/project.ts';
import { type Clients, clientsOf } from './clients.ts';
import { bootstrap, type DeployOptions, deploy, destroy, stackOf } from './deploy.ts';
import { type SmallAws, type SmallAwsOptions, startSmallAws } from './small-aws.ts';

const REAL = process.env.TROWEL_E2E_AWS === '1';

/** Milliseconds for the deploys of a file of tests, and for their removal. An account makes and removes a network in minutes. */
export const HOOK_TIMEOUT = REAL ? 3_600_000 : 900_000;

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

/** `options` are the small AWS's alone. */
export async function startCloud(options: SmallAwsOptions = {}): Promise<Cloud> {
  return REAL ? realCloud() : startSmallCloud(options);
}

/** For what no account can do: reach this machine. */
export async function startSmallCloud(options: SmallAwsOptions = {}): Promise<Cloud & { readonly small: SmallAws }> {
  const small = await startSmallAws(options);
  return { ...small, small };
}

interface Deployed {
  readonly dir: string;
  readonly options: DeployOptions;
  /** Of its secrets' names. */
  readonly prefix: string;
}

async function realCloud(): Promise<Cloud> {
  const region = process.env.AWS_REGION;
  if (region === undefined) throw new Error('TROWEL_E2E_AWS=1 needs AWS_REGION, and credentials');
  const folder = await mkdtemp(join(tmpdir(), 'trowel-aws-'));
  const given = Object.entries({ ...process.env, AWS_DEFAULT_REGION: region });
  const env = Object.fromEntries(given.flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
  const { destroy: close, ...clients } = clientsOf({ region });
  const { Account } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
  const ours = new Map<string, Deployed>();
  let prepared: Promise<void> | undefined;

  const outputsOf = async (name: string): Promise<Stack['outputs'] | undefined> => {
    const asked = clients.cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
    const found = await asked.catch((error: Error) => {
      if (/does not exist/.test(error.message)) return undefined;
      throw error;
    });
    const pairs = found?.Stacks?.[0]?.Outputs?.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]);
    return found && Object.fromEntries(pairs ?? []);
  };
  const secretsOf = async (prefix: string): Promise<string[]> => {
    const names: string[] = [];
    const pages = paginateListSecrets({ client: clients.secrets }, { Filters: [{ Key: 'name', Values: [prefix] }] });
    for await (const { SecretList = [] } of pages) names.push(...SecretList.map(({ Name = '' }) => Name));
    // The service looks for words.
    return names.filter((name) => name.startsWith(prefix));
  };
  /** What is in the account already may be somebody's: it would be changed, and gone at the end. */
  const claim = async (dir: string, options: DeployOptions): Promise<void> => {
    const { config } = await loadProject(dir);
    const name = `trowel-${config.name}`;
    if (ours.has(name)) return;
    const prefix = secretPrefix(config.name);
    const there = [...((await outputsOf(name)) === undefined ? [] : [name]), ...(await secretsOf(prefix))];
    if (there.length > 0) throw new Error(`Not tested: account ${Account} has these already: ${there.join(', ')}`);
    ours.set(name, { dir, options, prefix });
  };
  const remove = async (name: string, { dir, options, prefix }: Deployed): Promise<void> => {
    try {
      await destroy(dir, folder, env, { ...options, args: [name] });
    } finally {
      for (const SecretId of await secretsOf(prefix))
        await clients.secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
    }
  };
  return {
    ...clients,
    env,
    deploy: async (project, given = {}) => {
      const dir = resolve(project);
      const options = { ...given, context: { destroy: 'true', ...given.context } };
      await claim(dir, options);
      // One that is there keeps the options it was made with, and is left.
      prepared ??= outputsOf('CDKToolkit').then((found) =>
        found === undefined ? bootstrap(folder, env, `aws://${Account}/${region}`) : undefined,
      );
      await prepared;
      const printed = await deploy(dir, folder, env, options);
      const name = stackOf(printed);
      return { name, printed, outputs: (await outputsOf(name)) ?? {} };
    },
    stop: async () => {
      const faults: unknown[] = [];
      for (const [name, deployed] of ours) await remove(name, deployed).catch((error) => faults.push(error));
      close();
      await rm(folder, { recursive: true, force: true });
      if (faults.length > 0)
        throw new AggregateError(faults, `Left in account ${Account}: ${[...ours.keys()].join(', ')}`);
    },
  };
}
