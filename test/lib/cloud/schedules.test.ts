import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { deploy, flat, setUp } from './deploy-template.ts';

setUp();

describe('schedules', () => {
  it('schedules through the session function, with a dead-letter queue', async () => {
    const { template } = await deploy('schedules', {
      'main.dig':
        'timezone: Asia/Tokyo\nschedule:\n  cron>: "0 7 1,L * *"\n  start: 2030-06-01\n  end: 2030-12-31\n+a:\n  echo>: a\n',
      'old.dig': 'schedule:\n  daily>: 07:00:00\n  end: 2029-01-01\n+a:\n  echo>: a\n',
    });
    template.resourceCountIs('AWS::Scheduler::Schedule', 3);
    for (const expression of ['cron(0 7 1 * ? *)', 'cron(0 7 L * ? *)']) {
      template.hasResourceProperties('AWS::Scheduler::Schedule', {
        ScheduleExpression: expression,
        ScheduleExpressionTimezone: 'Asia/Tokyo',
        StartDate: '2030-05-31T14:59:00.000Z',
        EndDate: '2030-12-31T14:59:59.000Z',
        State: 'ENABLED',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('Functionsession'), 'Arn'] },
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] } },
        }),
      });
    }
    // Scheduler's own queue has what could not be delivered; what the function throws it does not hear of.
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ POWERTOOLS_SERVICE_NAME: 'session' }) },
      DeadLetterConfig: { TargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] } },
    });
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      Description: 'old: daily>: 07:00:00',
      State: 'DISABLED',
      EndDate: Match.absent(),
    });
    const [schedule] = Object.values(template.findResources('AWS::Scheduler::Schedule'));
    expect(JSON.parse(flat(schedule?.Properties.Target.Input))).toMatchObject({
      v: 1,
      workflow: 'main',
      zone: 'Asia/Tokyo',
      scheduled: '<aws.scheduler.scheduled-time>',
      machine: 'arn:<Partition>:states:<Region>:<AccountId>:stateMachine:schedules-main',
    });
  });
});
