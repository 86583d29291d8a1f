/** A task of ECS as its API and its events say it. */
import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from './service.ts';
import type { Mapping } from './template.ts';

export interface RunTaskRequest {
  readonly cluster?: string;
  readonly taskDefinition?: string;
  readonly count?: number;
  readonly clientToken?: string;
  readonly startedBy?: string;
  readonly group?: string;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly { readonly capacityProvider: string }[];
  readonly networkConfiguration?: {
    readonly awsvpcConfiguration?: {
      readonly subnets?: readonly string[];
      readonly securityGroups?: readonly string[];
      readonly assignPublicIp?: string;
    };
  };
  readonly overrides?: TaskOverrides;
  readonly tags?: readonly Mapping[];
}

export interface TaskOverrides {
  readonly cpu?: string;
  readonly memory?: string;
  readonly ephemeralStorage?: { readonly sizeInGiB: number };
  readonly taskRoleArn?: string;
  readonly executionRoleArn?: string;
  readonly containerOverrides?: readonly {
    readonly name?: string;
    readonly command?: readonly string[];
    readonly environment?: readonly { readonly name: string; readonly value: string }[];
  }[];
}

export interface TaskDefinition {
  /** With its revision. */
  readonly arn: string;
  readonly family: string;
  readonly roles: readonly string[];
  /** ARNs. */
  readonly taskRole?: string;
  readonly executionRole?: string;
  readonly properties: Mapping;
  /** In the template's order. */
  readonly containers: readonly ContainerDefinition[];
  /** The first essential one: its end is the task's. */
  readonly container: ContainerDefinition;
  active: boolean;
}

/** A container of a definition, as the template writes it. */
export interface ContainerDefinition {
  readonly Name: string;
  /** Default: true. */
  readonly Essential?: boolean;
  readonly Image: string;
  readonly EntryPoint?: readonly string[];
  readonly Command?: readonly string[];
  readonly Environment?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Secrets?: readonly { readonly Name: string; readonly ValueFrom: string }[];
  readonly LogConfiguration?: { readonly LogDriver: string; readonly Options: { readonly [name: string]: string } };
  /** Seconds. */
  readonly StopTimeout?: number;
}

export type Status =
  | 'PROVISIONING'
  | 'PENDING'
  | 'ACTIVATING'
  | 'RUNNING'
  | 'DEACTIVATING'
  | 'STOPPING'
  | 'DEPROVISIONING'
  | 'STOPPED';

export class EcsTask {
  readonly id = randomUUID().replaceAll('-', '');
  readonly arn: string;
  readonly cluster: string;
  readonly definition: TaskDefinition;
  readonly request: RunTaskRequest;
  readonly #created: number;
  #version = 1;
  status: Status = 'PROVISIONING';
  desired: 'RUNNING' | 'STOPPED' = 'RUNNING';
  started: number | undefined;
  stopped: number | undefined;
  /** By container. */
  readonly exitCodes = new Map<string, number>();
  /** Of the essential container. */
  reason: string | undefined;
  stopCode: string | undefined;
  stoppedReason: string | undefined;

  constructor(cluster: string, definition: TaskDefinition, request: RunTaskRequest, now: number) {
    this.cluster = cluster;
    this.definition = definition;
    this.request = request;
    this.#created = now;
    this.arn = `arn:aws:ecs:${REGION}:${ACCOUNT}:task/${cluster.slice(cluster.lastIndexOf('/') + 1)}/${this.id}`;
  }

  get spot(): boolean {
    return this.request.capacityProviderStrategy?.[0]?.capacityProvider === 'FARGATE_SPOT';
  }

  /** ARNs of the roles that it acts as: its own, if the caller gave one, in place of the definition's. */
  get roles(): { readonly task: string | undefined; readonly execution: string | undefined } {
    const { taskRoleArn, executionRoleArn } = this.request.overrides ?? {};
    return {
      task: taskRoleArn ?? this.definition.taskRole,
      execution: executionRoleArn ?? this.definition.executionRole,
    };
  }

  /** Of the essential container. */
  get exitCode(): number | undefined {
    return this.exitCodes.get(this.definition.container.Name);
  }

  /** Of the essential container: the address of the assignment and whatever else the caller gave. */
  get environment(): { readonly [name: string]: string } {
    return this.environmentOf(this.definition.container);
  }

  environmentOf({ Name }: ContainerDefinition): { readonly [name: string]: string } {
    const given = this.override(Name)?.environment ?? [];
    return Object.fromEntries(given.map(({ name, value }) => [name, value]));
  }

  override(container: string) {
    return this.request.overrides?.containerOverrides?.find(({ name }) => name === container);
  }

  to(status: Status): void {
    this.status = status;
    this.#version += 1;
  }

  /** As DescribeTasks gives it, with times by `time`. */
  describe(time: (ms: number) => string | number): Mapping {
    const { definition, request, arn } = this;
    const { properties, containers, container, family } = definition;
    const overrides = request.overrides ?? {};
    const provider = request.capacityProviderStrategy?.[0]?.capacityProvider;
    const subnet = request.networkConfiguration?.awsvpcConfiguration?.subnets?.[0] ?? '';
    const made = {
      attachments: [
        {
          id: randomUUID(),
          type: 'eni',
          status: this.status === 'STOPPED' ? 'DELETED' : 'ATTACHED',
          details: [{ name: 'subnetId', value: subnet }],
        },
      ],
      availabilityZone: `${REGION}a`,
      ...(provider !== undefined && { capacityProviderName: provider }),
      clusterArn: this.cluster,
      connectivity: 'CONNECTED',
      containers: containers.map((each, at) => {
        const exitCode = this.exitCodes.get(each.Name);
        const status = this.status === 'PROVISIONING' ? 'PENDING' : this.status;
        return {
          containerArn: `${arn.replace(':task/', ':container/')}/${at + 1}`,
          taskArn: arn,
          name: each.Name,
          image: each.Image,
          lastStatus: exitCode === undefined ? status : 'STOPPED',
          ...(exitCode !== undefined && { exitCode }),
          ...(each === container && this.reason !== undefined && { reason: this.reason }),
          networkInterfaces: [],
          cpu: '0',
        };
      }),
      cpu: overrides.cpu ?? String(properties.Cpu),
      memory: overrides.memory ?? String(properties.Memory),
      createdAt: time(this.#created),
      desiredStatus: this.desired,
      enableExecuteCommand: false,
      group: request.group ?? `family:${family}`,
      launchType: 'FARGATE',
      lastStatus: this.status,
      overrides: {
        inferenceAcceleratorOverrides: [],
        containerOverrides: containers.map(({ Name: name }) => ({ name })),
        ...overrides,
      },
      platformFamily: 'Linux',
      platformVersion: '1.4.0',
      ...(request.startedBy !== undefined && { startedBy: request.startedBy }),
      ...(this.started !== undefined && { startedAt: time(this.started) }),
      ...(this.stopped !== undefined && { stoppedAt: time(this.stopped), stoppingAt: time(this.stopped) }),
      ...(this.stopCode !== undefined && { stopCode: this.stopCode }),
      ...(this.stoppedReason !== undefined && { stoppedReason: this.stoppedReason }),
      tags: request.tags ?? [],
      taskArn: arn,
      taskDefinitionArn: definition.arn,
      version: this.#version,
    };
    return JSON.parse(JSON.stringify(made)) as Mapping;
  }

  /** `ECS Task State Change`. */
  event(now: number): Mapping {
    const iso = (ms: number) => new Date(ms).toISOString();
    const { tags: _, ...detail } = this.describe(iso);
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': 'ECS Task State Change',
      source: 'aws.ecs',
      account: ACCOUNT,
      time: iso(now).replace(/\.\d+Z/, 'Z'),
      region: REGION,
      resources: [this.arn],
      detail: { ...detail, updatedAt: iso(now) },
    };
  }
}
