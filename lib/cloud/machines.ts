/**
 * The state machines: definitions as assets, with the ARNs they name as substitutions. A workflow has a role, which its parts share. Where a
 * stack does not hold so many, workflows with the same rights share one.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { definitionText, substitution } from '../compiler/definition-text.ts';
import { stateMachineName, tagValue, WORKFLOW_TAG } from '../contract/deployed-names.ts';
import { fileName } from '../contract/names.ts';
import { cdk, s3assets, sfn } from './cdk.ts';
import type { DeployedMachine, LoadedProject } from './load-project.ts';
import { executionArn, machineArn } from './machine-arns.ts';
import { type MachineRoleProps, makeMachineRole } from './machine-role.ts';
import { mergedRights } from './rights.ts';

export interface MachineProps extends MachineRoleProps {
  /** Of tasks, by workflow. */
  readonly taskRoles: ReadonlyMap<string, Role>;
  readonly logGroup: ILogGroup;
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

export function makeMachines(scope: Construct, props: MachineProps): MadeMachine[] {
  const folder = mkdtempSync(join(tmpdir(), 'trowel-definitions-'));
  const { machines } = props.project;
  const keyOf = isCrowded(scope, props.project) ? rightsKey : ({ workflow }: DeployedMachine) => fileName(workflow);
  const groups = new Map<string, DeployedMachine[]>();
  for (const machine of machines) groups.set(keyOf(machine), [...(groups.get(keyOf(machine)) ?? []), machine]);
  const roles = new Map<string, Role>();
  for (const [key, group] of groups)
    roles.set(key, makeMachineRole(scope, key, mergedRights(group.map(({ rights }) => rights)), props));
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

/** The same for machines that make the same calls, whatever objects they wait for. */
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
