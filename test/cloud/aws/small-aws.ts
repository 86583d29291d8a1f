/** Starts the small AWS and deploys into it; service.ts says what of it is real. */
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Clock } from '../../../lib/engine/types.ts';
import { bootstrap, type DeployOptions, deploy } from './deploy.ts';
import { Keys } from './keys.ts';
import { Functions } from './lambda.ts';
import { startMotoServer } from './moto.ts';
import { type ProxyServer, startProxy } from './proxy.ts';
import { ACCOUNT, ACCOUNT_KEY, type Part, REGION, type Service } from './service.ts';
import { actionOf, Containers } from './stand-ins.ts';
import { StepFunctions } from './step-functions.ts';
import { type DeployedStack, Names, readStack } from './template.ts';

export interface SmallAwsOptions {
  /** Of executions; default real time. */
  readonly clock?: Clock;
}

export interface SmallAws {
  readonly url: string;
  /** For command lines and SDKs, in the account's name. */
  readonly env: { readonly [name: string]: string };
  /** The last stack of each deploy. */
  readonly stacks: ReadonlyMap<string, DeployedStack>;
  /** The real `cdk deploy`, after `cdk bootstrap` the first time. May be called again for an update. */
  deploy(project: string, options?: DeployOptions): Promise<DeployedStack>;
  readonly sfn: SFNClient;
  readonly s3: S3Client;
  readonly logs: CloudWatchLogsClient;
  readonly proxy: ProxyServer;
  readonly keys: Keys;
  readonly functions: Functions;
  readonly containers: Containers;
  readonly executions: StepFunctions;
  stop(): Promise<void>;
}

export async function startSmallAws(options: SmallAwsOptions = {}): Promise<SmallAws> {
  const folder = await mkdtemp(join(tmpdir(), 'trowel-aws-'));
  const moto = await startMotoServer();
  const keys = new Keys();
  const services: Service[] = [];
  const proxy = await startProxy({ moto, keys, actionOf, authorize: () => undefined, services });
  const { url } = proxy;
  const credentials = { accessKeyId: ACCOUNT_KEY, secretAccessKey: 'test' };
  const config = { endpoint: url, region: REGION, credentials };
  const shared = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    // Packages for containers are installed once for all tests.
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    ...shared,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    CDK_VALIDATION: 'false',
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CI: 'true',
  };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const cloudFormation = new CloudFormationClient(config);
  const functions = new Functions({ keys, s3, folder: join(folder, 'functions'), env: shared });
  const containers = new Containers(keys, shared);
  const executions = new StepFunctions({
    ...{ keys, s3, url: () => url },
    ...(options.clock !== undefined && { clock: options.clock }),
  });
  const parts: Part[] = [executions, functions, containers];
  services.push(...parts.flatMap(({ service }) => (service === undefined ? [] : [service])));
  const stacks = new Map<string, DeployedStack>();
  const names = new Names();
  const sfn = new SFNClient(config);
  const logs = new CloudWatchLogsClient(config);
  let prepared: Promise<void> | undefined;

  return {
    ...{ url, env, stacks, sfn, s3, logs, proxy, keys, functions, containers, executions },
    deploy: async (project, given = {}) => {
      prepared ??= bootstrap(folder, env, `aws://${ACCOUNT}/${REGION}`);
      await prepared;
      const said = await deploy(resolve(project), folder, env, given);
      const name = /(?:^|\n)\s*✅\s+(\S+)/.exec(said)?.[1] ?? '';
      const stack = await readStack(name, cloudFormation, names);
      stacks.set(name, stack);
      for (const part of parts) await part.deployed?.(stack);
      return stack;
    },
    stop: async () => {
      await Promise.all(parts.map((part) => part.stop?.()));
      for (const client of [sfn, s3, logs, cloudFormation]) client.destroy();
      await proxy.close();
      await moto.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
