/**
 * ECS on Fargate: RunTask, StopTask, DescribeTasks and ListTasks are played here, with the checks that the real calls make; definitions and
 * the cluster are those of the deployed templates. A container is the deployed command as a local process (container-process.ts) with its
 * overrides, the definition's variables and secrets, and the keys of its task role, the caller's or the definition's, from an endpoint for
 * credentials; its lines go to CloudWatch Logs. The end of the essential container is the task's: the others are stopped then. Secrets and
 * logs are the execution role's doing and come through the proxy like everything else. Not played: images, networks, sizes.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { realClock } from '../../../lib/engine/clock.ts';
import type { Clock } from '../../../lib/engine/types.ts';
import { misfit } from '../../../lib/language/fargate-sizes.ts';
import { listen } from '../../lib/functions/http/server.ts';
import { ContainerLog, logPlace } from './container-log.ts';
import { type ContainerCommand, ContainerProcess, processesWith } from './container-process.ts';
import { type ContainerDefinition, EcsTask, type RunTaskRequest, type TaskDefinition } from './ecs-task.ts';
import type { Credentials } from './keys.ts';
import { type Answer, inputOf, json, type Part, REGION, type ServiceCall, ServiceFault } from './service.ts';
import type { DeployedStack, Mapping } from './template.ts';

export interface FargateOptions {
  /** The keys of a role, by name. */
  readonly keys: { of(role: string): Credentials };
  /** Of the proxy. */
  readonly url: string;
  /** To EventBridge. */
  readonly emit?: (event: Mapping) => void;
  /** Of waiting: cold starts, stop timeouts. Default: real time. */
  readonly clock?: Clock;
  /** Whether ECS may act as a role. Default: always. */
  readonly mayAssume?: (role: string) => boolean;
  /** Variables of every container, beside its own: what a test shortens. */
  readonly env?: { readonly [name: string]: string };
  /** Milliseconds from RunTask to the container's first process. Default 0. */
  readonly coldStart?: number;
  /**
   * Each bundle is fetched and unpacked once, by the deployed bootstrap; containers begin in that folder with the command that the bootstrap
   * becomes. Unpacking takes most of a container's start here. Default false.
   */
  readonly unpackOnce?: boolean;
}

export interface FargateHooks {
  /** Before the first process; a text is why it cannot be started, as `stoppedReason`. */
  starting?(task: EcsTask): string | undefined | Promise<string | undefined>;
  /** Its containers' first processes are there. */
  started?(task: EcsTask): void;
  /** Of a container's output. */
  line?(task: EcsTask, text: string, container: string): void;
  stopped?(task: EcsTask): void;
}

interface Container {
  readonly container: ContainerDefinition;
  readonly log: ContainerLog;
}

interface ReadyContainer extends Container {
  readonly secrets: { readonly [name: string]: string };
}

/** Seconds between SIGTERM and SIGKILL without a `stopTimeout`. */
const STOP_TIMEOUT = 30;
/** Of a Spot container, by AWS's notice. */
const SPOT_NOTICE = 120;
const OVERRIDES = 8_192;

export class Fargate implements Part {
  readonly #options: FargateOptions;
  readonly #clock: Clock;
  readonly #definitions = new Map<string, TaskDefinition>();
  /** Newest ARN of each definition in a template. */
  readonly #current = new Map<string, string>();
  /** ARNs, by stack. */
  readonly #clusters = new Map<string, readonly string[]>();
  readonly #subnets = new Map<string, ReadonlySet<string>>();
  readonly #requests = new Map<string, { readonly request: string; readonly tasks: readonly EcsTask[] }>();
  /** By container. */
  readonly #processes = new Map<EcsTask, Map<string, ContainerProcess>>();
  readonly #stopping = new WeakSet<EcsTask>();
  readonly #going = new Set<Promise<void>>();
  readonly #clients = new Map<
    string,
    { readonly logs: CloudWatchLogsClient; readonly secrets: SecretsManagerClient }
  >();
  #endpoint: Promise<{ readonly url: string; close(): Promise<void> }> | undefined;
  readonly #unpacked = new Map<string, Promise<string>>();
  readonly #over = settled();
  #ended = false;
  /** All that were ever started, in order. */
  readonly tasks: EcsTask[] = [];
  hooks: FargateHooks = {};

  constructor(options: FargateOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
  }

  deployed(stack: DeployedStack): void {
    for (const { id, physicalId: arn, properties } of stack.ofType('AWS::ECS::TaskDefinition')) {
      const containers = (properties.ContainerDefinitions ?? []) as unknown as ContainerDefinition[];
      const [container, another] = containers.filter(({ Essential }) => Essential !== false);
      if (container === undefined) throw new Error(`The task definition ${id} has no essential container`);
      if (another !== undefined) throw new Error(`Two essential containers are not played here: ${id}`);
      const { TaskRoleArn: taskRole, ExecutionRoleArn: executionRole } = properties;
      const known = this.#definitions.get(arn);
      this.#definitions.set(arn, {
        ...{ arn, properties, containers, container, active: known?.active ?? true },
        family: /task-definition\/([^:]+)/.exec(arn)?.[1] ?? String(properties.Family),
        roles: [taskRole, executionRole].filter((role) => typeof role === 'string'),
        ...(typeof taskRole === 'string' && { taskRole }),
        ...(typeof executionRole === 'string' && { executionRole }),
      });
      const before = this.#definitions.get(this.#current.get(`${stack.name}/${id}`) ?? '');
      // CloudFormation deregisters what it replaces, unless the template says to retain it.
      if (before !== undefined && before.arn !== arn)
        before.active = stack.resources.get(id)?.updateReplacePolicy === 'Retain';
      this.#current.set(`${stack.name}/${id}`, arn);
    }
    for (const [key, arn] of this.#current) {
      const definition = this.#definitions.get(arn);
      if (definition === undefined || !key.startsWith(`${stack.name}/`)) continue;
      if (!stack.resources.has(key.slice(stack.name.length + 1))) definition.active = false;
    }
    this.#clusters.set(
      stack.name,
      stack.ofType('AWS::ECS::Cluster').map(({ id }) => stack.attribute(id, 'Arn')),
    );
    this.#subnets.set(stack.name, new Set(stack.ofType('AWS::EC2::Subnet').map(({ physicalId }) => physicalId)));
  }

  /** By ARN, `family` or `family:revision`. */
  definition(id: string): TaskDefinition | undefined {
    const exact = this.#definitions.get(id);
    if (exact !== undefined) return exact;
    const short = id.slice(id.lastIndexOf('/') + 1);
    const all = [...this.#definitions.values()].reverse();
    return all.find(({ arn, family, active }) => arn.endsWith(`/${short}`) || (active && family === short));
  }

  readonly service = async (call: ServiceCall): Promise<Answer | undefined> => {
    if (call.service !== 'ecs') return undefined;
    const target = String(call.headers['x-amz-target']);
    const name = target.slice(target.lastIndexOf('.') + 1);
    const input = inputOf(call);
    switch (name) {
      case 'RunTask':
        return json(this.#runTask(input as RunTaskRequest));
      case 'StopTask':
        return json(this.#stopTask(input as { cluster?: string; task?: string; reason?: string }));
      case 'DescribeTasks':
        return json(this.#describeTasks(input as { cluster?: string; tasks?: string[] }));
      case 'ListTasks':
        return json(this.#listTasks(input as { [field: string]: string }));
      default:
        return undefined;
    }
  };

  #runTask(request: RunTaskRequest): object {
    const { cluster, definition } = this.#check(request);
    const { clientToken } = request;
    const text = JSON.stringify(request);
    const known = clientToken === undefined ? undefined : this.#requests.get(`${cluster} ${clientToken}`);
    if (known !== undefined && known.request !== text) {
      const message =
        'The RunTask request could not be processed due to conflicts. The provided clientToken is already in use with a different RunTask request.';
      throw new ServiceFault('ConflictException', message, 400, { resourceIds: known.tasks.map(({ arn }) => arn) });
    }
    const tasks = known?.tasks ?? this.#start(cluster, definition, request);
    if (clientToken !== undefined) this.#requests.set(`${cluster} ${clientToken}`, { request: text, tasks });
    return { tasks: tasks.map((task) => task.describe(seconds)), failures: [] };
  }

  #check(request: RunTaskRequest): { readonly cluster: string; readonly definition: TaskDefinition } {
    const { taskDefinition = '', overrides = {}, clientToken = '', startedBy = '', launchType } = request;
    const invalid = (message: string) => new ServiceFault('InvalidParameterException', message);
    const cluster = this.#cluster(request.cluster);
    const definition = this.definition(taskDefinition);
    if (definition === undefined) throw new ServiceFault('ClientException', 'TaskDefinition not found.');
    if (!definition.active) throw new ServiceFault('ClientException', 'TaskDefinition is inactive');
    if (clientToken.length > 64) throw invalid('clientToken must be at most 64 characters');
    if (startedBy.length > 128) throw invalid('startedBy must be at most 128 characters');
    if (JSON.stringify(overrides).length > OVERRIDES)
      throw invalid(`Container Overrides length must be at most ${OVERRIDES}`);
    for (const { name } of overrides.containerOverrides ?? []) {
      if (definition.containers.some(({ Name }) => Name === name)) continue;
      throw invalid(`Override for container named ${name} is not a container in the TaskDefinition.`);
    }
    if (launchType !== undefined && request.capacityProviderStrategy !== undefined)
      throw invalid(
        'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
      );
    const cpu = overrides.cpu ?? String(definition.properties.Cpu);
    const memory = Number(overrides.memory ?? definition.properties.Memory);
    if (misfit({ cpu: Number(cpu), memory }))
      throw invalid(`No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`);
    const network = request.networkConfiguration?.awsvpcConfiguration;
    if (network === undefined)
      throw invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
    const known = new Set([...this.#subnets.values()].flatMap((subnets) => [...subnets]));
    const unknown = (network.subnets ?? ['none']).find((subnet) => known.size > 0 && !known.has(subnet));
    if (unknown !== undefined)
      throw invalid(`Error retrieving subnet information for [${unknown}]: The subnet ID '${unknown}' does not exist`);
    return { cluster, definition };
  }

  #cluster(given = 'default'): string {
    const found = [...this.#clusters.values()].flat().find((arn) => arn === given || arn.endsWith(`/${given}`));
    if (found === undefined) throw new ServiceFault('ClusterNotFoundException', 'Cluster not found.');
    return found;
  }

  #start(cluster: string, definition: TaskDefinition, request: RunTaskRequest): readonly EcsTask[] {
    const tasks = Array.from(
      { length: request.count ?? 1 },
      () => new EcsTask(cluster, definition, request, this.#clock.now()),
    );
    for (const task of tasks) {
      this.tasks.push(task);
      const going = this.#run(task).finally(() => this.#going.delete(going));
      this.#going.add(going);
    }
    return tasks;
  }

  async #run(task: EcsTask): Promise<void> {
    this.#tell(task);
    const { containers } = task.definition;
    const started = containers.map((container) => ({
      container,
      log: new ContainerLog(container, task.id, this.#client(task).logs),
    }));
    try {
      if (this.#options.coldStart !== undefined) await this.#clock.sleep(this.#options.coldStart);
      task.to('PENDING');
      this.#tell(task);
      const ready = await this.#prepare(task, started);
      const refused = await Promise.race([this.hooks.starting?.(task), this.#over.promise]);
      if (refused !== undefined) throw new NotStarted(refused);
      if (task.desired === 'RUNNING' && !this.#ended) await this.#contain(task, ready);
    } catch (error) {
      task.stopCode ??= 'TaskFailedToStart';
      task.stoppedReason ??= (error as Error).message;
      task.desired = 'STOPPED';
    }
    await Promise.all(started.map(({ log }) => log.flush()));
    task.to('DEPROVISIONING');
    this.#tell(task);
    task.stopped = this.#clock.now();
    task.to('STOPPED');
    this.hooks.stopped?.(task);
    this.#tell(task);
  }

  /** What ECS's agent does before the containers: acts as the roles, makes the log streams, reads the secrets. */
  async #prepare(task: EcsTask, containers: readonly Container[]): Promise<readonly ReadyContainer[]> {
    const roles = [task.roles.task, task.roles.execution].filter((role) => role !== undefined);
    const stranger = roles.find((role) => this.#options.mayAssume?.(nameOf(role)) === false);
    if (stranger !== undefined)
      throw new NotStarted(`ECS was unable to assume the role '${stranger}' that was provided for this task.`);
    return Promise.all(
      containers.map(async ({ container, log }) => {
        await log.open().catch((error: Error) => {
          throw new NotStarted(
            `ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ${error.name}: ${error.message}`,
          );
        });
        return { container, log, secrets: await this.#secrets(task, container) };
      }),
    );
  }

  async #secrets(task: EcsTask, container: ContainerDefinition): Promise<{ readonly [name: string]: string }> {
    const env: { [name: string]: string } = {};
    for (const { Name, ValueFrom } of container.Secrets ?? []) {
      const [arn, ...more] = ValueFrom.split(/(?<=:secret:[^:]+):/);
      if (more.some((part) => part !== '')) throw new Error(`Parts of secrets are not played here: ${ValueFrom}`);
      const { SecretString } = await this.#client(task)
        .secrets.send(new GetSecretValueCommand({ SecretId: arn }))
        .catch((error: Error) => {
          throw new NotStarted(
            `ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret ${ValueFrom} from secrets manager: ${error.name}: ${error.message}`,
          );
        });
      env[Name] = SecretString ?? '';
    }
    return env;
  }

  async #contain(task: EcsTask, containers: readonly ReadyContainer[]): Promise<void> {
    const { container: essential } = task.definition;
    task.to('RUNNING');
    task.started = this.#clock.now();
    this.#tell(task);
    const commands = await Promise.all(containers.map((each) => this.#commandOf(task, each)));
    const running = new Map(commands.map(([name, command]) => [name, new ContainerProcess(command)]));
    this.#processes.set(task, running);
    const ends = new Map([...running].map(([name, contained]) => [name, this.#noteEnd(task, name, contained)]));
    this.hooks.started?.(task);
    await ends.get(essential.Name);
    task.stopCode ??= 'EssentialContainerExited';
    task.stoppedReason ??= 'Essential container in task exited';
    task.desired = 'STOPPED';
    this.#stopContainers(task);
    await Promise.all(ends.values());
    this.#processes.delete(task);
  }

  async #noteEnd(task: EcsTask, name: string, { exit }: ContainerProcess): Promise<void> {
    task.exitCodes.set(name, await exit);
    this.#processes.get(task)?.delete(name);
  }

  async #commandOf(
    task: EcsTask,
    { container, log, secrets }: ReadyContainer,
  ): Promise<readonly [name: string, command: ContainerCommand]> {
    const { url } = await this.#metadata();
    const env = {
      AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE',
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      // Fargate gives a relative address below 169.254.170.2.
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/credentials/${task.id}`,
      AWS_ENDPOINT_URL: this.#options.url,
      ...Object.fromEntries((container.Environment ?? []).map(({ Name, Value }) => [Name, Value])),
      ...secrets,
      ...task.environmentOf(container),
      ...this.#options.env,
    };
    const given = task.override(container.Name)?.command;
    const command = [...(container.EntryPoint ?? []), ...(given ?? container.Command ?? [])];
    if (command.length === 0) throw new NotStarted(`The command of the image ${container.Image} is not played here`);
    // Where the bootstrap fails, the container itself does: it says why.
    const bootstrap = this.#options.unpackOnce && container === task.definition.container;
    const unpacked = bootstrap ? await this.#unpack(command, env).catch(() => undefined) : undefined;
    const made: ContainerCommand = {
      argv: unpacked === undefined ? command : ['python3', '-m', 'trowel_task', 'fargate'],
      env: { ...env, ...(unpacked !== undefined && { PYTHONPATH: join(unpacked, 'site-packages') }) },
      ...(unpacked !== undefined && { cwd: unpacked }),
      mark: markOf(task, container, url),
      line: (text) => {
        log.add(text);
        this.hooks.line?.(task, text, container.Name);
      },
    };
    return [container.Name, made];
  }

  /** SIGTERM to those that run, and SIGKILL to those that still run after their time, or after `timeout` seconds. */
  #stopContainers(task: EcsTask, timeout?: number): void {
    if (this.#stopping.has(task)) return;
    this.#stopping.add(task);
    for (const { Name, StopTimeout = STOP_TIMEOUT } of task.definition.containers) {
      const running = this.#processes.get(task)?.get(Name);
      if (running === undefined) continue;
      running.terminate();
      void this.#clock.sleep((timeout ?? StopTimeout) * 1000).then(() => this.#processes.get(task)?.get(Name)?.kill());
    }
  }

  /** @param command `python3 -c SOURCE` */
  #unpack(command: readonly string[], env: { readonly [name: string]: string }): Promise<string> {
    const key = env.TROWEL_BUNDLE_SHA256 ?? '';
    const known = this.#unpacked.get(key);
    if (known !== undefined) return known;
    const made = (async () => {
      const folder = await mkdtemp(join(tmpdir(), 'trowel-bundle-'));
      const variables = { ...env, PATH: process.env.PATH ?? '', BOOTSTRAP: command.at(-1) ?? '' };
      await promisify(execFile)('python3', ['-c', UNPACK, folder], { env: variables });
      return folder;
    })();
    this.#unpacked.set(key, made);
    made.catch(() => this.#unpacked.delete(key));
    return made;
  }

  /** The next container fetches its bundle again. */
  async forgetBundles(): Promise<void> {
    const folders = await Promise.allSettled(this.#unpacked.values());
    this.#unpacked.clear();
    for (const each of folders) if (each.status === 'fulfilled') await rm(each.value, { recursive: true, force: true });
  }

  #stopTask({ cluster, task: id = '', reason }: { cluster?: string; task?: string; reason?: string }): object {
    const task = this.#find(this.#cluster(cluster), id);
    if (task === undefined) throw new ServiceFault('InvalidParameterException', 'The referenced task was not found.');
    this.#end(task, 'UserInitiated', reason ?? 'Task stopped by user');
    return { task: task.describe(seconds) };
  }

  /** AWS takes a Spot container back. */
  reclaim(task: EcsTask): void {
    this.#end(task, 'SpotInterruption', 'Your Spot Task was interrupted.', SPOT_NOTICE);
  }

  #end(task: EcsTask, code: string, reason: string, timeout?: number): void {
    if (task.desired === 'STOPPED') return;
    task.desired = 'STOPPED';
    task.stopCode = code;
    task.stoppedReason = reason;
    if (!this.#processes.has(task)) return;
    this.#tell(task);
    this.#stopContainers(task, timeout);
  }

  /** SIGKILL to all processes of the essential container, as when its memory is gone; whether it ran. */
  async kill(task: EcsTask, reason?: string): Promise<boolean> {
    const running = this.#processes.get(task)?.get(task.definition.container.Name);
    if (running === undefined) return false;
    if (reason !== undefined) task.reason = reason;
    await running.kill();
    return true;
  }

  #describeTasks({ cluster, tasks = [] }: { readonly cluster?: string; readonly tasks?: readonly string[] }): object {
    const where = this.#cluster(cluster);
    const found = tasks.map((id) => [id, this.#find(where, id)] as const);
    return {
      tasks: found.flatMap(([, task]) => (task === undefined ? [] : [task.describe(seconds)])),
      failures: found.flatMap(([arn, task]) => (task === undefined ? [{ arn, reason: 'MISSING' }] : [])),
    };
  }

  #listTasks({ cluster, startedBy, family, desiredStatus = 'RUNNING' }: { readonly [field: string]: string }): object {
    const where = this.#cluster(cluster);
    const fits = (task: EcsTask) =>
      task.cluster === where &&
      task.desired === desiredStatus &&
      (startedBy === undefined || task.request.startedBy === startedBy) &&
      (family === undefined || task.definition.family === family);
    return { taskArns: this.tasks.filter(fits).map(({ arn }) => arn) };
  }

  #find(cluster: string, id: string): EcsTask | undefined {
    return this.tasks.find((task) => task.cluster === cluster && (task.arn === id || task.id === id));
  }

  /** Containers that have not ended. */
  running(): readonly EcsTask[] {
    return this.tasks.filter(({ status }) => status !== 'STOPPED');
  }

  /** Processes of containers that have ended: there must be none. */
  async left(): Promise<readonly number[]> {
    if (this.#endpoint === undefined) return [];
    const { url } = await this.#endpoint;
    const over = this.tasks.filter(({ status }) => status === 'STOPPED');
    const marks = over.flatMap((task) => task.definition.containers.map((each) => markOf(task, each, url)));
    return marks.flatMap(processesWith);
  }

  async stop(): Promise<void> {
    this.#ended = true;
    this.#over.settle();
    const running = [...this.#processes.values()].flatMap((containers) => [...containers.values()]);
    await Promise.all(running.map((each) => each.kill()));
    await Promise.allSettled(this.#going);
    for (const { logs, secrets } of this.#clients.values()) {
      logs.destroy();
      secrets.destroy();
    }
    await (await this.#endpoint)?.close();
    await this.forgetBundles();
  }

  #tell(task: EcsTask): void {
    this.#options.emit?.(task.event(this.#clock.now()));
  }

  /** In the name of the task's execution role. */
  #client(task: EcsTask) {
    const executionRole = nameOf(task.roles.execution ?? '');
    let clients = this.#clients.get(executionRole);
    if (clients === undefined) {
      const config = { endpoint: this.#options.url, region: REGION, credentials: this.#options.keys.of(executionRole) };
      clients = { logs: new CloudWatchLogsClient(config), secrets: new SecretsManagerClient(config) };
      this.#clients.set(executionRole, clients);
    }
    return clients;
  }

  /** Where containers find their credentials and what ECS knows of them. */
  #metadata(): Promise<{ readonly url: string; close(): Promise<void> }> {
    this.#endpoint ??= (async () => {
      const server: Server = createServer((request, response) => {
        const [, kind, id, name] = /^\/(credentials|metadata)\/(\w+)(?:\/([\w-]+))?$/.exec(request.url ?? '') ?? [];
        const task = this.tasks.find((each) => each.id === id);
        const container = task?.definition.containers.find(({ Name }) => Name === name);
        const body =
          task !== undefined && kind === 'credentials'
            ? this.#credentials(task)
            : task && container && metadataOf(task, container);
        response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body ?? {}));
      });
      return listen(server, 'http');
    })();
    return this.#endpoint;
  }

  #credentials({ roles: { task: taskRole = '' }, id }: EcsTask): object {
    const { accessKeyId, secretAccessKey } = this.#options.keys.of(nameOf(taskRole));
    // The token goes with every call: it says which container makes it.
    const Expiration = new Date(Date.now() + 6 * 3_600_000).toISOString().replace(/\.\d+Z/, 'Z');
    return { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: id, Expiration, RoleArn: taskRole };
  }
}

/** The deployed bootstrap without its end, where it becomes the runner. */
const UNPACK = `
import os, sys
bootstrap = {'__name__': 'bootstrap'}
exec(compile(os.environ.pop('BOOTSTRAP'), 'bootstrap', 'exec'), bootstrap)
archive = os.path.join(sys.argv[1], 'bundle.zip')
bootstrap['fetch'](archive)
bootstrap['unpack'](archive, sys.argv[1])
`;

class NotStarted extends Error {}

/** A promise that is settled from outside. */
function settled(): { readonly promise: Promise<undefined>; settle(): void } {
  let settle: () => void = () => {};
  const promise = new Promise<undefined>((resolve) => {
    settle = () => resolve(undefined);
  });
  return { promise, settle: () => settle() };
}

/** Of ECS_CONTAINER_METADATA_URI_V4, as far as it is read. */
function metadataOf({ id, arn }: EcsTask, container: ContainerDefinition): object {
  const place = logPlace(container, id);
  const options = place && {
    'awslogs-group': place.group,
    'awslogs-region': place.region,
    'awslogs-stream': place.stream,
  };
  return {
    DockerName: container.Name,
    Image: container.Image,
    Labels: { 'com.amazonaws.ecs.task-arn': arn },
    ...(options && { LogDriver: 'awslogs', LogOptions: options }),
  };
}

/** The container's own address of metadata, which all its processes inherit. */
function markOf({ id }: EcsTask, { Name }: ContainerDefinition, url: string): string {
  return `ECS_CONTAINER_METADATA_URI_V4=${url}/metadata/${id}/${Name}`;
}

function nameOf(role: string): string {
  return role.slice(role.lastIndexOf('/') + 1);
}

function seconds(ms: number): number {
  return ms / 1000;
}
