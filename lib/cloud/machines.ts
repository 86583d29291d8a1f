/**
 * The state machines: definitions as assets, with the ARNs they name as substitutions. A workflow has a role, which its parts share. Where a
 * stack does not hold so many, workflows with the same rights share one.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import type { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import { definitionText, substitution } from '../compiler/definition-text.ts';
import { stateMachineName, tagValue, WORKFLOW_TAG } from '../contract/deployed-names.ts';
import { fileName } from '../contract/names.ts';
import type { Grant } from './aws-permissions.ts';
import { cdk, iam, s3assets, sfn } from './cdk.ts';
import { traces } from './functions.ts';
import type { DeployedMachine, LoadedProject } from './load-project.ts';
import { mergedRights, type Rights } from './rights.ts';
import { allow, listable } from './statements.ts';

export interface MachineProps {
  readonly project: LoadedProject;
  /** ARN of each function's version, by name. */
  readonly functions: { readonly [name: string]: { readonly version: string; readonly arn: string } };
  /** Of tasks, by workflow. */
  readonly taskRoles: ReadonlyMap<string, Role>;
  readonly logGroup: ILogGroup;
  readonly logLevel: 'ALL' | 'ERROR' | 'FATAL' | 'OFF';
  readonly tracing: boolean;
}

/** A state machine of a `TrowelProject`. */
export interface MadeMachine {
  /** A workflow's name, or that of a part of it (`main_part1`). */
  readonly name: string;
  readonly stateMachineName: string;
  /** Made from the name, so that what refers to it does not depend on the machine. */
  readonly arn: string;
  /** Whether it is a workflow, not a part of one. */
  readonly whole: boolean;
  /** Shared with the parts of the workflow. */
  readonly role: Role;
  /** What the workflow's tasks may do. */
  readonly taskRole: Role;
  readonly resource: CfnStateMachine;
}

export function machineArn(scope: Construct, project: string, workflow: string): string {
  const name = stateMachineName(project, workflow);
  return cdk.Stack.of(scope).formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: name,
    arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Those of a project with so many that a policy cannot name each: what their names begin with. */
export function everyMachine(scope: Construct, project: string): string {
  return cdk.Stack.of(scope).formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: `${project}-*`,
    arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** ARN of a machine's executions, without `:NAME`. */
export function executionArn(scope: Construct, project: string, workflow: string): string {
  return machineArn(scope, project, workflow).replace(':stateMachine:', ':execution:');
}

export function makeMachines(scope: Construct, props: MachineProps): MadeMachine[] {
  const folder = mkdtempSync(join(tmpdir(), 'trowel-definitions-'));
  const { machines } = props.project;
  const keyOf = isCrowded(scope, props.project) ? rightsKey : ({ workflow }: DeployedMachine) => fileName(workflow);
  const groups = new Map<string, DeployedMachine[]>();
  for (const machine of machines) groups.set(keyOf(machine), [...(groups.get(keyOf(machine)) ?? []), machine]);
  const roles = new Map<string, Role>();
  for (const [key, group] of groups)
    roles.set(key, makeRole(scope, key, mergedRights(group.map(({ rights }) => rights)), props));
  return machines.map((machine, i) => {
    const file = join(folder, `${i}.json`);
    writeFileSync(file, definitionText(machine.machine));
    return makeMachine(scope, machine, roles.get(keyOf(machine)) as Role, file, props);
  });
}

/** Resources of a stack, and those of a project that are made after its machines (schedules excepted). */
const RESOURCES = 500;
const LATER = 30;

/** Whether a role for each workflow is more than a stack holds. */
function isCrowded(scope: Construct, { machines, schedules }: LoadedProject): boolean {
  const there = cdk.Stack.of(scope)
    .node.findAll()
    .filter((each) => cdk.CfnResource.isCfnResource(each)).length;
  const workflows = new Set(machines.map(({ workflow }) => workflow));
  const scheduled = schedules.flatMap(({ expression: { expressions, catchUp } }) => [...expressions, ...catchUp]);
  return there + machines.length + workflows.size + scheduled.length + LATER > RESOURCES;
}

/** The same for machines that call the same, whichever objects they wait for. */
function rightsKey({ rights }: DeployedMachine): string {
  const text = JSON.stringify({ ...rights, objects: [], versions: [] });
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function makeMachine(
  scope: Construct,
  { name, whole, workflow, rights }: DeployedMachine,
  role: Role,
  file: string,
  { project, functions, taskRoles, logGroup, logLevel, tracing }: MachineProps,
): MadeMachine {
  const taskRole = taskRoles.get(workflow) as Role;
  const id = name.replaceAll('/', '-');
  const definition = new s3assets.Asset(scope, `Definition-${id}`, { path: file });
  const named = (kind: 'sm' | 'arn', names: readonly string[], arn: typeof machineArn) =>
    names.map((each) => [substitution(`${kind}_${each}`), arn(scope, project.name, each)] as const);
  const resource = new sfn.CfnStateMachine(scope, `Machine-${id}`, {
    stateMachineName: stateMachineName(project.name, name),
    stateMachineType: 'STANDARD',
    roleArn: role.roleArn,
    definitionS3Location: { bucket: definition.s3BucketName, key: definition.s3ObjectKey },
    definitionSubstitutions: Object.fromEntries([
      ...rights.functions.map((each) => [each, functions[each]?.version ?? ''] as const),
      ...(whole ? [['task_role', taskRole.roleArn] as const] : []),
      ...named('sm', [...rights.machines, ...rights.started], machineArn),
      ...named('arn', [...new Set([...rights.described, ...rights.stopped])], executionArn),
    ]),
    tracingConfiguration: { enabled: tracing },
    loggingConfiguration: {
      level: logLevel,
      // Parameters and results stay in the history, which is not readable by everybody who may read logs.
      includeExecutionData: false,
      ...(logLevel !== 'OFF' && {
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: `${logGroup.logGroupArn}` } }],
      }),
    },
  });
  if (whole) cdk.Tags.of(resource).add(WORKFLOW_TAG, tagValue(name));
  return {
    name,
    whole,
    stateMachineName: stateMachineName(project.name, name),
    arn: machineArn(scope, project.name, name),
    role,
    taskRole,
    resource,
  };
}

function makeRole(scope: Construct, id: string, rights: Rights, props: MachineProps): Role {
  const { project, functions, logLevel, tracing } = props;
  const stack = cdk.Stack.of(scope);
  const all = everyMachine(scope, project.name);
  const named = [...rights.machines, ...rights.started, ...rights.described, ...rights.stopped];
  // Both as a machine and by its executions.
  const each = listable(
    named.map((name) => stateMachineName(project.name, name)),
    2,
  );
  const arns = (names: readonly string[], arn: typeof machineArn): string[] => {
    if (each || names.length === 0) return names.map((name) => arn(scope, project.name, name));
    return [arn === machineArn ? all : all.replace(':stateMachine:', ':execution:')];
  };
  const statements = [
    // Any version: executions that began before a deploy call an older one.
    allowed(
      ['lambda:InvokeFunction'],
      rights.functions.map((name) => `${functions[name]?.arn}:*`),
    ),
    allowed(
      ['lambda:InvokeFunction'],
      rights.invoked.flatMap((name) => {
        const arn = name.startsWith('arn:')
          ? name
          : stack.formatArn({
              service: 'lambda',
              resource: 'function',
              resourceName: name,
              arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
            });
        return arn.split(':').length > 7 ? [arn] : [arn, `${arn}:*`];
      }),
    ),
    allowed(['states:StartExecution'], arns([...rights.machines, ...rights.started], machineArn)),
    allowed(
      ['states:DescribeExecution', 'states:StopExecution'],
      arns(rights.machines, executionArn).map((arn) => `${arn}:*`),
    ),
    allowed(
      ['states:DescribeExecution'],
      arns(
        rights.described.filter((name) => !rights.machines.includes(name)),
        executionArn,
      ).map((arn) => `${arn}:*`),
    ),
    allowed(
      ['states:StopExecution'],
      arns(rights.stopped, executionArn).map((arn) => `${arn}:*`),
    ),
    // How Step Functions itself hears that an execution it waits for has ended.
    allowed(
      ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
      rights.machines.length === 0
        ? []
        : [
            stack.formatArn({
              service: 'events',
              resource: 'rule',
              resourceName: 'StepFunctionsGetEventsForStepFunctionsExecutionRule',
            }),
          ],
    ),
    allowed(
      ['s3:GetObject'],
      rights.objects.map((path) => `arn:${stack.partition}:s3:::${path}`),
    ),
    allowed(
      ['s3:GetObjectVersion'],
      rights.versions.map((path) => `arn:${stack.partition}:s3:::${path}`),
    ),
    // Without it S3 answers 403 and not 404 for an object that is not there yet.
    allowed(
      ['s3:ListBucket'],
      [...new Set(rights.objects.map((path) => `arn:${stack.partition}:s3:::${path.split('/')[0]}`))],
    ),
    rights.grants.map((grant) => granted(grant, stack)),
    // Log delivery belongs to no log group: the API knows no resource for these.
    allowed(
      [
        ...[
          'logs:CreateLogDelivery',
          'logs:DeleteLogDelivery',
          'logs:DescribeLogGroups',
          'logs:DescribeResourcePolicies',
        ],
        ...['logs:GetLogDelivery', 'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:UpdateLogDelivery'],
      ],
      logLevel === 'OFF' ? [] : ['*'],
    ),
    ...traces(tracing, SAMPLING),
  ].flat();
  return new iam.Role(scope, `MachineRole-${id}`, {
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
    description: 'What state machines of Trowel may do',
    inlinePolicies: { machine: new iam.PolicyDocument({ statements }) },
  });
}

/** What Step Functions needs in addition (docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html). */
const SAMPLING = ['xray:GetSamplingRules', 'xray:GetSamplingTargets'] as const;

function granted({ actions, resources, passedTo }: Grant, { partition, region, account }: Stack): PolicyStatement {
  const places = { partition, region, account };
  const arn = (text: string) =>
    text.replaceAll(/<(partition|region|account)>/g, (_, place: keyof typeof places) => places[place]);
  return new iam.PolicyStatement({
    actions: [...actions],
    resources: resources.map(arn),
    ...present({
      conditions: passedTo !== undefined ? { StringEquals: { 'iam:PassedToService': passedTo } } : undefined,
    }),
  });
}

/** Nothing where there is nothing to allow it on. */
function allowed(actions: string[], resources: string[]): PolicyStatement[] {
  return resources.length === 0 ? [] : [allow(actions, resources)];
}
