import { Match } from 'aws-cdk-lib/assertions';
import { describe, it } from 'vitest';
import { deploy, ECHO, setUp } from './deploy-template.ts';

setUp();

describe('monitoring', () => {
  it('alarms on failed, timed-out and aborted executions and on what was not delivered', async () => {
    const { template } = await deploy('alarms', {
      'main.dig': ECHO,
      'trowel.yml': 'notifications: {email: [a@example.com]}\n',
    });
    for (const metric of ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted']) {
      template.hasResourceProperties('AWS::CloudWatch::Alarm', {
        // Which looks what nobody has told yet, so that a failure is one message.
        AlarmActions: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('Functionnotify'), 'Arn'] }],
        Metrics: Match.arrayWith([
          Match.objectLike({ MetricStat: Match.objectLike({ Metric: Match.objectLike({ MetricName: metric }) }) }),
        ]),
      });
    }
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'alarms-Undelivered',
      AlarmActions: [{ Ref: Match.stringLikeRegexp('Topic') }],
    });
    template.resourceCountIs('AWS::CloudWatch::Alarm', 4);
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
    template.hasResourceProperties('AWS::SNS::Subscription', { Endpoint: 'a@example.com', Protocol: 'email' });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });
});
