/** The functions of a project: what each gets in its environment, and what its role may do. */
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import type { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ASSIGNMENTS } from '../contract/assignment-file.ts';
import { LOG_PREFIX, secretPrefix, stateMachineName } from '../contract/deployed-names.ts';
import { cdk, iam } from './cdk.ts';
import type { DeployedDefinitions } from './containers.ts';
import { useKey } from './encryption.ts';
import { type FunctionName, type FunctionProps, functionsFolder, makeFunction } from './functions.ts';
import type { LoadedProject } from './load-project.ts';
import { machineArns } from './machine-arns.ts';
import type { Network } from './network.ts';
import { notifyEnvironment, notifyStatements } from './notifications.ts';
import { allow, answers, everyBundle, listable, objects } from './statements.ts';
import type { TaskRoles } from './task-roles.ts';

export interface FunctionsProps {
  readonly project: LoadedProject;
  readonly functionLogLevel?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
  /** Folder of the bundled functions. */
  readonly functions?: string;
  readonly definitions: DeployedDefinitions;
  /** Of the functions themselves. */
  readonly logGroup: LogGroup;
  readonly taskLogs: LogGroup;
  readonly bundle: Asset;
  readonly tracing: boolean;
  readonly bucket: Bucket;
  readonly cluster: ICluster;
  readonly network: Network;
  readonly topic: Topic;
  readonly deadLetters: Queue;
  readonly taskRoles: TaskRoles;
  readonly executionRole: Role;
}

/** Settings and rights that a function has besides those of all functions. */
type Own = Pick<FunctionProps, 'environment' | 'statements' | 'deadLetters' | 'revision'>;

export function makeFunctions(
  scope: Construct,
  props: FunctionsProps,
): { readonly [name in FunctionName]: LambdaFunction } {
  const { project, logGroup, tracing } = props;
  const common = { POWERTOOLS_LOG_LEVEL: props.functionLogLevel ?? 'INFO', TROWEL_PROJECT: project.name };
  const folder = props.functions ?? functionsFolder();
  const { architecture } = project.config.task;
  const make = (name: FunctionName, own: Own): LambdaFunction => {
    const environment = { ...common, ...own.environment };
    return makeFunction(scope, { name, folder, logGroup, tracing, architecture, ...own, environment });
  };
  // Made first: launch names it.
  const render = make('render', { environment: {}, statements: [] });
  return {
    session: make('session', session(scope, props)),
    evaluate: make('evaluate', evaluate(props)),
    render,
    launch: make('launch', {
      environment: launchEnvironment(scope, props, render),
      statements: launchStatements(scope, props),
      revision: props.definitions.hash,
    }),
    'task-stopped': make('task-stopped', taskStopped(props)),
    http: make('http', http(scope, props)),
    notify: make('notify', notify(scope, props)),
  };
}

function session(scope: Construct, { project, bucket, deadLetters }: FunctionsProps): Own {
  const environment = bucketOf(bucket);
  const scheduled = [...new Set(project.schedules.map(({ workflow }) => workflow))];
  if (scheduled.length === 0) return { environment, statements: [] };
  const each = listable(scheduled.map((name) => stateMachineName(project.name, name)));
  return {
    environment,
    statements: [
      allow(['states:StartExecution', 'states:ListExecutions'], machineArns(scope, project.name, scheduled, each)),
      ...sendsTo(deadLetters),
    ],
    // Scheduler invokes it asynchronously and does not learn of its errors.
    deadLetters,
  };
}

function evaluate({ bucket }: FunctionsProps): Own {
  const values = bucket.arnForObjects('attempts/*/values/*');
  return { environment: bucketOf(bucket), statements: objects(bucket, ['s3:GetObject', 's3:PutObject'], values) };
}

function launchEnvironment(scope: Construct, props: FunctionsProps, render: LambdaFunction): Own['environment'] {
  const { project, definitions, bucket, bundle, cluster, network } = props;
  const { task, values } = project.config;
  return {
    ...bucketOf(bucket),
    TROWEL_CLUSTER: cluster.clusterArn,
    TROWEL_SUBNETS: cdk.Fn.join(',', [...network.subnetIds]),
    TROWEL_SECURITY_GROUPS: network.securityGroups.map((group) => group.securityGroupId).join(','),
    TROWEL_ASSIGN_PUBLIC_IP: network.assignPublicIp,
    TROWEL_TASK_DEFINITIONS: cdk.Stack.of(scope).toJsonString(definitions.table),
    TROWEL_TASK_TIMEOUT: String(task.timeout),
    TROWEL_HEARTBEAT: String(task.heartbeat),
    TROWEL_SPOT: String(task.spot),
    ...(values.pickle && { TROWEL_PICKLE: 'true' }),
    TROWEL_BUNDLE: bundle.s3ObjectUrl,
    TROWEL_SECRET_PREFIX: secretPrefix(project.name),
    TROWEL_RENDER: render.functionName,
    TROWEL_SECRETS: computable(project),
  };
}

function launchStatements(scope: Construct, props: FunctionsProps): PolicyStatement[] {
  const { project, definitions, bucket, bundle, cluster, taskRoles, executionRole } = props;
  return [
    // It writes what a resumed attempt refers to at an old place (lambdas/aws/earlier-place.ts).
    ...valuesAndRecords(bucket),
    // The address that it gives to a container is signed in its name: it has to be allowed to read there itself.
    ...objects(bucket, ['s3:GetObject', 's3:PutObject'], assignments(bucket), false),
    // For `rerun_changed`: whether a task's file is what it was.
    allow(['s3:GetObject'], [everyBundle(bundle)]),
    new iam.PolicyStatement({
      actions: ['ecs:RunTask'],
      resources: [...definitions.families],
      conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
    }),
    new iam.PolicyStatement({
      actions: ['iam:PassRole'],
      resources: [...taskRoles.passed, executionRole.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }),
    // Whether it is set; only ECS reads the value.
    allow(['secretsmanager:DescribeSecret'], [secretArns(scope, project)]),
    answers('states:SendTaskSuccess'),
  ];
}

function taskStopped({ bucket, taskLogs, deadLetters }: FunctionsProps): Own {
  return {
    environment: {
      ...bucketOf(bucket),
      TROWEL_LOG_GROUP: taskLogs.logGroupName,
      TROWEL_LOG_PREFIX: LOG_PREFIX,
    },
    statements: [
      ...objects(bucket, ['s3:GetObject'], assignments(bucket)),
      answers('states:SendTaskFailure'),
      ...sendsTo(deadLetters),
    ],
    deadLetters,
  };
}

function http(scope: Construct, { project, bucket }: FunctionsProps): Own {
  return {
    environment: { ...bucketOf(bucket), ...secretsOf(project) },
    statements: [...valuesAndRecords(bucket), readsSecrets(scope, project)],
  };
}

function notify(scope: Construct, props: FunctionsProps): Own {
  const { project, bucket, deadLetters } = props;
  return {
    environment: { ...bucketOf(bucket), ...secretsOf(project), ...notifyEnvironment(props) },
    statements: [...valuesAndRecords(bucket), readsSecrets(scope, project), ...notifyStatements(scope, props)],
    deadLetters,
  };
}

function bucketOf(bucket: Bucket): Own['environment'] {
  return { TROWEL_BUCKET: bucket.bucketName };
}

function secretsOf(project: LoadedProject): Own['environment'] {
  return { TROWEL_SECRET_PREFIX: secretPrefix(project.name), TROWEL_SECRETS: computable(project) };
}

/** Keys that an expression may make. */
function computable({ config }: LoadedProject): string {
  return JSON.stringify(config.secrets);
}

function readsSecrets(scope: Construct, project: LoadedProject): PolicyStatement {
  return allow(['secretsmanager:GetSecretValue'], [secretArns(scope, project)]);
}

function secretArns(scope: Construct, { name }: LoadedProject): string {
  return cdk.Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${secretPrefix(name)}*`,
    arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
  });
}

function valuesAndRecords(bucket: Bucket): PolicyStatement[] {
  return objects(bucket, ['s3:GetObject', 's3:PutObject'], bucket.arnForObjects('attempts/*'));
}

function assignments(bucket: Bucket): string {
  return bucket.arnForObjects(`${ASSIGNMENTS}*`);
}

function sendsTo(queue: Queue): PolicyStatement[] {
  return [allow(['sqs:SendMessage'], [queue.queueArn]), ...useKey(queue.encryptionMasterKey)];
}
