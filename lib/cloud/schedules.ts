/**
 * Schedules start the function `session`, which knows the session that a run belongs to and starts the execution under a name made from
 * it: Scheduler delivers at least once, and a doubled trigger runs once.
 */

import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import { executionPrefix } from '../contract/deployed-names.ts';
import { PROTOCOL, type ScheduledPayload } from '../contract/payload.ts';
import { cdk, iam, scheduler } from './cdk.ts';
import { useKey } from './encryption.ts';
import type { DeployedSchedule } from './load-project.ts';
import { machineArn } from './machine-arns.ts';
import { allow } from './statements.ts';

export interface ScheduleProps {
  readonly project: string;
  readonly schedules: readonly DeployedSchedule[];
  readonly session: IFunction;
  readonly deadLetters: IQueue;
}

/** Scheduler's longest; a session that could not be started for a day is for people. */
const RETRY_SECONDS = 86_400;
const RETRIES = 185;

export function makeSchedules(scope: Construct, props: ScheduleProps): void {
  const { project, schedules, session, deadLetters } = props;
  if (schedules.length === 0) return;
  const stack = cdk.Stack.of(scope);
  const group = new scheduler.CfnScheduleGroup(scope, 'Schedules', { name: project });
  const role = new iam.Role(scope, 'ScheduleRole', {
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
    description: 'What the schedules of a Trowel project may do',
    inlinePolicies: {
      schedule: new iam.PolicyDocument({
        statements: [
          allow(['lambda:InvokeFunction'], [session.functionArn]),
          allow(['sqs:SendMessage'], [deadLetters.queueArn]),
          ...useKey(deadLetters.encryptionMasterKey),
        ],
      }),
    },
  });
  for (const { workflow, spec, timezone, expression } of schedules) {
    const input = (delay: number): ScheduledPayload => ({
      v: PROTOCOL,
      workflow,
      timezone,
      schedule: spec,
      scheduled: '<aws.scheduler.scheduled-time>',
      zone: expression.timezone,
      delay,
      machine: machineArn(scope, project, workflow),
      prefix: executionPrefix(workflow),
    });
    const runs = expression.expressions.map((text) => ({ expression: text, delay: expression.delay }));
    for (const [i, run] of [...runs, ...expression.catchUp].entries()) {
      const id = `Schedule-${workflow.replaceAll('/', '-')}${i === 0 ? '' : `-${i + 1}`}`;
      new scheduler.CfnSchedule(scope, id, {
        groupName: group.ref,
        description:
          `${workflow}: ${spec.kind}>: ${spec.at}${i < runs.length ? '' : ' (on days when the clock is put forward)'}`.slice(
            0,
            512,
          ),
        scheduleExpression: run.expression,
        scheduleExpressionTimezone: expression.timezone,
        flexibleTimeWindow: { mode: 'OFF' },
        state: expression.ended ? 'DISABLED' : 'ENABLED',
        ...present({ startDate: expression.startDate, endDate: expression.endDate }),
        target: {
          arn: session.functionArn,
          roleArn: role.roleArn,
          input: stack.toJsonString(input(run.delay)),
          deadLetterConfig: { arn: deadLetters.queueArn },
          retryPolicy: { maximumEventAgeInSeconds: RETRY_SECONDS, maximumRetryAttempts: RETRIES },
        },
      });
    }
  }
}
