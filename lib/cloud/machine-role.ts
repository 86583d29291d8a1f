/** The role of a state machine: a statement for each kind of call that its states make, and what Step Functions itself needs. */
import type { Stack } from 'aws-cdk-lib';
import type { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import { stateMachineName } from '../contract/deployed-names.ts';
import type { Grant } from './aws-permissions.ts';
import { cdk, iam } from './cdk.ts';
import { traces } from './functions.ts';
import type { LoadedProject } from './load-project.ts';
import { executionArns, machineArns } from './machine-arns.ts';
import type { Rights } from './rights.ts';
import { allow, listable } from './statements.ts';

export interface MachineRoleProps {
  readonly project: LoadedProject;
  /** ARN of each function and of its version, by name. */
  readonly functions: { readonly [name: string]: { readonly version: string; readonly arn: string } };
  readonly logLevel: 'ALL' | 'ERROR' | 'FATAL' | 'OFF';
  readonly tracing: boolean;
}

export function makeMachineRole(scope: Construct, id: string, rights: Rights, props: MachineRoleProps): Role {
  const stack = cdk.Stack.of(scope);
  const statements = [
    ...functionCalls(stack, rights, props.functions),
    ...executions(scope, rights, props.project.name),
    ...objects(stack, rights),
    ...rights.grants.map((grant) => granted(grant, stack)),
    ...logDelivery(props.logLevel),
    ...traces(props.tracing, SAMPLING),
  ];
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

/** Trowel's own functions, and the user's that `lambda>` names. */
function functionCalls(
  stack: Stack,
  { functions, invoked }: Rights,
  made: MachineRoleProps['functions'],
): PolicyStatement[] {
  return [
    // Any version: executions that began before a deploy call an older one.
    ...allowed(
      ['lambda:InvokeFunction'],
      functions.map((name) => `${made[name]?.arn}:*`),
    ),
    ...allowed(
      ['lambda:InvokeFunction'],
      invoked.flatMap((name) => withVersions(functionArn(stack, name))),
    ),
  ];
}

function functionArn(stack: Stack, name: string): string {
  if (name.startsWith('arn:')) return name;
  return stack.formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: name,
    arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** An ARN that names a version has eight parts. */
function withVersions(arn: string): string[] {
  return arn.split(':').length > 7 ? [arn] : [arn, `${arn}:*`];
}

/** Of other workflows of the project. */
function executions(scope: Construct, rights: Rights, project: string): PolicyStatement[] {
  const { machines, started, described, stopped } = rights;
  const named = [...machines, ...started, ...described, ...stopped].map((name) => stateMachineName(project, name));
  // For the machine and for its executions.
  const each = listable(named, 2);
  const arns = (names: readonly string[]) => machineArns(scope, project, names, each);
  const runs = (names: readonly string[]) => executionArns(scope, project, names, each);
  return [
    ...allowed(['states:StartExecution'], arns([...machines, ...started])),
    ...allowed(['states:DescribeExecution', 'states:StopExecution'], runs(machines)),
    ...allowed(['states:DescribeExecution'], runs(described.filter((name) => !machines.includes(name)))),
    ...allowed(['states:StopExecution'], runs(stopped)),
    ...allowed(
      ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
      machines.length === 0 ? [] : [endedRule(scope)],
    ),
  ];
}

/** How Step Functions itself hears that an execution it waits for has ended. */
function endedRule(scope: Construct): string {
  return cdk.Stack.of(scope).formatArn({
    service: 'events',
    resource: 'rule',
    resourceName: 'StepFunctionsGetEventsForStepFunctionsExecutionRule',
  });
}

/** What `s3_wait>` waits for. */
function objects({ partition }: Stack, rights: Rights): PolicyStatement[] {
  const arn = (path: string) => `arn:${partition}:s3:::${path}`;
  const buckets = new Set(rights.objects.map((path) => arn(`${path.split('/')[0]}`)));
  return [
    ...allowed(['s3:GetObject'], rights.objects.map(arn)),
    ...allowed(['s3:GetObjectVersion'], rights.versions.map(arn)),
    // Without it S3 answers 403 and not 404 for an object that is not there yet.
    ...allowed(['s3:ListBucket'], [...buckets]),
  ];
}

/** What `aws>` calls. */
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

const LOG_DELIVERY = [
  ...['CreateLogDelivery', 'DeleteLogDelivery', 'DescribeLogGroups', 'DescribeResourcePolicies'],
  ...['GetLogDelivery', 'ListLogDeliveries', 'PutResourcePolicy', 'UpdateLogDelivery'],
].map((action) => `logs:${action}`);

/** Log delivery belongs to no log group: the API knows no resource for these. */
function logDelivery(level: MachineRoleProps['logLevel']): PolicyStatement[] {
  return level === 'OFF' ? [] : [allow(LOG_DELIVERY, ['*'])];
}

/** No statement if there is no resource to allow it on. */
function allowed(actions: string[], resources: string[]): PolicyStatement[] {
  return resources.length === 0 ? [] : [allow(actions, resources)];
}
