/**
 * Task resources that reach AWS, called from here with the user's own credentials: `arn:aws:states:::aws-sdk:SERVICE:ACTION`, and the
 * optimized integrations `arn:aws:states:::SERVICE:ACTION`, with `.sync` by polling where aws-sync.ts says how. Names of arguments,
 * results and errors are Step Functions'. The clients of S3 and Lambda come with Trowel; any other is the user's to install
 * in the project, for together they are hundreds of megabytes.
 */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isMapping } from '../../asl/json.ts';
import { LIMITS } from '../../asl/limits.ts';
import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { Call } from '../../engine/types.ts';
import { clientConfig, takeClientOptions } from './client-options.ts';
import { awsError } from './errors.ts';
import { OPTIMIZED_SERVICES, optimizedService, type Service, sdkService, TEXT_ARGUMENTS } from './services.ts';
import { capital, fromSdk, operationSchemas, stringifyAt, toSdk } from './shapes.ts';
import { jobOf, notStarted, pollInterval, SYNC, type Sync } from './sync.ts';

type Mapping = { [key: string]: Json };

export interface AwsOptions {
  /** The project's folder, where the user's own clients are looked for. */
  readonly project: string;
  /** Secrets `aws.*`, for states that say `trowel:client` (client-options.ts). */
  readonly secret?: (key: string, mounts: Mapping) => Promise<string | undefined>;
  readonly sleep?: (seconds: number, signal: AbortSignal) => Promise<void>;
}

export interface Aws {
  /** Whether the resource is one of AWS's. Functions of Trowel's own are the caller's to take first. */
  handles(resource: string): boolean;
  /** Throws an error whose `name` is the state's Error and whose `message` its Cause. */
  invoke(call: Pick<Call, 'resource' | 'arguments' | 'signal' | 'token' | 'submitted'>): Promise<Json>;
  /** Ends open connections. */
  close(): void;
}

const RESOURCE = /^arn:aws[\w-]*:states:::(aws-sdk:)?([\w-]+):(\w+)(\.sync(?::2)?)?$/;

export function aws(options: AwsOptions): Aws {
  const clients = new Map<string, Promise<Client>>();
  return {
    handles: (resource) => RESOURCE.test(resource),
    close: () => {
      for (const client of clients.values()) client.then(({ destroy }) => destroy()).catch(() => undefined);
      clients.clear();
    },
    invoke: async ({ resource, arguments: input, signal, token, submitted }) => {
      const target = parse(resource);
      if (token !== undefined) {
        throw badInput(`${resource} waits for a task token, which only a deployed workflow can get back`);
      }
      if (!isMapping(input)) throw badInput(`${resource} needs a mapping as its arguments`);
      const [args, wanted] = takeClientOptions(input);
      const config = await clientConfig(target.service.module, wanted, options.secret, args);
      const key = JSON.stringify([target.service.module, config]);
      const client = clients.get(key) ?? connect(target.service.module, config, options.project);
      clients.set(key, client);
      client.catch(() => clients.delete(key));
      return run(await client, target, args, { signal, wait: options.sleep ?? sleep, submitted });
    },
  };
}

const sleep = (seconds: number, signal: AbortSignal): Promise<void> => delay(seconds * 1000, undefined, { signal });

interface Target {
  readonly name: string;
  readonly service: Service;
  readonly action: string;
  readonly optimized: boolean;
  readonly sync?: Sync;
  /** `.sync:2`: a nested execution's output as JSON rather than as text. */
  readonly parsed: boolean;
}

function parse(resource: string): Target {
  const [, sdk, name = '', action = '', suffix] = RESOURCE.exec(resource) ?? [];
  const optimized = sdk === undefined;
  const service = optimized ? optimizedService(name) : sdkService(name);
  const kind = `${name}:${action}`;
  if (service === undefined || action === '') {
    throw badInput(
      `${resource} cannot be called from here. Possible are aws-sdk:SERVICE:ACTION and the services ${OPTIMIZED_SERVICES.join(', ')}`,
    );
  }
  const sync = optimized && Object.hasOwn(SYNC, kind) ? SYNC[kind] : undefined;
  if (suffix !== undefined && sync === undefined) {
    const possible = Object.keys(SYNC).map((one) => `${one}.sync`);
    throw badInput(`${resource}: there is no waiting for this one here. Possible are ${possible.join(', ')}`);
  }
  return {
    name,
    service,
    action,
    optimized,
    ...present({ sync: suffix !== undefined && sync ? sync : undefined }),
    parsed: suffix === '.sync:2',
  };
}

/** What is used of a client package, whichever service it is for. */
interface Client {
  readonly send: (action: string, args: Mapping, signal?: AbortSignal) => Promise<Json>;
  readonly base: unknown;
  readonly destroy: () => void;
}

type Module = { readonly [name: string]: unknown };
type Constructor = new (input: unknown) => object;

async function load(name: string, project: string): Promise<Module> {
  // A notice for programmers, not for people who run a workflow.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  if (name === '@aws-sdk/client-s3') return names(await import('@aws-sdk/client-s3'));
  if (name === '@aws-sdk/client-lambda') return names(await import('@aws-sdk/client-lambda'));
  const require = createRequire(join(project, 'package.json'));
  try {
    require.resolve(name);
  } catch {
    throw badInput(`This needs a package that is not in the project; run there: npm install ${name}`);
  }
  return require(name);
}

/** A bundle gives a CommonJS module only as the default export. */
function names(module: Module): Module {
  return (module.default as Module | undefined) ?? module;
}

async function connect(name: string, config: object, project: string): Promise<Client> {
  const module = await load(name, project);
  const isClient = (key: string): boolean => key.endsWith('Client') && !key.startsWith('_');
  const clientClass = Object.keys(module).find(isClient);
  const base = Object.entries(module).find(([key]) => key.endsWith('ServiceException') && !key.startsWith('_'))?.[1];
  if (clientClass === undefined) throw badInput(`${name} has no client`);
  const client = new (module[clientClass] as Constructor)(config) as {
    send(command: object, options: { abortSignal?: AbortSignal }): Promise<object>;
    destroy?(): void;
  };
  return {
    base,
    destroy: () => client.destroy?.(),
    send: async (action, args, signal) => {
      const command = module[`${capital(action)}Command`];
      if (typeof command !== 'function') throw badInput(`${name} has no action '${action}'`);
      // Made twice: the schema of its input is on the command.
      const schemas = operationSchemas(new (command as Constructor)({}));
      const input = toSdk(args, schemas?.input);
      const answer = await client.send(new (command as Constructor)(input), signal ? { abortSignal: signal } : {});
      return fromSdk(await withoutStreams(answer), schemas?.output);
    },
  };
}

/** Reads streams (the body of an S3 object) as text; a state cannot hold more than 256 KiB anyway. */
async function withoutStreams(answer: object): Promise<object> {
  const read: { [key: string]: unknown } = {};
  for (const [key, value] of Object.entries(answer)) {
    const stream = typeof value === 'object' && value !== null && 'transformToString' in value ? value : undefined;
    if (stream === undefined || typeof stream.transformToString !== 'function') {
      read[key] = value;
      continue;
    }
    const length = 'ContentLength' in answer ? Number(answer.ContentLength) : 0;
    if (length > LIMITS.payloadBytes) {
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
      throw new TrowelError(
        'States.DataLimitExceeded',
        `The answer has ${length} bytes; a state may hold ${LIMITS.payloadBytes}`,
      );
    }
    read[key] = await stream.transformToString();
  }
  return read;
}

type Sleep = NonNullable<AwsOptions['sleep']>;

interface Waiting {
  readonly signal: AbortSignal;
  readonly wait: Sleep;
  readonly submitted: Call['submitted'];
}

async function run(client: Client, target: Target, args: Mapping, waiting: Waiting): Promise<Json> {
  const { signal, wait, submitted } = waiting;
  const { service, name, sync } = target;
  const kind = `${name}:${target.action}`;
  const send = async (action: string, input: Mapping, until: AbortSignal | undefined = signal): Promise<Mapping> => {
    try {
      const answer = await client.send(action, input, until);
      return isMapping(answer) ? answer : {};
    } catch (error) {
      throw error instanceof TrowelError ? error : awsError(error, service, action, client.base);
    }
  };
  const textPath = target.optimized || kind === 's3:putObject' ? TEXT_ARGUMENTS[kind] : undefined;
  const started = await send(target.action, textPath ? (stringifyAt(args, textPath) as Mapping) : args);
  if (!target.optimized) return started;
  if (kind === 'lambda:invoke') return lambdaResult(started);
  if (kind === 'events:putEvents' && Number(started.FailedEntryCount) > 0) {
    throw new TrowelError('EventBridge.FailedEntry', JSON.stringify(started));
  }
  if (kind === 'ecs:runTask') {
    const failures = notStarted(started);
    if (failures !== undefined) throw new TrowelError('ECS.AmazonECSException', failures);
  }
  if (sync === undefined) return started;

  submitted?.(started);
  try {
    for (let polls = 0; ; polls++) {
      const job = jobOf(sync, await send(sync.poll, { ...sync.ask(started, args) }));
      const status = sync.status(job);
      if (status === 'failed') throw new TrowelError('States.TaskFailed', JSON.stringify(job));
      if (status === 'succeeded') return target.parsed && name === 'states' ? parsedTexts(job) : job;
      await wait(pollInterval(polls), signal);
    }
  } catch (error) {
    // As Step Functions does: a job whose state ended early is stopped, if that works.
    if (signal.aborted && sync.stop) {
      await send(sync.stop.action, { ...sync.stop.ask(started, args) }, AbortSignal.timeout(5000)).catch(
        () => undefined,
      );
    }
    throw error;
  }
}

function lambdaResult({ Payload, FunctionError, StatusCode = null, ExecutedVersion }: Mapping): Json {
  const text = typeof Payload === 'string' && Payload !== '' ? Payload : 'null';
  if (FunctionError !== undefined) {
    const parsed = json(text);
    const type = isMapping(parsed) && typeof parsed.errorType === 'string' ? parsed.errorType : 'Lambda.Unknown';
    throw new TrowelError(type, text);
  }
  return { ...present({ ExecutedVersion }), Payload: json(text), StatusCode };
}

function parsedTexts(execution: { readonly [key: string]: Json }): Json {
  const { Input, Output } = execution;
  return {
    ...execution,
    ...present({ Input: typeof Input === 'string' ? json(Input) : undefined }),
    ...present({ Output: typeof Output === 'string' ? json(Output) : undefined }),
  };
}

function json(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function badInput(message: string): TrowelError {
  return new TrowelError(ERRORS.badInput, message);
}
