/** The groups of a project's logs: of the containers, of the functions, of the state machines. */
import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import { taskLogGroup } from '../contract/deployed-names.ts';
import { logs } from './cdk.ts';
import type { LoadedProject } from './load-project.ts';

export interface LogGroupsProps {
  readonly project: LoadedProject;
  readonly encryptionKey: IKey | undefined;
  readonly removalPolicy: RemovalPolicy;
}

export interface LogGroups {
  readonly tasks: LogGroup;
  readonly functions: LogGroup;
  readonly machines: LogGroup;
}

export function makeLogGroups(
  scope: Construct,
  { project: { name, config }, encryptionKey, removalPolicy }: LogGroupsProps,
): LogGroups {
  const common = { retention: days(config.retention.logs), removalPolicy, ...present({ encryptionKey }) };
  const make = (id: string, logGroupName: string) => new logs.LogGroup(scope, id, { logGroupName, ...common });
  return {
    tasks: make('TaskLogs', taskLogGroup(name)),
    functions: make('FunctionLogs', `/trowel/${name}/functions`),
    // Under this prefix the account's resource policy for log delivery stays short, however many projects there are.
    machines: make('MachineLogs', `/aws/vendedlogs/states/trowel-${name}`),
  };
}

/** CloudWatch knows certain numbers of days: the next longer. */
function days(wanted: number): number {
  const known = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  ];
  return known.find((each) => each >= wanted) ?? 3653;
}
