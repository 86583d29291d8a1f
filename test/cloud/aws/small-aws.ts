/** Starts the small AWS and deploys into it; service.ts says what of it is real. */
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { realClock } from '../../../lib/engine/clock.ts';
import type { Clock } from '../../../lib/engine/types.ts';
import { type Clients, clientsOf } from './clients.ts';
import { CloudFormation } from './cloud-formation.ts';
import { startCustomResources } from './custom-resources.ts';
import { bootstrap, type DeployOptions, deploy, destroy, stackOf } from './deploy.ts';
import { EventBridge } from './event-bridge.ts';
import { Fargate } from './fargate.ts';
import { actionOf, checksOf, type Facts, Iam, listCheck } from './iam.ts';
import { Keys } from './keys.ts';
import { Functions } from './lambda.ts';
import { startMotoServer } from './moto.ts';
import { type ProxyServer, startProxy } from './proxy.ts';
import { Scheduler } from './scheduler.ts';
import { ACCOUNT, ACCOUNT_KEY, type Part, REGION, type Service } from './service.ts';
import { StepFunctions } from './step-functions.ts';
import { type DeployedStack, type Mapping, Names, readStack, resolveStack } from './template.ts';

export interface SmallAwsOptions {
  /** Of executions, cold starts, late events; default real time. */
  readonly clock?: Clock;
  /** Milliseconds at which Scheduler's clock begins; default now. */
  readonly now?: number;
  /** Variables of every container, beside its own: what a test shortens. */
  readonly containerEnv?: { readonly [name: string]: string };
  /** See FargateOptions. */
  readonly unpackOnce?: boolean;
}

export interface SmallAws extends Clients {
  readonly url: string;
  /** For command lines and SDKs, in the account's name. */
  readonly env: { readonly [name: string]: string };
  /** The last stack of each deploy. */
  readonly stacks: ReadonlyMap<string, DeployedStack>;
  /** `cdk bootstrap`, the first time. */
  bootstrap(): Promise<void>;
  /** The real `cdk deploy`, after `cdk bootstrap` the first time. May be called again for an update. */
  deploy(project: string, options?: DeployOptions): Promise<DeployedStack & { readonly printed: string }>;
  /** Tells the services played here of a stack that another than `deploy` has put there. */
  deployed(name: string): Promise<DeployedStack>;
  /** The real `cdk destroy`. @returns what it printed */
  destroy(project: string, options?: DeployOptions): Promise<string>;
  readonly proxy: ProxyServer;
  readonly keys: Keys;
  readonly functions: Functions;
  readonly containers: Fargate;
  readonly iam: Iam;
  readonly formation: CloudFormation;
  readonly events: EventBridge;
  readonly scheduler: Scheduler;
  readonly executions: StepFunctions;
  stop(): Promise<void>;
}

export async function startSmallAws(options: SmallAwsOptions = {}): Promise<SmallAws> {
  const folder = await mkdtemp(join(tmpdir(), 'trowel-aws-'));
  const names = new Names();
  const custom = await startCustomResources({ names, functions: () => functions, announce });
  const moto = await startMotoServer(custom.url);
  const keys = new Keys();
  const services: Service[] = [];
  const iam = new Iam();
  const proxy = await startProxy({
    ...{ moto, keys, actionOf, services },
    authorize: async (call) => iam.refusal(call.principal, await checksOf(call, facts)),
    hidden: (call) => {
      const check = listCheck(call);
      return check !== undefined && iam.refusal(call.principal, [check]) !== undefined;
    },
  });
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
    ...network(),
    ...shared,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    CDK_VALIDATION: 'false',
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CI: 'true',
  };
  const { destroy: close, ...clients } = clientsOf({ ...config, forcePathStyle: true });
  const { s3, logs, cloudFormation, secrets } = clients;
  const [ec2, ecs] = [new EC2Client(config), new ECSClient(config)];
  const functions = new Functions({ keys, s3, folder: join(folder, 'functions'), env: shared });
  const sns = new SNSClient(config);
  const clock = options.clock ?? realClock;
  const events = new EventBridge({
    ...{ url, clock },
    invoke: (arn, payload) => functions.invokeLater(arn, payload),
    publish: async (TopicArn, Message) => void (await sns.send(new PublishCommand({ TopicArn, Message }))),
    allowed: (check) => iam.serviceAllowed('events.amazonaws.com', check),
  });
  const emit = (event: Mapping) => events.put(event);
  const containers = new Fargate({
    ...{ keys, url, clock, emit },
    mayAssume: (role) => iam.mayAssume(role, 'ecs-tasks.amazonaws.com'),
    ...(options.containerEnv !== undefined && { env: options.containerEnv }),
    ...(options.unpackOnce !== undefined && { unpackOnce: options.unpackOnce }),
  });
  const scheduler = new Scheduler({
    ...{ keys, url },
    mayAssume: (role) => iam.mayAssume(role, 'scheduler.amazonaws.com'),
    ...(options.now !== undefined && { now: options.now }),
  });
  const executions = new StepFunctions({ ...{ keys, s3, url: () => url, clock, emit } });
  const facts: Facts = {
    taskDefinition: (id) => containers.definition(id),
    secretArn: (SecretId) =>
      secrets.send(new DescribeSecretCommand({ SecretId })).then(
        ({ ARN }) => ARN,
        () => undefined,
      ),
  };
  const formation = new CloudFormation({
    ...{ moto, s3, logs, cloudFormation, ec2, ecs, names, iam, custom },
    removed,
  });
  const parts: Part[] = [iam, formation, executions, functions, containers, events, scheduler];
  services.push(...parts.flatMap(({ service }) => (service === undefined ? [] : [service])));
  const stacks = new Map<string, DeployedStack>();
  let prepared: Promise<void> | undefined;

  function prepare(): Promise<void> {
    prepared ??= bootstrap(folder, env, `aws://${ACCOUNT}/${REGION}`);
    return prepared;
  }

  async function deployed(name: string): Promise<DeployedStack> {
    const stack = await readStack(name, cloudFormation, names);
    stacks.set(name, stack);
    for (const part of parts) await part.deployed?.(stack);
    return stack;
  }

  async function announce(stack: DeployedStack): Promise<void> {
    iam.deployed(stack);
    functions.deployed(stack);
  }

  async function removed({ name, resources }: DeployedStack): Promise<void> {
    stacks.delete(name);
    names.forget(resources.keys());
    const empty = resolveStack(name, { Resources: {} }, new Map(), names);
    for (const part of parts) await part.deployed?.(empty);
  }

  return {
    ...{
      url,
      env,
      stacks,
      ...clients,
      proxy,
      keys,
      functions,
      containers,
      executions,
      iam,
      events,
      scheduler,
      formation,
    },
    deploy: async (project, given = {}) => {
      await prepare();
      const printed = await deploy(resolve(project), folder, env, given);
      return { ...(await deployed(stackOf(printed))), printed };
    },
    bootstrap: prepare,
    deployed,
    destroy: (project, given = {}) => destroy(resolve(project), folder, env, given),
    stop: async () => {
      await Promise.all(parts.map((part) => part.stop?.()));
      close();
      for (const client of [sns, ec2, ecs]) client.destroy();
      await proxy.close();
      await moto.stop();
      await custom.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** By what this machine reaches the package index. */
function network(): { [name: string]: string } {
  const names = /^(SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|(HTTPS?|ALL|NO)_PROXY|(PIP|UV)_\w+)$/i;
  return Object.fromEntries(Object.entries(process.env).flatMap(([k, v]) => (names.test(k) && v ? [[k, v]] : [])));
}
