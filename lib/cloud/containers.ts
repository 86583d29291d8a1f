/** The containers' side: the cluster, a task definition for each distinct set of images and secrets, and the roles they share. */

import { createHash } from 'node:crypto';
import type { CfnTaskDefinition, ContainerImage, FargateTaskDefinition, ICluster } from 'aws-cdk-lib/aws-ecs';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import type { DefinitionTable } from '../contract/definition-table.ts';
import { BESIDE, CONTAINER, LOG_PREFIX, secretPrefix } from '../contract/deployed-names.ts';
import { secretVariable } from '../contract/secret-variable.ts';
import { DISK } from '../language/fargate-sizes.ts';
import { cdk, ecs, secretsmanager } from './cdk.ts';
import { asItIs, grantPull, type ProjectImage, projectImage } from './image.ts';
import type { LoadedProject } from './load-project.ts';
import { listable } from './statements.ts';
import type { TaskDefinitionPlan } from './task-definitions.ts';

export interface ContainerProps {
  readonly project: LoadedProject;
  readonly cluster: ICluster;
  /** Default: what trowel.yml says, else a stock Python. */
  readonly image?: ContainerImage;
  /** Its name. */
  readonly bucket: string;
  readonly bundle: Asset;
  readonly logGroup: LogGroup;
  /** The role of a container that is started with no other. */
  readonly taskRole: Role;
  readonly executionRole: Role;
  /** Source of the bootstrap. */
  readonly bootstrap: string;
}

export interface DeployedDefinitions {
  /** As launch reads it: TROWEL_TASK_DEFINITIONS. */
  readonly table: DefinitionTable;
  /** `family:*` of each: old revisions serve executions that began before a deploy. */
  readonly families: readonly string[];
  /** Changes with any of the definitions. */
  readonly hash: string;
}

/** Seconds between SIGTERM and SIGKILL: Fargate's longest, and the notice that Spot gives. */
const STOP_TIMEOUT = 120;
/** MiB of output that wait to be sent. */
const LOG_BUFFER = 25;

export function makeDefinitions(scope: Construct, props: ContainerProps): DeployedDefinitions {
  const { config, dir } = props.project;
  const own: ProjectImage = props.image === undefined ? projectImage(dir, config) : { image: props.image };
  const revisions: { [key: string]: string } = {};
  const names: string[] = [];
  const hash = createHash('sha256').update(props.bootstrap);
  // Once, not in each definition: a template may have 1 MB.
  const texts = new cdk.CfnMapping(scope, 'Texts', {
    lazy: false,
    mapping: { bootstrap: { source: props.bootstrap } },
  });
  const command = ['python3', '-c', texts.findInMap('bootstrap', 'source')];
  for (const [key, plan] of props.project.definitions) {
    const { cfn, family } = makeDefinition(scope, key, plan, own, command, props);
    // arn:aws:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION
    revisions[key] = cdk.Fn.select(6, cdk.Fn.split(':', cfn.ref));
    names.push(family);
    hash.update(JSON.stringify(cdk.Stack.of(scope).resolve(cfn._toCloudFormation())));
  }
  const prefix = `${props.project.name}-`;
  const { cpu, memory } = config.task;
  return {
    table: { family: familyArn(scope, prefix), container: CONTAINER, size: { cpu, memory }, revisions },
    families: (listable(names) ? names : [`${prefix}*`]).map((name) => `${familyArn(scope, name)}:*`),
    hash: hash.digest('hex'),
  };
}

function makeDefinition(
  scope: Construct,
  key: string,
  plan: TaskDefinitionPlan,
  own: ProjectImage,
  command: string[],
  props: ContainerProps,
): { readonly cfn: CfnTaskDefinition; readonly family: string } {
  const { project, bundle, executionRole, taskRole, logGroup, bucket } = props;
  const { task } = project.config;
  const family = `${project.name}-${key}`;
  const definition = new ecs.FargateTaskDefinition(scope, `Task-${key}`, {
    family,
    cpu: task.cpu,
    memoryLimitMiB: task.memory,
    ...(task.disk > DISK.free && { ephemeralStorageGiB: task.disk }),
    runtimePlatform: {
      cpuArchitecture: task.architecture === 'arm64' ? ecs.CpuArchitecture.ARM64 : ecs.CpuArchitecture.X86_64,
      operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    },
    executionRole,
    taskRole,
  });
  const { image, name, user, home } = plan.image === undefined ? own : asItIs(plan.image);
  if (name !== undefined) grantPull(scope, name, executionRole);
  definition.addContainer(CONTAINER, {
    image,
    ...present({ user }),
    memoryLimitMiB: task.memory,
    entryPoint: command,
    environment: {
      // For Python programs that a task starts: their lines appear in the log as they are printed.
      PYTHONUNBUFFERED: '1',
      // Fargate does not promise it.
      AWS_REGION: cdk.Stack.of(scope).region,
      TROWEL_PROJECT: project.name,
      TROWEL_BUCKET: bucket,
      TROWEL_BUNDLE: bundle.s3ObjectUrl,
      TROWEL_BUNDLE_SHA256: project.bundle.sha256,
      ...present({ HOME: home }),
    },
    secrets: Object.fromEntries(
      plan.secrets.map((secret, i) => [
        secretVariable(secret),
        ecs.Secret.fromSecretsManager(
          secretsmanager.Secret.fromSecretNameV2(definition, `Secret${i}`, secretPrefix(project.name) + secret),
        ),
      ]),
    ),
    ...everyContainer(definition, 'Linux', logGroup),
  });
  if (plan.beside !== undefined) addBeside(scope, definition, plan.beside, props);
  const cfn = definition.node.defaultChild as CfnTaskDefinition;
  // An inactive revision cannot start tasks, and executions that began before a deploy still name it.
  cfn.cfnOptions.updateReplacePolicy = cdk.CfnDeletionPolicy.RETAIN;
  cfn.cfnOptions.deletionPolicy = cdk.CfnDeletionPolicy.DELETE;
  return { cfn, family };
}

/** The second container, next to the runner's. It has no secrets, and its end does not stop the runner. */
function addBeside(scope: Construct, definition: FargateTaskDefinition, image: string, props: ContainerProps): void {
  grantPull(scope, image, props.executionRole);
  definition.addContainer(BESIDE, {
    image: asItIs(image).image,
    essential: false,
    ...everyContainer(definition, 'LinuxBeside', props.logGroup),
  });
}

function everyContainer(definition: FargateTaskDefinition, id: string, logGroup: LogGroup) {
  return {
    // A task must not stop where CloudWatch does not take its lines: beyond the buffer they are lost.
    logging: ecs.LogDrivers.awsLogs({
      logGroup,
      streamPrefix: LOG_PREFIX,
      mode: ecs.AwsLogDriverMode.NON_BLOCKING,
      maxBufferSize: cdk.Size.mebibytes(LOG_BUFFER),
    }),
    stopTimeout: cdk.Duration.seconds(STOP_TIMEOUT),
    linuxParameters: new ecs.LinuxParameters(definition, id, { initProcessEnabled: true }),
  };
}

function familyArn(scope: Construct, family: string): string {
  return cdk.Stack.of(scope).formatArn({ service: 'ecs', resource: 'task-definition', resourceName: family });
}
