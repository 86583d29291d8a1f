/** The functions of this package, each with a role of its own. Machines call a version: an execution keeps those it began with. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction, Version } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import { packageFolder } from '../host/package-folder.ts';
import { cdk, iam, lambda } from './cdk.ts';
import { allow } from './statements.ts';

export const FUNCTIONS = ['session', 'evaluate', 'render', 'launch', 'task-stopped', 'http', 'notify'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];
/** And the function that only CloudFormation calls. */
export const BUNDLED = [...FUNCTIONS, 'network'] as const;
export type BundledName = (typeof BUNDLED)[number];

export interface FunctionProps {
  readonly name: BundledName;
  readonly environment: { readonly [variable: string]: string };
  /** Rights of its role besides logging and tracing. */
  readonly statements: readonly PolicyStatement[];
  readonly folder: string;
  readonly logGroup: ILogGroup;
  readonly tracing: boolean;
  readonly architecture: 'x86_64' | 'arm64';
  /** For events that it failed to handle. */
  readonly deadLetters?: IQueue;
  /** A hash of what its variables only refer to, so that a change of that makes a new version. */
  readonly revision?: string;
}

/** Seconds and MB. Lambda's longest for what waits for others: a request, a mail server. */
const SIZES: { readonly [name in BundledName]: readonly [timeout: number, memory: number] } = {
  session: [30, 512],
  evaluate: [60, 1024],
  render: [60, 1024],
  // A resumed attempt's values may have to be copied.
  launch: [180, 1024],
  'task-stopped': [60, 512],
  http: [900, 512],
  notify: [900, 512],
  network: [900, 256],
};

/** Where the bundled functions are: `NAME/index.mjs`, and what they share. It is one asset, which all functions have. */
export function functionsFolder(): string {
  return packageFolder(join('dist', 'lambdas'));
}

export function makeFunction(scope: Construct, props: FunctionProps): LambdaFunction {
  const { name, folder, logGroup, tracing } = props;
  const path = join(folder, name);
  if (!existsSync(path)) throw new Error(`The function ${name} is missing from the installed package: ${path}`);
  const [timeout, memory] = SIZES[name];
  const role = new iam.Role(scope, `Function-${name}-Role`, {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    description: `What Trowel's function ${name} may do`,
    inlinePolicies: {
      function: new iam.PolicyDocument({ statements: [...props.statements, logging(logGroup), ...traces(tracing)] }),
    },
  });
  const made = new lambda.Function(scope, `Function-${name}`, {
    // Imported by its ARN: its queue and its tracing are in the role already, and what the framework would add makes a second policy and a dependency
    // that the ARN says anyway.
    role: iam.Role.fromRoleArn(scope, `Function-${name}-RoleArn`, role.roleArn, { mutable: false }),
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: props.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    handler: `${name}/index.handler`,
    code: lambda.Code.fromAsset(folder),
    timeout: cdk.Duration.seconds(timeout),
    memorySize: memory,
    environment: { ...props.environment, POWERTOOLS_SERVICE_NAME: name },
    logGroup,
    ...(tracing && { tracing: lambda.Tracing.ACTIVE }),
    ...present({ deadLetterQueue: props.deadLetters }),
  });
  if (props.revision !== undefined) made.invalidateVersionBasedOn(props.revision);
  return made;
}

/** The version to be named in definitions. Older ones are kept for the executions that began with them. */
export function currentVersion(made: LambdaFunction): Version {
  const version = made.currentVersion;
  version.applyRemovalPolicy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  return version;
}

function logging(group: ILogGroup): PolicyStatement {
  return allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [group.logGroupArn]);
}

/** X-Ray knows no resources for these. */
export function traces(tracing: boolean, more: readonly string[] = []): PolicyStatement[] {
  return tracing ? [allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords', ...more], ['*'])] : [];
}
