/** Alarms and a dashboard. Events of failed executions are best effort; alarms are not. */
import type { IAlarm, IAlarmAction, IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { ProjectConfig } from '../language/config/project-config.ts';
import { actions, cdk, cloudwatch } from './cdk.ts';
import type { MadeMachine } from './machines.ts';
import { isWatched } from './notifications.ts';

export interface MonitoringProps {
  readonly project: string;
  readonly machines: readonly MadeMachine[];
  readonly functions: readonly IFunction[];
  readonly deadLetters: IQueue;
  readonly topic: ITopic;
  readonly notifications: ProjectConfig['notifications'];
  /** Invokes the function that reports executions. */
  readonly notify: IAlarmAction;
}

const METRICS = ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'] as const;
/** Metrics of one alarm's expression. */
const TOGETHER = 10;

/** One alarm for each way to fail and each ten workflows: an alarm for each workflow would fill the stack. Named `PROJECT-METRIC`. */
export function makeAlarms(scope: Construct, props: MonitoringProps): IAlarm[] {
  const { project, machines, deadLetters, topic, notifications, notify } = props;
  const period = cdk.Duration.minutes(1);
  const whole = machines.filter(isWatched);
  const alarms: IAlarm[] = [];
  const make = (id: string, metric: IMetric, alarmDescription: string, told: readonly IAlarmAction[]): void => {
    const alarmName = `${project}-${id}`;
    const alarm = new cloudwatch.Alarm(scope, id, {
      alarmName,
      metric,
      alarmDescription,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(...told);
    const arn = cdk.Stack.of(scope).formatArn({
      service: 'cloudwatch',
      resource: 'alarm',
      resourceName: alarmName,
      arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME,
    });
    alarms.push(cloudwatch.Alarm.fromAlarmArn(scope, `${id}-Named`, arn));
  };
  for (const metricName of METRICS) {
    for (let at = 0; at < whole.length; at += TOGETHER) {
      const some = whole.slice(at, at + TOGETHER);
      const usingMetrics = Object.fromEntries(
        some.map(({ resource }, i) => [
          `m${i}`,
          new cloudwatch.Metric({
            namespace: 'AWS/States',
            metricName,
            dimensionsMap: { StateMachineArn: resource.ref },
            statistic: 'Sum',
            period,
          }),
        ]),
      );
      const expression = Object.keys(usingMetrics)
        .map((name) => `FILL(${name},0)`)
        .join('+');
      const names = some.map(({ name }) => name).join(', ');
      make(
        `${metricName}${at === 0 ? '' : at / TOGETHER + 1}`,
        new cloudwatch.MathExpression({ expression, usingMetrics, period, label: metricName }),
        `${metricName} of project ${project}, one of: ${names}`.slice(0, 1024),
        // It sends messages that were not sent yet to Slack and to the topic.
        notifications.on.includes('failure') ? [notify] : [],
      );
    }
  }
  make(
    'Undelivered',
    deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
    `A schedule of project ${project} could not start its session, or a notification could not be sent`,
    [new actions.SnsAction(topic), ...(notifications.slack === undefined ? [] : [notify])],
  );
  return alarms;
}

export function makeDashboard(
  scope: Construct,
  { project, functions, deadLetters }: MonitoringProps,
  alarms: readonly IAlarm[],
): void {
  const search = (metric: string, statistic: string) =>
    new cloudwatch.MathExpression({
      // Machines come and go; their names begin with the project's.
      expression: `SEARCH('{AWS/States,StateMachineArn} MetricName="${metric}" StateMachineArn="stateMachine:${project}"', '${statistic}', 300)`,
      usingMetrics: {},
      label: '',
      period: cdk.Duration.minutes(5),
    });
  const graph = (title: string, left: IMetric[]) => new cloudwatch.GraphWidget({ title, left, width: 12 });
  new cloudwatch.Dashboard(scope, 'Dashboard', {
    widgets: [
      [new cloudwatch.AlarmStatusWidget({ title: `Trowel: ${project}`, alarms: [...alarms], width: 24 })],
      [
        graph('Executions started', [search('ExecutionsStarted', 'Sum')]),
        graph(
          'Executions failed',
          [...METRICS].map((metric) => search(metric, 'Sum')),
        ),
      ],
      [
        graph('Time of executions (ms)', [search('ExecutionTime', 'Maximum')]),
        graph('Errors of functions', [...functions.map((each) => each.metricErrors())]),
      ],
      [graph('Undelivered', [deadLetters.metricApproximateNumberOfMessagesVisible()])],
    ],
  });
}
