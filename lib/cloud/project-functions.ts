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
import { type FunctionName, functionsFolder, makeFunction } from './functions.ts';
import type { LoadedProject } from './load-project.ts';
import { everyMachine, machineArn } from './machines.ts';
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

export function makeFunctions(
  scope: Construct,
  props: FunctionsProps,
): { readonly [name in FunctionName]: LambdaFunction } {
  const {
    project,
    definitions,
    logGroup,
    bundle,
    tracing,
    bucket: store,
    cluster,
    network,
    topic,
    deadLetters,
  } = props;
  const { config } = project;
  const stack = cdk.Stack.of(scope);
  const common = { POWERTOOLS_LOG_LEVEL: props.functionLogLevel ?? 'INFO', TROWEL_PROJECT: project.name };
  const bucket = { TROWEL_BUCKET: store.bucketName };
  const prefix = secretPrefix(project.name);
  // Keys that an expression may make.
  const computable = { TROWEL_SECRETS: JSON.stringify(config.secrets) };
  const secrets = stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${prefix}*`,
    arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
  });
  const attempts = store.arnForObjects('attempts/*');
  const assignments = store.arnForObjects(`${ASSIGNMENTS}*`);
  const values = objects(store, ['s3:GetObject', 's3:PutObject'], store.arnForObjects('attempts/*/values/*'));
  const valuesAndRecords = objects(store, ['s3:GetObject', 's3:PutObject'], attempts);
  const folder = props.functions ?? functionsFolder();
  const make = (
    name: FunctionName,
    environment: { readonly [variable: string]: string },
    statements: readonly PolicyStatement[],
    more: { readonly deadLetters?: Queue; readonly revision?: string } = {},
  ) =>
    makeFunction(scope, {
      name,
      environment: { ...common, ...environment },
      statements,
      folder,
      logGroup,
      tracing,
      architecture: config.task.architecture,
      ...more,
    });
  const scheduled = [...new Set(project.schedules.map(({ workflow }) => workflow))];
  const names = scheduled.map((name) => stateMachineName(project.name, name));
  const arns = listable(names)
    ? scheduled.map((name) => machineArn(scope, project.name, name))
    : [everyMachine(scope, project.name)];
  const render = make('render', {}, []);
  const notifying = { project, topic, deadLetters, taskLogs: props.taskLogs, bundle };
  return {
    session: make(
      'session',
      bucket,
      scheduled.length === 0
        ? []
        : [
            allow(['states:StartExecution', 'states:ListExecutions'], arns),
            allow(['sqs:SendMessage'], [deadLetters.queueArn]),
            ...useKey(deadLetters.encryptionMasterKey),
          ],
      // Scheduler invokes it asynchronously and hears nothing of what it throws.
      scheduled.length === 0 ? {} : { deadLetters },
    ),
    evaluate: make('evaluate', bucket, values),
    render,
    launch: make(
      'launch',
      {
        ...bucket,
        TROWEL_CLUSTER: cluster.clusterArn,
        TROWEL_SUBNETS: cdk.Fn.join(',', [...network.subnetIds]),
        TROWEL_SECURITY_GROUPS: network.securityGroups.map((group) => group.securityGroupId).join(','),
        TROWEL_ASSIGN_PUBLIC_IP: network.assignPublicIp,
        TROWEL_TASK_DEFINITIONS: stack.toJsonString(definitions.table),
        TROWEL_TASK_TIMEOUT: String(config.task.timeout),
        TROWEL_HEARTBEAT: String(config.task.heartbeat),
        TROWEL_SPOT: String(config.task.spot),
        ...(config.values.pickle && { TROWEL_PICKLE: 'true' }),
        TROWEL_BUNDLE: bundle.s3ObjectUrl,
        TROWEL_SECRET_PREFIX: prefix,
        TROWEL_RENDER: render.functionName,
        ...computable,
      },
      [
        // It writes what a resumed attempt refers to at an old place (lambdas/aws/earlier-place.ts).
        ...valuesAndRecords,
        // The address that it gives to a container is signed in its name: it has to be allowed to read there itself.
        ...objects(store, ['s3:GetObject', 's3:PutObject'], assignments, false),
        // For `rerun_changed`: whether a task's file is what it was.
        allow(['s3:GetObject'], [everyBundle(bundle)]),
        new iam.PolicyStatement({
          actions: ['ecs:RunTask'],
          resources: [...definitions.families],
          conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
        }),
        new iam.PolicyStatement({
          actions: ['iam:PassRole'],
          resources: [...props.taskRoles.passed, props.executionRole.roleArn],
          conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
        }),
        // Whether it is set; only ECS reads the value.
        allow(['secretsmanager:DescribeSecret'], [secrets]),
        answers('states:SendTaskSuccess'),
      ],
      { revision: definitions.hash },
    ),
    'task-stopped': make(
      'task-stopped',
      { ...bucket, TROWEL_LOG_GROUP: props.taskLogs.logGroupName, TROWEL_LOG_PREFIX: LOG_PREFIX },
      [
        ...objects(store, ['s3:GetObject'], assignments),
        answers('states:SendTaskFailure'),
        allow(['sqs:SendMessage'], [deadLetters.queueArn]),
        ...useKey(deadLetters.encryptionMasterKey),
      ],
      { deadLetters },
    ),
    http: make('http', { ...bucket, TROWEL_SECRET_PREFIX: prefix, ...computable }, [
      ...valuesAndRecords,
      allow(['secretsmanager:GetSecretValue'], [secrets]),
    ]),
    notify: make(
      'notify',
      { ...bucket, TROWEL_SECRET_PREFIX: prefix, ...computable, ...notifyEnvironment(notifying) },
      [...valuesAndRecords, allow(['secretsmanager:GetSecretValue'], [secrets]), ...notifyStatements(scope, notifying)],
      { deadLetters },
    ),
  };
}
