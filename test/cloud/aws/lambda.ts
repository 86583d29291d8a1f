/**
 * Lambda: each deployed function's asset runs in a Node process of its own for each invocation at the same time, kept warm, with the deployed
 * variables and the key of its role. Played: the runtime is this machine's Node, a version's code is what was deployed when it was made,
 * memory counts for nothing, and asynchronous invocations are tried three times at once rather than over minutes.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { credentialVariables, type Keys } from './keys.ts';
import { sendMessage } from './queues.ts';
import { type Answer, type Part, REGION, type ServiceCall, ServiceFault } from './service.ts';
import type { DeployedStack, Mapping } from './template.ts';

export interface FunctionsOptions {
  readonly keys: Keys;
  readonly s3: S3Client;
  /** For unpacked code. */
  readonly folder: string;
  /** Of the proxy, and whatever every function gets beside its own variables. */
  readonly env: { readonly [name: string]: string };
}

export interface Invoked {
  readonly payload: string;
  /** `Unhandled` for a thrown error; the payload says which. */
  readonly functionError?: string;
  readonly version: string;
}

export interface InvokeHooks {
  /** Undefined: it goes on. An answer: the function is not asked. */
  before?(name: string, payload: string): Promise<Invoked | undefined> | Invoked | undefined;
  /** Sees the answer, and may give another. */
  after?(name: string, payload: string, invoked: Invoked): Promise<Invoked> | Invoked;
}

interface Deployed {
  readonly name: string;
  readonly version: string;
  readonly arn: string;
  readonly role: string;
  /** ARN of a queue. */
  readonly deadLetters?: string;
  readonly timeout: number;
  readonly env: { readonly [name: string]: string };
  readonly code: { readonly Bucket: string; readonly Key: string };
  /** In its code: `index.mjs`. */
  readonly file: string;
  /** Last part of the handler's name in the template, for tests: `launch`. */
  readonly service: string;
}

export class Functions implements Part {
  readonly #options: FunctionsOptions;
  /** By `NAME` (the latest) and `NAME:VERSION`. */
  readonly #deployed = new Map<string, Deployed>();
  /** Names of functions, by stack. */
  readonly #stacks = new Map<string, readonly string[]>();
  readonly #idle = new Map<string, Environment[]>();
  readonly #running = new Set<Environment>();
  readonly #unpacked = new Map<string, Promise<string>>();
  readonly #background = new Set<Promise<void>>();
  /** What functions wrote, by short name (`launch`). */
  readonly logs = new Map<string, string[]>();
  hooks: InvokeHooks = {};
  #stopped = false;

  constructor(options: FunctionsOptions) {
    this.#options = options;
  }

  /** A function that the stack had before and has no more is gone with its versions. */
  deployed(stack: DeployedStack): void {
    const names = stack.ofType('AWS::Lambda::Function').map(({ physicalId }) => physicalId);
    const gone = this.#stacks.get(stack.name)?.filter((name) => !names.includes(name)) ?? [];
    for (const [key, { name }] of this.#deployed) if (gone.includes(name)) this.#deployed.delete(key);
    this.#stacks.set(stack.name, names);
    for (const resource of stack.ofType('AWS::Lambda::Function')) {
      const {
        Code,
        Handler = 'index.handler',
        Environment: given,
        Role,
        Timeout = 3,
        DeadLetterConfig,
      } = resource.properties;
      const deadLetters = (DeadLetterConfig as Mapping | undefined)?.TargetArn;
      const { S3Bucket = '', S3Key = '' } = (Code ?? {}) as Mapping;
      const env = ((given as Mapping | undefined)?.Variables ?? {}) as { [name: string]: string };
      const arn = stack.attribute(resource.id, 'Arn');
      this.#deployed.set(resource.physicalId, {
        name: resource.physicalId,
        version: '$LATEST',
        arn,
        role: String(Role).slice(String(Role).lastIndexOf('/') + 1),
        ...(deadLetters !== undefined && { deadLetters: String(deadLetters) }),
        timeout: Number(Timeout),
        env,
        code: { Bucket: String(S3Bucket), Key: String(S3Key) },
        file: String(Handler).replace(/\.\w+$/, '.mjs'),
        service: env.POWERTOOLS_SERVICE_NAME ?? resource.id,
      });
    }
    for (const { physicalId: arn } of stack.ofType('AWS::Lambda::Version')) {
      const [, name = '', version = ''] = /function:([^:]+):(\d+)$/.exec(arn) ?? [];
      const latest = this.#deployed.get(name);
      const key = `${name}:${version}`;
      if (latest !== undefined && !this.#deployed.has(key)) this.#deployed.set(key, { ...latest, version, arn });
    }
  }

  /** The physical name of the function `launch`, `session`… */
  named(service: string): string {
    const found = [...this.#deployed.values()].find((each) => each.service === service && each.version === '$LATEST');
    if (found === undefined) throw new Error(`There is no function ${service}`);
    return found.name;
  }

  readonly service = async (call: ServiceCall): Promise<Answer | undefined> => {
    const [, path] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(call.url.pathname) ?? [];
    if (call.service !== 'lambda' || path === undefined) return undefined;
    const qualifier = call.url.searchParams.get('Qualifier');
    const name = decodeURIComponent(path) + (qualifier === null ? '' : `:${qualifier}`);
    const payload = call.body.length === 0 ? '{}' : call.body.toString();
    if (call.headers['x-amz-invocation-type'] === 'Event') {
      this.invokeLater(name, payload);
      return { status: 202, body: '' };
    }
    const { payload: body, functionError, version } = await this.invoke(name, payload);
    const failed = functionError === undefined ? {} : { 'x-amz-function-error': functionError };
    return {
      status: 200,
      headers: { 'x-amz-executed-version': version, 'content-type': 'application/json', ...failed },
      body,
    };
  };

  /** @param name a name or an ARN, perhaps with a version */
  async invoke(name: string, payload: string, requestId: string = randomUUID()): Promise<Invoked> {
    const deployed = this.#find(name);
    const before = await this.hooks.before?.(deployed.service, payload);
    if (before !== undefined) return before;
    const invoked = await this.#run(deployed, payload, requestId);
    return (await this.hooks.after?.(deployed.service, payload, invoked)) ?? invoked;
  }

  /** An asynchronous invocation: up to three tries under one request id, then the function's dead-letter queue, with the key of its role. */
  invokeLater(name: string, payload: string): void {
    const requestId = randomUUID();
    const tries = async (): Promise<void> => {
      let failed: Invoked | undefined;
      for (let n = 1; n <= 3 && !this.#stopped; n++) {
        failed = await this.invoke(name, payload, requestId);
        if (failed.functionError === undefined) return;
      }
      const { deadLetters, role } = this.#find(name);
      if (deadLetters === undefined || failed === undefined || this.#stopped) return;
      const attributes = { RequestID: requestId, ErrorMessage: failed.payload.slice(0, 1000) };
      const { keys, env } = this.#options;
      await sendMessage(env.AWS_ENDPOINT_URL ?? '', deadLetters, { body: payload, attributes }, keys.of(role));
    };
    const going = tries().finally(() => this.#background.delete(going));
    this.#background.add(going);
  }

  /** Until no asynchronous invocation is under way. */
  async idle(): Promise<void> {
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const environment of this.#running) environment.end();
    for (const environment of [...this.#idle.values()].flat()) environment.end();
    await Promise.allSettled(this.#background);
  }

  #find(name: string): Deployed {
    const short = name.replace(/^(?:arn:.*:function:|.*:function:)/, '').replace(/:\$LATEST$/, '');
    const found = this.#deployed.get(short);
    if (found !== undefined) return found;
    throw new ServiceFault('ResourceNotFoundException', `Function not found: ${name}`, 404);
  }

  async #run(deployed: Deployed, payload: string, awsRequestId: string): Promise<Invoked> {
    const key = deployed.arn + deployed.code.Key;
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    const environment = idle.pop() ?? (await this.#start(deployed));
    this.#running.add(environment);
    const { arn, name, version, timeout } = deployed;
    const answer = await environment.ask(JSON.parse(payload) as unknown, {
      functionName: name,
      functionVersion: version,
      invokedFunctionArn: arn,
      awsRequestId,
      timeout,
    });
    this.#running.delete(environment);
    if (environment.alive && !this.#stopped) idle.push(environment);
    else environment.end();
    return { ...answer, version };
  }

  async #start(deployed: Deployed): Promise<Environment> {
    const { Bucket, Key } = deployed.code;
    const code = this.#unpacked.get(Key) ?? this.#unpack(Bucket, Key);
    this.#unpacked.set(Key, code);
    const log = this.logs.get(deployed.service) ?? [];
    this.logs.set(deployed.service, log);
    const env = {
      ...this.#options.env,
      ...credentialVariables(this.#options.keys.of(deployed.role)),
      AWS_LAMBDA_FUNCTION_NAME: deployed.name,
      AWS_LAMBDA_FUNCTION_VERSION: deployed.version,
      AWS_REGION: REGION,
      TROWEL_LOOPBACK: 'true',
      ...deployed.env,
    };
    return new Environment(join(await code, deployed.file), env, (text) => log.push(text));
  }

  async #unpack(Bucket: string, Key: string): Promise<string> {
    const folder = join(this.#options.folder, Key.replaceAll(/\W/g, '_'));
    await mkdir(folder, { recursive: true });
    const { Body } = await this.#options.s3.send(new GetObjectCommand({ Bucket, Key }));
    for (const [name, bytes] of entriesOf(Buffer.from((await Body?.transformToByteArray()) ?? []))) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), bytes);
    }
    return folder;
  }
}

const RUNTIME = join(import.meta.dirname, 'lambda-runtime.mjs');

type Outcome = Omit<Invoked, 'version'>;

/** Of the context object. */
interface Context {
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly awsRequestId: string;
  /** Seconds. */
  readonly timeout: number;
}

/** One process. */
class Environment {
  readonly #process: ChildProcess;
  readonly #ready: Promise<void>;
  #answered: (outcome: Outcome) => void = () => {};
  alive = true;

  constructor(file: string, env: { readonly [name: string]: string }, log: (text: string) => void) {
    const { PATH = '' } = process.env;
    this.#process = fork(RUNTIME, [file], {
      env: { PATH, ...env },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', log);
    }
    this.#ready = new Promise((resolve) => {
      this.#process.on('message', (message: { ready?: true; ok?: string; error?: string }) => {
        if (message.ready) resolve();
        else if (message.error === undefined) this.#answered({ payload: message.ok ?? 'null' });
        else this.#answered({ payload: message.error, functionError: 'Unhandled' });
      });
      this.#process.on('exit', () => {
        this.alive = false;
        resolve();
        this.#answered(failure('Runtime.ExitError', 'Runtime exited without providing a reason'));
      });
    });
  }

  async ask(event: unknown, context: Context): Promise<Outcome> {
    const answered = new Promise<Outcome>((resolve) => {
      this.#answered = resolve;
    });
    await this.#ready;
    if (!this.alive) return failure('Runtime.ExitError', 'Runtime exited while it started');
    const { awsRequestId: id, timeout } = context;
    const timer = setTimeout(() => {
      this.#answered(failure('Sandbox.Timedout', `RequestId: ${id} Error: Task timed out after ${timeout}.00 seconds`));
      this.end();
    }, timeout * 1000);
    this.#process.send({ id, event, context });
    const outcome = await answered;
    clearTimeout(timer);
    return outcome;
  }

  end(): void {
    this.alive = false;
    this.#process.kill('SIGKILL');
  }
}

function failure(errorType: string, errorMessage: string): Outcome {
  return { payload: JSON.stringify({ errorType, errorMessage }), functionError: 'Unhandled' };
}

/** Files of a zip archive, by its directory at the end. */
function* entriesOf(zip: Buffer): Generator<readonly [name: string, bytes: Buffer]> {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [method, packed] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)];
    const [named, extra, comment] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + named);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = zip.subarray(start, start + packed);
    if (!name.endsWith('/')) yield [name, method === 0 ? bytes : inflateRawSync(bytes)];
    at += 46 + named + extra + comment;
  }
}
