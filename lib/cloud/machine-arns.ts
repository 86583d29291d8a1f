/** ARNs of machines and their executions. They are made from names, so that a resource that refers to a machine does not depend on it. */
import type { Construct } from 'constructs';
import { stateMachineName } from '../contract/deployed-names.ts';
import { cdk } from './cdk.ts';

export function machineArn(scope: Construct, project: string, workflow: string): string {
  const name = stateMachineName(project, workflow);
  return cdk.Stack.of(scope).formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: name,
    arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** ARN of a machine's executions, without `:NAME`. */
export function executionArn(scope: Construct, project: string, workflow: string): string {
  return machineArn(scope, project, workflow).replace(':stateMachine:', ':execution:');
}

/** ARNs of these workflows, or a pattern for all of the project if a policy cannot list each (`listable`). */
export function machineArns(scope: Construct, project: string, names: readonly string[], each: boolean): string[] {
  if (each || names.length === 0) return names.map((name) => machineArn(scope, project, name));
  return [everyMachine(scope, project)];
}

/** Of all their executions. */
export function executionArns(scope: Construct, project: string, names: readonly string[], each: boolean): string[] {
  return machineArns(scope, project, names, each).map((arn) => `${arn.replace(':stateMachine:', ':execution:')}:*`);
}

function everyMachine(scope: Construct, project: string): string {
  return cdk.Stack.of(scope).formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: `${project}-*`,
    arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
  });
}
