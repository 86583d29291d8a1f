/**
 * A folder of workflows on AWS. This is the construct for an app of your own; `trowel app` puts it into a stack by itself.
 *
 * ```ts
 * const project = await loadTrowelProject('workflows');
 * const sales = new TrowelProject(stack, 'Sales', { project, vpc });
 * table.grantReadData(sales.taskRole);
 * ```
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ContainerImage, ICluster } from 'aws-cdk-lib/aws-ecs';
import type { IGrantable, IManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import { ofKind } from '../compiler/needs.ts';
import { PROJECT_TAG } from '../contract/deployed-names.ts';
import { packageFolder } from '../host/package-folder.ts';
import { acknowledge } from './acknowledgements.ts';
import { makeBucket } from './bucket.ts';
import { cdk, constructs, ecs, events, iam, s3assets, sqs, targets } from './cdk.ts';
import { type DeployedDefinitions, makeDefinitions } from './containers.ts';
import { letServicesUse } from './encryption.ts';
import { currentVersion, type FunctionName } from './functions.ts';
import type { LoadedProject } from './load-project.ts';
import { makeLogGroups } from './log-groups.ts';
import type { MachineRoleProps } from './machine-role.ts';
import { type MadeMachine, makeMachines } from './machines.ts';
import { makeAlarms, makeDashboard } from './monitoring.ts';
import { makeNetwork, type Network } from './network.ts';
import { alarmAction, makeTopic, warnOfUnheard, watchExecutions } from './notifications.ts';
import { makeFunctions } from './project-functions.ts';
import { makeSchedules } from './schedules.ts';
import { allow, answers, everyBundle, ownObjects } from './statements.ts';
import { TaskRoles, tasksOfThisAccount } from './task-roles.ts';

export interface TrowelProjectProps {
  /** From `loadTrowelProject`. The architecture is chosen there, for the bundle is installed for it. */
  readonly project: LoadedProject;
  /** Where containers run. Default: what `network:` of trowel.yml says; without it, the VPC that all such projects of the account and region share. */
  readonly vpc?: IVpc;
  readonly subnets?: SubnetSelection;
  /** Default: one that admits nothing. */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** A cluster; with the capacity providers FARGATE and FARGATE_SPOT if tasks use Spot. Default: one of its own. */
  readonly cluster?: ICluster;
  /** Image of tasks that name none; it needs python3. Default: that of trowel.yml, else a stock Python. */
  readonly image?: ContainerImage;
  /** Encrypts the bucket, the logs, the queue and the topic. Default: keys of the services, free of charge. */
  readonly encryptionKey?: IKey;
  /** On every role of this construct. The helper that empties a bucket (`removalPolicy: DESTROY`) belongs to the stack. */
  readonly permissionsBoundary?: IManagedPolicy;
  /** On every resource, over those of trowel.yml. */
  readonly tags?: { readonly [key: string]: string };
  /** X-Ray traces of executions and functions. Default true. */
  readonly tracing?: boolean;
  /** Events of executions in CloudWatch, without their data. Default ALL. */
  readonly logLevel?: 'ALL' | 'ERROR' | 'FATAL' | 'OFF';
  /** Of the functions: DEBUG, INFO, WARN or ERROR. Default INFO. */
  readonly functionLogLevel?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /** Container Insights of its own cluster, which are charged by metric. Default false. */
  readonly containerInsights?: boolean;
  /** What becomes of bucket and logs when the stack is deleted. Default RETAIN_ON_UPDATE_OR_DELETE, which leaves nothing
   * of a first deploy that fails: log groups would be in the way of the next. DESTROY empties the bucket. */
  readonly removalPolicy?: RemovalPolicy;
  /** Folder of the bundled functions, `NAME/index.mjs`. Default: those of this package. */
  readonly functions?: string;
  /** File with the containers' bootstrap. Default: that of this package. */
  readonly bootstrap?: string;
}

export class TrowelProject extends constructs.Construct {
  readonly bucket: Bucket;
  readonly cluster: ICluster;
  /**
   * What user code in containers may do: a role for each workflow, granted together. Grant it what tasks need, or use `grantTask…`. For
   * one workflow only, grant `machine('main').taskRole`.
   */
  readonly taskRole: TaskRoles;
  /** With which ECS starts containers: pulls images, reads secrets, writes logs. */
  readonly executionRole: Role;
  readonly network: Network;
  readonly machines: readonly MadeMachine[];
  readonly functions: { readonly [name in FunctionName]: LambdaFunction };
  /** Alarms and notifications. */
  readonly topic: Topic;
  /** Schedules that could not start their session, notifications that could not be sent. */
  readonly deadLetters: Queue;
  readonly taskLogs: LogGroup;

  constructor(scope: Construct, id: string, props: TrowelProjectProps) {
    super(scope, id);
    const { project, encryptionKey } = props;
    const removalPolicy = props.removalPolicy ?? cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
    const tracing = props.tracing ?? true;
    letServicesUse(this, encryptionKey);
    this.bucket = makeBucket(this, { project, encryptionKey, removalPolicy });
    const logGroups = makeLogGroups(this, { project, encryptionKey, removalPolicy });
    this.taskLogs = logGroups.tasks;
    this.deadLetters = makeDeadLetters(this, encryptionKey);
    this.topic = makeTopic(this, project, encryptionKey);

    this.network = makeProjectNetwork(this, props, logGroups.functions, tracing);
    this.cluster = props.cluster ?? ownCluster(this, this.network.vpc, props);
    const bundle = new s3assets.Asset(this, 'Bundle', { path: project.bundle.file });
    this.executionRole = new iam.Role(this, 'ExecutionRole', {
      assumedBy: tasksOfThisAccount(this),
      description: 'With which ECS starts the containers of Trowel tasks',
    });
    this.taskRole = new TaskRoles(this, 'TaskRole', project);
    const definitions = this.#makeDefinitions(props, bundle);
    const { bucket, cluster, network, topic, deadLetters, taskLogs, taskRole: taskRoles, executionRole } = this;
    this.functions = makeFunctions(this, {
      ...props,
      ...{ definitions, logGroup: logGroups.functions, bundle, tracing, bucket, cluster, network, topic },
      ...{ deadLetters, taskLogs, taskRoles, executionRole },
    });
    this.#allowTasks(bundle);
    this.machines = makeMachines(this, {
      project,
      functions: this.#calledFunctions(project),
      taskRoles: this.taskRole.roles,
      logGroup: logGroups.machines,
      logLevel: props.logLevel ?? 'ALL',
      tracing,
    });
    const { name, schedules } = project;
    makeSchedules(this, { project: name, schedules, session: this.functions.session, deadLetters });
    this.#watchContainers();
    this.#report(project);
    this.#label(props);
    warnOfUnknown(this, project);
    acknowledge(this);
  }

  /** Lets tasks read objects in your bucket. */
  grantTaskRead(bucket: IBucket, pattern?: string): void {
    bucket.grantRead(this.taskRole, pattern);
  }

  /** Lets tasks read, write and delete objects in your bucket. */
  grantTaskReadWrite(bucket: IBucket, pattern?: string): void {
    bucket.grantReadWrite(this.taskRole, pattern);
  }

  /** Lets tasks do what a statement says. */
  grantTask(statement: PolicyStatement): void {
    this.taskRole.addToPolicy(statement);
  }

  /**
   * Lets the state machine of a workflow do what a statement says, as its aws>, lambda> and s3_wait> need, those of its parts too. In a
   * project with so many workflows that a stack does not hold a role for each, workflows with the same needs share one.
   */
  grantWorkflow(name: string, statement: PolicyStatement): void {
    this.machine(name).role.addToPolicy(statement);
  }

  /**
   * Lets somebody start a workflow, see how it goes and stop it, by the API of Step Functions. The command line asks for more: it looks
   * for the project, and reads logs (docs/cli.md).
   */
  grantStart(grantee: IGrantable, name: string): void {
    const { arn } = this.machine(name);
    const grant = (actions: string[], resource: string) =>
      iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [resource] });
    grant(['states:StartExecution', 'states:ListExecutions'], arn);
    grant(
      ['states:DescribeExecution', 'states:GetExecutionHistory', 'states:StopExecution'],
      `${arn.replace(':stateMachine:', ':execution:')}:*`,
    );
  }

  /** Of a workflow, or a part of one. Throws an Error if there is none. */
  machine(name: string): MadeMachine {
    const found = this.machines.find((machine) => machine.name === name);
    if (found === undefined) throw new Error(`There is no workflow '${name}' in this project`);
    return found;
  }

  #makeDefinitions({ project, image, bootstrap }: TrowelProjectProps, bundle: Asset): DeployedDefinitions {
    const file = bootstrap ?? packageFolder(join('task-images', 'python', 'src', 'trowel_task', 'aws', 'bootstrap.py'));
    return makeDefinitions(this, {
      project,
      cluster: this.cluster,
      ...present({ image }),
      bucket: this.bucket.bucketName,
      bundle,
      logGroup: this.taskLogs,
      taskRole: this.taskRole.idle,
      executionRole: this.executionRole,
      bootstrap: readFileSync(file, 'utf8'),
    });
  }

  /** What the runner in a container needs. */
  #allowTasks(bundle: Asset): void {
    this.taskRole.allow((workflow) => [
      ...ownObjects(this.bucket, workflow),
      allow(['s3:GetObject'], [everyBundle(bundle)]),
      allow(['lambda:InvokeFunction'], [this.functions.render.functionArn]),
      answers('states:SendTaskFailure', 'states:SendTaskHeartbeat', 'states:SendTaskSuccess'),
    ]);
  }

  #calledFunctions({ machines }: LoadedProject): MachineRoleProps['functions'] {
    const names = new Set(machines.flatMap(({ rights }) => rights.functions)) as ReadonlySet<FunctionName>;
    const called = [...names].map((name) => {
      const made = this.functions[name];
      return [name, { version: currentVersion(made).functionArn, arn: made.functionArn }] as const;
    });
    return Object.fromEntries(called);
  }

  /** Notifications, alarms and the dashboard. */
  #report(project: LoadedProject): void {
    const { machines, deadLetters, topic } = this;
    const { notify } = this.functions;
    watchExecutions(this, { project, machines, notify, deadLetters });
    warnOfUnheard(this, project);
    const monitoring = {
      project: project.name,
      machines,
      functions: Object.values(this.functions),
      deadLetters,
      topic,
      notifications: project.config.notifications,
      notify: alarmAction(this, project.name, notify),
    };
    makeDashboard(this, monitoring, makeAlarms(this, monitoring));
  }

  /** Puts tags and the permissions boundary on whatever is made. */
  #label({ project: { name, config }, tags, permissionsBoundary }: TrowelProjectProps): void {
    const all = { [PROJECT_TAG]: name, ...config.tags, ...tags };
    for (const [key, value] of Object.entries(all)) cdk.Tags.of(this).add(key, value);
    if (permissionsBoundary !== undefined) iam.PermissionsBoundary.of(this).apply(permissionsBoundary);
  }

  /** A task token never learns that its container has died. */
  #watchContainers(): void {
    const rule = new events.Rule(this, 'TaskStopped', {
      description: 'Containers of Trowel tasks that have ended',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: { clusterArn: [this.cluster.clusterArn], lastStatus: ['STOPPED'] },
      },
    });
    rule.addTarget(new targets.LambdaFunction(this.functions['task-stopped'], { retryAttempts: 185 }));
  }
}

/**
 * In an account that never used ECS, capacity providers cannot be attached until its service-linked role is there, so only Spot asks for
 * them.
 */
function ownCluster(scope: Construct, vpc: IVpc, { project, containerInsights }: TrowelProjectProps): ICluster {
  return new ecs.Cluster(scope, 'Cluster', {
    vpc,
    enableFargateCapacityProviders: usesSpot(project),
    containerInsightsV2: containerInsights === true ? ecs.ContainerInsights.ENABLED : ecs.ContainerInsights.DISABLED,
  }) as ICluster;
}

/** Whether any task asks for Spot, or may. */
function usesSpot({ config, needs }: LoadedProject): boolean {
  return config.task.spot || ofKind(needs, 'spot').length > 0;
}

function makeDeadLetters(scope: Construct, encryptionKey: IKey | undefined): Queue {
  return new sqs.Queue(scope, 'DeadLetters', {
    enforceSSL: true,
    retentionPeriod: cdk.Duration.days(14),
    ...(encryptionKey === undefined
      ? { encryption: sqs.QueueEncryption.SQS_MANAGED }
      : { encryptionMasterKey: encryptionKey }),
  });
}

function makeProjectNetwork(
  scope: Construct,
  props: TrowelProjectProps,
  logGroup: LogGroup,
  tracing: boolean,
): Network {
  const { name, config } = props.project;
  const network = { ...props, project: name, logGroup, tracing, architecture: config.task.architecture };
  return makeNetwork(scope, config.network, { ...props, network });
}

function warnOfUnknown(scope: Construct, { machines }: LoadedProject): void {
  for (const { name, rights } of machines) {
    for (const what of rights.unknown) {
      cdk.Annotations.of(scope).addWarningV2(
        `trowel:permission:${name}:${what}`,
        `${name}: only you know which resources this needs: ${what}. Without them AWS refuses the call. ` +
          `Allow it with grantWorkflow('${name}', statement) of TrowelProject, in a CDK app of your own; trowel app has no setting for it`,
      );
    }
  }
}
