/**
 * Who gets which message: the topic, and the settings and rights of the function `notify`. Besides the workflows' states, two things invoke
 * it: an event for each execution that ends, and alarms, because such events are best effort.
 */

import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import { ofKind } from '../compiler/needs.ts';
import { CONTAINER, LOG_PREFIX, stateMachineName } from '../contract/deployed-names.ts';
import { cdk, events, iam, sns, targets } from './cdk.ts';
import type { DeployedMachine, LoadedProject } from './load-project.ts';
import { executionArns, machineArns } from './machine-arns.ts';
import type { MadeMachine } from './machines.ts';
import { allow, everyBundle, listable } from './statements.ts';

/** The topic to which the project's addresses subscribe; each has to confirm it. */
export function makeTopic(
  scope: Construct,
  { name, config }: Pick<LoadedProject, 'name' | 'config'>,
  encryptionKey: IKey | undefined,
): Topic {
  const topic = new sns.Topic(scope, 'Topic', {
    displayName: `Trowel ${name}`,
    enforceSSL: true,
    ...present({ masterKey: encryptionKey }),
  });
  for (const [i, endpoint] of config.notifications.email.entries()) {
    new sns.Subscription(scope, `Email${i + 1}`, { topic, protocol: sns.SubscriptionProtocol.EMAIL, endpoint });
  }
  // A policy of its own, as that of TLS, takes the place of the default one, by which alarms of the account may publish.
  topic.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: {
        ArnLike: { 'aws:SourceArn': alarmArns(scope, name) },
        StringEquals: { 'aws:SourceAccount': cdk.Stack.of(scope).account },
      },
    }),
  );
  return topic;
}

export interface NotifyFunctionProps {
  readonly project: LoadedProject;
  readonly topic: Topic;
  readonly deadLetters: IQueue;
  readonly taskLogs: ILogGroup;
  /** The archive with the project's files. */
  readonly bundle: Asset;
}

export function notifyEnvironment({ project, topic, taskLogs, bundle }: NotifyFunctionProps): {
  [variable: string]: string;
} {
  const { slack, on, links } = project.config.notifications;
  return {
    TROWEL_TOPIC: topic.topicArn,
    TROWEL_SLACK_SECRET: slack ?? '',
    TROWEL_NOTIFY_ON: on.join(','),
    TROWEL_NOTIFY_LINKS: String(links),
    TROWEL_LOG_GROUP: taskLogs.logGroupName,
    TROWEL_LOG_PREFIX: LOG_PREFIX,
    TROWEL_CONTAINER: CONTAINER,
    ...(sendsMail(project) && { TROWEL_BUNDLE: bundle.s3ObjectUrl }),
  };
}

/** Rights of notify besides reading values and secrets. */
export function notifyStatements(scope: Construct, props: NotifyFunctionProps): PolicyStatement[] {
  const { project, topic, deadLetters, bundle } = props;
  const identities = cdk.Stack.of(scope).formatArn({ service: 'ses', resource: 'identity', resourceName: '*' });
  return [
    allow(['sns:Publish'], [topic.topicArn]),
    allow(['sqs:SendMessage'], [deadLetters.queueArn]),
    ...readsExecutions(scope, project),
    ...(sendsMail(project)
      ? [
          // What SES asks for a whole message, although the call is SendEmail (symfony/symfony#51461, nodemailer/nodemailer#1734).
          allow(['ses:SendRawEmail'], [identities]),
          allow(['s3:GetObject'], [everyBundle(bundle)]),
        ]
      : []),
  ];
}

function readsExecutions(scope: Construct, project: LoadedProject): PolicyStatement[] {
  const names = project.machines.filter(isWatched).map(({ name }) => name);
  if (names.length === 0) return [];
  const each = listable(
    names.map((name) => stateMachineName(project.name, name)),
    2,
  );
  return [
    allow(['states:ListExecutions'], machineArns(scope, project.name, names, each)),
    allow(['states:DescribeExecution', 'states:GetExecutionHistory'], executionArns(scope, project.name, names, each)),
  ];
}

export interface WatchProps {
  readonly project: Pick<LoadedProject, 'name' | 'config'>;
  readonly machines: readonly MadeMachine[];
  readonly notify: LambdaFunction;
  readonly deadLetters: IQueue;
}

/** Characters of a rule's pattern: 2,048 with its frame; and of a filter without its name. */
const PATTERN = 1_800;
const FILTER = '{"suffix":":"},'.length;

/** Rules for the ends of executions that a message is wanted for. */
export function watchExecutions(scope: Construct, { project, machines, notify, deadLetters }: WatchProps): void {
  const { on } = project.config.notifications;
  const status = [
    ...(on.includes('failure') ? ['FAILED', 'TIMED_OUT', 'ABORTED'] : []),
    ...(on.includes('recovery') ? ['SUCCEEDED'] : []),
  ];
  if (status.length === 0) return;
  for (const [i, some] of patterns(machines.filter(isWatched)).entries()) {
    const rule = new events.Rule(scope, `ExecutionEnded${i === 0 ? '' : i + 1}`, {
      description: `Executions of Trowel project ${project.name} that have ended`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        // Shorter than its ARN; the bus has only events of this account and region.
        detail: { status, stateMachineArn: some.map(({ stateMachineName: name }) => ({ suffix: `:${name}` })) },
      },
    });
    rule.addTarget(
      new targets.LambdaFunction(notify, {
        deadLetterQueue: deadLetters,
        retryAttempts: 185,
        maxEventAge: cdk.Duration.hours(24),
      }),
    );
  }
}

function patterns(machines: readonly MadeMachine[]): MadeMachine[][] {
  const groups: MadeMachine[][] = [];
  let room = 0;
  for (const machine of machines) {
    const length = FILTER + machine.stateMachineName.length;
    if (length > room) {
      groups.push([]);
      room = PATTERN;
    }
    groups.at(-1)?.push(machine);
    room -= length;
  }
  return groups;
}

/** Invokes notify from alarms of the project, which are named after it. One permission serves them all. */
export function alarmAction(scope: Construct, project: string, notify: LambdaFunction): IAlarmAction {
  notify.addPermission('Alarms', {
    principal: new iam.ServicePrincipal('lambda.alarms.cloudwatch.amazonaws.com'),
    sourceAccount: cdk.Stack.of(scope).account,
    sourceArn: alarmArns(scope, project),
  });
  return { bind: () => ({ alarmActionArn: notify.functionArn }) };
}

/** Alarms of the project: each is named after it. */
function alarmArns(scope: Construct, project: string): string {
  return cdk.Stack.of(scope).formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: `${project}-*`,
    arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Warns at synth about messages that would have no receiver. */
export function warnOfUnheard(scope: Construct, { config, machines }: LoadedProject): void {
  if (config.notifications.on.includes('sla') || !machines.some(({ name }) => name.endsWith(SLA))) return;
  cdk.Annotations.of(scope).addWarningV2(
    'trowel:sla',
    'A workflow has `sla:`, and nobody is notified: trowel.yml needs `on: [failure, sla]` under `notifications:`',
  );
}

/** The machine that waits for a workflow's `sla:` (lib/compiler/sla.ts). */
const SLA = '_part_sla';

/** Workflows, and the machines that report their lateness; parts fail with their workflow. */
export function isWatched({ name, whole }: Pick<DeployedMachine, 'name' | 'whole'>): boolean {
  return whole || name.endsWith(SLA);
}

function sendsMail({ needs }: LoadedProject): boolean {
  return ofKind(needs, 'mail').length > 0;
}
