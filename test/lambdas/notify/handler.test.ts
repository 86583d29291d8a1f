/**
 * The real handler on moto's S3, SNS, SES and Secrets Manager, and a Slack stand-in over HTTP. Step Functions is played: what it says of
 * executions is given by each test. test/cloud has the same end to end.
 */
import { createHash, randomUUID } from 'node:crypto';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateEmailIdentityCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bucketMarks } from '../../../lambdas/aws/marks.ts';
import type { Payload } from '../../../lib/contract/payload.ts';
import { type Answer, type Sink, serve } from '../../lib/functions/http/server.ts';
import { type AwsServices, fault, startServices } from '../aws-services.ts';

const REGION = 'arn:aws:states:us-east-1:123456789012';
const MAIN = `${REGION}:stateMachine:p-main`;
const CAUSE = {
  message: 'Python command failed with code 1\nError messages from python: no rows (ValueError)\n\tfrom x (runtime)',
  task: '+main+load',
  stacktrace: 'the end of it',
  log: 'https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logs',
};

describe('notify', () => {
  let aws: AwsServices;
  let web: Sink;
  let slack: (path: string) => Answer = () => ({});
  let handler: (event: object, context?: { awsRequestId: string }) => Promise<object>;

  beforeAll(async () => {
    web = await serve(({ url }) => (url.startsWith('/slack') ? slack(url) : {}));
    aws = await startServices({
      TROWEL_SLACK_SECRET: 'slack.webhook',
      TROWEL_NOTIFY_ON: 'failure,recovery,sla',
      TROWEL_NOTIFY_LINKS: 'true',
      TROWEL_LOG_GROUP: '/trowel/p/tasks',
      TROWEL_LOG_PREFIX: 'task',
      TROWEL_CONTAINER: 'task',
    });
    const sns = new SNSClient({});
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'trowel' }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: `${web.url}/topic` }));
    vi.stubEnv('TROWEL_TOPIC', TopicArn);
    const secret = { Name: 'trowel/p/slack.webhook', SecretString: `${web.url}/slack/T0/hush` };
    await new SecretsManagerClient({}).send(new CreateSecretCommand(secret));
    const loaded = await import('../../../lambdas/notify/handler.ts');
    handler = loaded.handler as typeof handler;
  });
  afterAll(() => Promise.all([aws.stop(), web.close()]));
  beforeEach(() => {
    web.received.length = 0;
    slack = () => ({});
    for (const action of Object.keys(aws.answers)) delete aws.answers[action];
  });

  interface Said {
    readonly status?: string;
    readonly error?: string;
    readonly cause?: string;
    readonly start?: number;
    readonly stop?: number;
    readonly redrives?: number;
  }

  /** Puts what Step Functions will say of an execution of a machine, once. */
  function describeExecution(name: string, said: Said = {}, workflow = 'main'): string {
    const executionArn = `${REGION}:execution:p-${workflow}:${name}`;
    const { status = 'FAILED', start = 1_000, stop = 2_000, error, cause, redrives = 0 } = said;
    const answer = {
      ...{ executionArn, name, status, error, cause, redriveCount: redrives, startDate: start, stopDate: stop },
      stateMachineArn: `${REGION}:stateMachine:p-${workflow}`,
    };
    // Its own `status` would be taken for that of HTTP.
    const said200 = { status: 200, body: JSON.stringify(answer) };
    aws.answers.DescribeExecution = [...(aws.answers.DescribeExecution ?? []), said200];
    return executionArn;
  }

  const scheduled = (id: number, previousEventId: number, payload: object) => ({
    ...{ id, previousEventId, type: 'TaskScheduled', timestamp: 1 },
    taskScheduledEventDetails: { parameters: JSON.stringify({ FunctionName: 'f', Payload: payload }) },
  });

  /** The history's beginning, as the state `Start` leaves it. */
  function beginning(workflow = 'main'): object {
    const output = JSON.stringify({
      Payload: { params: {}, b: { vars: { session_time: '2030-01-31T00:00:00+00:00' } } },
    });
    return {
      events: [
        scheduled(3, 2, { v: 1, workflow, timezone: 'UTC' }),
        { id: 5, previousEventId: 4, type: 'TaskSucceeded', timestamp: 1, taskSucceededEventDetails: { output } },
      ],
    };
  }

  const history = (...pages: object[]): void => {
    aws.answers.GetExecutionHistory = pages;
  };
  const last = (...events: object[]): object => ({ events });

  const ended = (executionArn: string, requestId: string = randomUUID()) =>
    handler(
      { source: 'aws.states', 'detail-type': 'Step Functions Execution Status Change', detail: { executionArn } },
      { awsRequestId: requestId },
    );

  const posted = (): { text: string; blocks: unknown[] }[] =>
    web.received.flatMap(({ url, body }) => (url.startsWith('/slack') ? [JSON.parse(body)] : []));
  const published = (): { Subject: string; Message: string }[] =>
    web.received.flatMap(({ url, body }) => {
      const message = url === '/topic' ? JSON.parse(body) : {};
      return message.Type === 'Notification' ? [message] : [];
    });
  const mails = async (count: number) => {
    await expect.poll(published).toHaveLength(count);
    return published();
  };

  it('tells of a failed execution, with the traceback from the value store', async () => {
    await aws.put(
      'attempts/main/run-1/values/00ff.traceback.txt',
      'Traceback\n  File "tasks/load.py"\nValueError: no rows\n',
    );
    const traceback = `s3://${aws.bucket}/attempts/main/run-1/values/00ff.traceback.txt`;
    const arn = describeExecution('run-1', {
      error: 'Trowel.TaskFailed',
      cause: JSON.stringify({ ...CAUSE, traceback }),
    });
    history(beginning(), last());
    expect(await ended(arn)).toEqual({ told: { told: 'main failed' } });
    const [message] = posted();
    expect(message?.text).toBe('main failed: no rows (ValueError)');
    const text = JSON.stringify(message?.blocks);
    for (const part of [
      '*Workflow*\\nmain',
      '*Session*\\n2030-01-31T00:00:00+00:00',
      '*Task*\\n+main+load',
      '```\\nno rows (ValueError)\\n```',
      '```\\nTraceback\\n  File \\"tasks/load.py\\"\\nValueError: no rows\\n```',
      `<https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/${arn}|Execution>`,
      `<${CAUSE.log}|Log>`,
      'trowel retry run-1 --resume',
    ])
      expect(text).toContain(part);
    const [mail] = await mails(1);
    expect(mail).toMatchObject({ Subject: 'main failed', Message: expect.stringContaining('ValueError: no rows') });
  });

  it.each<[string, Said, object[], string, string]>([
    [
      'an http> in a loop',
      { error: 'Trowel.TaskFailed', cause: '{"errorType":"Trowel.TaskFailed","errorMessage":"404"}' },
      [
        {
          id: 10,
          previousEventId: 9,
          type: 'TaskFailed',
          timestamp: 1,
          taskFailedEventDetails: {
            error: 'Trowel.TaskFailed',
            cause: '{"errorType":"Trowel.TaskFailed","errorMessage":"404"}',
          },
        },
        { id: 9, previousEventId: 8, type: 'TaskStarted', timestamp: 1 },
        scheduled(8, 7, { t: '+main+l^sub+loop-3' }),
        {
          id: 7,
          previousEventId: 0,
          type: 'TaskStateEntered',
          timestamp: 1,
          stateEnteredEventDetails: { name: '+main+l^sub' },
        },
      ],
      '*Task*\\n+main+l^sub+loop-3',
      'main failed: 404',
    ],
    [
      'a state that Step Functions itself failed',
      { error: 'States.QueryEvaluationError', cause: 'bad' },
      [
        {
          id: 8,
          previousEventId: 7,
          type: 'EvaluationFailed',
          timestamp: 1,
          evaluationFailedEventDetails: { error: 'States.QueryEvaluationError', cause: 'bad', state: '+main+x' },
        },
        {
          id: 7,
          previousEventId: 0,
          type: 'ChoiceStateEntered',
          timestamp: 1,
          stateEnteredEventDetails: { name: '+main+x' },
        },
      ],
      '*Task*\\n+main+x',
      'main failed: bad',
    ],
    [
      'an execution that took too long',
      { status: 'TIMED_OUT' },
      [
        scheduled(12, 11, { t: '+main+b' }),
        { id: 10, previousEventId: 9, type: 'TaskSucceeded', timestamp: 1 },
        { id: 9, previousEventId: 8, type: 'TaskStarted', timestamp: 1 },
        scheduled(8, 7, { t: '+main+a' }),
      ],
      '*Task*\\n+main+b',
      'main timed out: The execution took longer than it may.',
    ],
    [
      'one that was stopped before any task',
      { status: 'ABORTED' },
      [],
      '*Error*\\nStates.Aborted',
      'main was stopped: Somebody stopped the execution.',
    ],
    [
      'one that was stopped with a reason',
      { status: 'ABORTED', error: 'Trowel.Killed', cause: 'trowel kill by ann' },
      [],
      '*Error*\\nTrowel.Killed',
      'main was stopped: trowel kill by ann',
    ],
  ])('tells of %s', async (_name, said, events, task, text) => {
    const arn = describeExecution(randomUUID(), said);
    history(beginning(), last(...events));
    await ended(arn);
    expect(posted().map((message) => message.text)).toEqual([text]);
    expect(JSON.stringify(posted()[0]?.blocks)).toContain(task);
  });

  it('trap: the log of a task that gave no answer is that of the container which launch has noted', async () => {
    const error = 'States.Timeout';
    const taskArn = 'arn:aws:ecs:us-east-1:123456789012:task/cluster/0123456789abcdef';
    const output = JSON.stringify({ Payload: { started: 'x', taskArn } });
    const arn = describeExecution('silent', { error, cause: '' });
    history(
      beginning(),
      last(
        { id: 12, previousEventId: 10, type: 'TaskTimedOut', timestamp: 1, taskTimedOutEventDetails: { error } },
        { id: 10, previousEventId: 9, type: 'TaskSubmitted', timestamp: 1, taskSubmittedEventDetails: { output } },
        { id: 9, previousEventId: 8, type: 'TaskStarted', timestamp: 1 },
        scheduled(8, 7, { t: '+main+load' }),
      ),
    );
    await ended(arn);
    expect(posted().map(({ text }) => text)).toEqual([
      'main failed: The task took longer than it may, or its container fell silent (States.Timeout)',
    ]);
    const text = JSON.stringify(posted()[0]?.blocks);
    expect(text).toContain('*Task*\\n+main+load');
    expect(text).toMatch(
      /log-group\/\$252Ftrowel\$252Fp\$252Ftasks\/log-events\/task\$252Ftask\$252F0123456789abcdef\|Log>/,
    );
  });

  it('tells of an execution that never got past its input', async () => {
    const cause = '{"errorType":"Trowel.BadInput","errorMessage":"The execution\'s input is wrong"}';
    const arn = describeExecution('bad-input', { error: 'Trowel.BadInput', cause });
    history({ events: [scheduled(3, 2, { v: 1, workflow: 'sub/main' })] }, last());
    await ended(arn);
    expect(posted()[0]?.text).toBe("sub/main failed: The execution's input is wrong");
  });

  it('sends one message for an event that comes twice, and another after a redrive', async () => {
    const said = { error: 'X', cause: 'twice' };
    for (const redrives of [0, 0, 1]) {
      const arn = describeExecution('twice', { ...said, redrives });
      history(beginning(), last());
      await ended(arn);
    }
    expect(posted()).toHaveLength(2);
    expect(await mails(2)).toHaveLength(2);
  });

  it('of two at the same time sends one', async () => {
    const arns = [1, 2, 3, 4].map(() => describeExecution('at-once', { error: 'X', cause: 'y' }));
    history(...[1, 2, 3, 4].map(() => beginning()));
    await Promise.all(arns.map((arn) => ended(arn)));
    expect(posted()).toHaveLength(1);
  });

  it('fails if Slack refuses, though the mail is sent; the next try sends what is missing alone', async () => {
    slack = () => ({ status: 404, body: 'no_service' });
    const said = { error: 'X', cause: 'refused' };
    const fail = ended(describeExecution('refused', said), 'same');
    history(beginning(), last());
    await expect(fail).rejects.toMatchObject({ message: 'Slack refused the message: 404 no_service' });
    await mails(1);
    slack = () => ({});
    history(beginning(), last());
    expect(await ended(describeExecution('refused', said), 'another')).toEqual({ told: { told: 'main failed' } });
    expect(posted()).toHaveLength(2);
    expect(published()).toHaveLength(1);
  });

  it('goes on with what an invocation that died had begun', async () => {
    const s3 = aws.s3;
    const claim = await bucketMarks(s3, aws.bucket, 'died').claim('main/died', 'failure-main');
    await claim?.done('slack');
    const said = { error: 'X', cause: 'died' };
    history(beginning());
    expect(await ended(describeExecution('died', said), 'another')).toEqual({
      told: { ignored: 'it is told already' },
    });
    history(beginning(), last());
    await ended(describeExecution('died', said), 'died');
    expect(posted()).toHaveLength(0);
    expect(await mails(1)).toHaveLength(1);
  });

  it('is gone on with by one alone where another gave up', async () => {
    const claim = (owner: string) => bucketMarks(aws.s3, aws.bucket, owner).claim('given-up', 'failure-main');
    const first = await claim('first');
    await first?.done('topic');
    await first?.release();
    expect((await claim('second'))?.delivered).toEqual(new Set(['topic']));
    expect(await claim('third')).toBeUndefined();
    expect((await claim('second'))?.delivered).toEqual(new Set(['topic']));
  });

  it('never shows the webhook', async () => {
    slack = () => ({ status: 400, body: `${web.url}/slack/T0/hush is wrong` });
    const fail = ended(describeExecution('hush', { error: 'X', cause: 'y' }));
    history(beginning(), last());
    await expect(fail).rejects.not.toMatchObject({ message: expect.stringContaining('hush') });
  });

  it.each(['RUNNING', 'PENDING_REDRIVE'])('has nothing to say of one that is %s', async (status) => {
    expect(await ended(describeExecution('x', { status }))).toEqual({ told: { ignored: `it is ${status}` } });
  });

  describe('of a required workflow', () => {
    const dependent = {
      error: 'Trowel.TaskFailed',
      cause: '{"message":"Dependent workflow failed: sub, execution sub-1"}',
    };
    const sub = { error: 'X', cause: '{"message":"rows are missing","task":"+sub+a"}' };
    const mentioned = {
      id: 8,
      previousEventId: 7,
      type: 'TaskFailed',
      timestamp: 1,
      taskFailedEventDetails: {
        error: 'States.TaskFailed',
        cause: `{"ExecutionArn":"${REGION}:execution:p-sub:sub-1"}`,
      },
    };

    it('one message is sent, whoever comes first', async () => {
      const arn = describeExecution('main-1', dependent);
      describeExecution('sub-1', { ...sub, start: 1_200, stop: 1_800 }, 'sub');
      history(beginning(), last(mentioned), beginning('sub'), last());
      await ended(arn);
      history(beginning('sub'));
      const again = await ended(describeExecution('sub-1', { ...sub, start: 1_200, stop: 1_800 }, 'sub'));
      expect(again).toEqual({ told: { ignored: 'it is told already' } });
      expect(posted().map(({ text }) => text)).toEqual(['sub failed: rows are missing']);
      expect(JSON.stringify(posted()[0])).toContain('*Failed with it*\\nmain');
      expect(JSON.stringify(posted()[0])).toContain('trowel retry sub-1 --resume');
    });

    it('that had failed before, the dependent one is told', async () => {
      const arn = describeExecution('main-2', { ...dependent, start: 5_000, stop: 6_000 });
      describeExecution('sub-1', { ...sub, stop: 1_800 }, 'sub');
      history(beginning(), last(mentioned));
      await ended(arn);
      expect(posted().map(({ text }) => text)).toEqual([
        'main failed: Dependent workflow failed: sub, execution sub-1',
      ]);
    });
  });

  describe('recovery', () => {
    const listed = (name: string, status: string, stop: number) => ({
      ...{ executionArn: `${REGION}:execution:p-main:${name}`, name, status, startDate: stop - 1, stopDate: stop },
      stateMachineArn: MAIN,
    });
    const running = { ...listed('now', 'RUNNING', 0), stopDate: undefined };

    it.each<[string, object[], number]>([
      ['after a failure is told', [running, listed('b', 'FAILED', 50), listed('a', 'SUCCEEDED', 40)], 1],
      ['after a stopped one too', [listed('b', 'ABORTED', 50)], 1],
      ['after a success is not', [listed('c', 'SUCCEEDED', 60), listed('b', 'FAILED', 50)], 0],
      [
        'counts what has ended before it, not what has begun',
        [listed('d', 'FAILED', 200), listed('b', 'SUCCEEDED', 50)],
        0,
      ],
      ['with nothing before it is none', [], 0],
    ])('%s', async (_name, executions, count) => {
      const own = describeExecution(randomUUID(), { status: 'SUCCEEDED', stop: 100 });
      aws.answers.ListExecutions = [
        { executions: [{ ...listed('x', 'SUCCEEDED', 100), executionArn: own }, ...executions] },
      ];
      history(beginning());
      await ended(own);
      expect(posted().map(({ text }) => text)).toEqual(Array(count).fill('main works again'));
    });
  });

  describe('an alarm', () => {
    const alarm = (metric: string, value = 'ALARM') => ({
      ...{ source: 'aws.cloudwatch', alarmArn: 'arn', accountId: '1', time: '1970-01-01T00:10:00.000+0000' },
      alarmData: {
        alarmName: `p-${metric}`,
        state: { value, reason: 'Threshold Crossed' },
        configuration: {
          description: 'Somebody look',
          metrics: [
            { id: 'e', expression: 'm0' },
            ...(metric === 'Undelivered'
              ? []
              : [
                  {
                    id: 'm0',
                    metricStat: {
                      metric: { namespace: 'AWS/States', name: metric, dimensions: { StateMachineArn: MAIN } },
                    },
                  },
                ]),
          ],
        },
      },
    });

    it('leads to what no event has told', async () => {
      const executions = [
        { name: 'lost', status: 'FAILED', startDate: 1, stopDate: 300 },
        { name: 'long ago', status: 'FAILED', startDate: -3000, stopDate: -2000 },
      ].map((one) => ({ ...one, executionArn: `${REGION}:execution:p-main:${one.name}`, stateMachineArn: MAIN }));
      for (const told of [{ told: 'main failed' }, { ignored: 'it is told already' }]) {
        aws.answers.ListExecutions = [{ executions }];
        describeExecution('lost', { error: 'X', cause: 'no event came' });
        history(beginning(), last());
        expect(await handler(alarm('ExecutionsFailed'))).toEqual({ told: [told] });
      }
      expect(posted().map(({ text }) => text)).toEqual(['main failed: no event came']);
      // A page of all would not reach back to one that began long before others.
      expect(aws.calls.findLast(({ action }) => action === 'ListExecutions')?.input).toMatchObject({
        stateMachineArn: MAIN,
        statusFilter: 'FAILED',
      });
    });

    it('of something else is told as it is, to Slack: the topic has it already', async () => {
      await handler(alarm('Undelivered'));
      expect(posted().map(({ text }) => text)).toEqual(['Alarm p-Undelivered: Somebody look']);
      expect(published()).toEqual([]);
    });

    it('that is over is not', async () => {
      expect(await handler(alarm('ExecutionsFailed', 'OK'))).toEqual({
        told: [{ ignored: 'p-ExecutionsFailed is OK' }],
      });
    });
  });

  function payloadOf(op: string, k: Payload['k'], name: string, given: Partial<Payload> = {}): Payload {
    const attempt = {
      root: `s3://${aws.bucket}/attempts/main/${name}`,
      workflow: 'main',
      execution: `${REGION}:execution:p-main:${name}`,
      sla: '2030-01-31T17:00:00.000Z',
    };
    const vars = { timezone: 'UTC', session_time: '2030-01-31T00:00:00+00:00', attempt_id: 7 };
    return { v: 1, t: '+main+load^error+tell', op, l: [{}], m: 1, b: { vars, attempt }, k, ...given };
  }

  describe('notify> in a handler', () => {
    const error = { Error: 'Trowel.TaskFailed', Cause: JSON.stringify(CAUSE) };
    const handling: Payload['l'] = [{}, [{ error }, 0]];

    it('tells the failure once for the handlers around it, and so for its end', async () => {
      const told = { 'notify>': 'load <failed>: ${error.message}' };
      await handler(payloadOf('notify', told, 'handled', { l: handling }));
      await handler(payloadOf('notify', told, 'handled', { l: handling, t: '+main^error+tell' }));
      const arn = describeExecution('handled', { error: error.Error, cause: error.Cause });
      history(beginning());
      expect(await ended(arn)).toEqual({ told: { ignored: 'a handler has told it' } });
      expect(posted()).toHaveLength(1);
      const text = JSON.stringify(posted()[0]);
      for (const part of [
        'load &lt;failed&gt;',
        '*Task*\\n+main+load',
        'the end of it',
        'trowel retry handled --resume',
      ])
        expect(text).toContain(part);
      const [mail] = await mails(1);
      expect(mail?.Subject).toMatch(/^\+main\+load\^error\+tell: load <failed>/);
    });

    it('tells another failure of the attempt too', async () => {
      const other: Payload['l'] = [{}, [{ error: { ...error, Cause: '{"message":"another"}' } }, 0]];
      await handler(payloadOf('notify', { 'notify>': 'one' }, 'two', { l: handling }));
      await handler(payloadOf('notify', { 'notify>': 'two' }, 'two', { l: other }));
      expect(posted()).toHaveLength(2);
    });

    it('that fails leaves it to the end of the execution', async () => {
      slack = () => ({ status: 404, body: 'no_service' });
      const state = handler(payloadOf('notify', { 'notify>': 'x' }, 'unheard', { l: handling }));
      await expect(state).rejects.toMatchObject({ name: 'Trowel.TaskFailed' });
      slack = () => ({});
      const arn = describeExecution('unheard', { error: error.Error, cause: error.Cause });
      history(beginning(), last());
      expect(await ended(arn)).toEqual({ told: { told: 'main failed' } });
    });
  });

  it('notify> elsewhere sends its text alone, as often as it runs', async () => {
    await handler(payloadOf('notify', { 'notify>': '<!here> & done' }, 'plain'));
    await handler(payloadOf('notify', { 'notify>': 'again' }, 'plain', { t: '+main+b' }));
    expect(posted()).toEqual([{ text: '&lt;!here&gt; &amp; done' }, { text: 'again' }]);
  });

  describe('an sla', () => {
    it('is told once, with what still runs; stopping it then is no news', async () => {
      for (const result of [{ told: 'main is late' }, { ignored: 'it is told already' }]) {
        history(last(scheduled(12, 11, { t: '+main+slow' })));
        const payload = payloadOf('sla', { time: '02:00', fail: true }, 'late', { t: '+main^sla^alert' });
        expect(await handler(payload)).toEqual(result);
      }
      const arn = describeExecution('late', { status: 'ABORTED', error: 'Trowel.Sla', cause: '{"message":"late"}' });
      history(beginning());
      expect(await ended(arn)).toEqual({ told: { ignored: 'its sla has told it' } });
      expect(posted().map(({ text }) => text)).toEqual(['main is late']);
      const text = JSON.stringify(posted()[0]);
      for (const part of ['02:00 (2030-01-31T17:00:00.000Z)', '+main+slow', 'It is stopped'])
        expect(text).toContain(part);
    });

    it('is told by the next try where Step Functions refuses to show the history at first', async () => {
      const payload = payloadOf('sla', { time: '02:00' }, 'refused-history', { t: '+main^sla^alert' });
      history(...Array.from({ length: 3 }, () => fault('ThrottlingException', 'Rate exceeded')));
      await expect(handler(payload)).rejects.toMatchObject({ name: 'Trowel.Throttled' });
      history(last());
      expect(await handler(payload)).toEqual({ told: 'main is late' });
      expect(posted().map(({ text }) => text)).toEqual(['main is late']);
    });

    it('without an alert that stops a session is told as a stopped session', async () => {
      const cause = '{"message":"SLA violation: not ended by 02:00"}';
      const arn = describeExecution('sla-only', { status: 'ABORTED', error: 'Trowel.Sla', cause });
      history(beginning(), last());
      await ended(arn);
      expect(posted().map(({ text }) => text)).toEqual(['main was stopped: SLA violation: not ended by 02:00']);
    });
  });

  describe('mail> through SES', () => {
    interface Sent {
      readonly raw_data: string;
      readonly source: string;
      readonly destinations: readonly string[];
    }
    const sent = async (): Promise<Sent[]> => {
      const data = (await (await fetch(`${process.env.AWS_ENDPOINT_URL}/moto-api/data.json`)).json()) as {
        [service: string]: { [model: string]: Sent[] };
      };
      return Object.values(data).flatMap((models) => models.RawMessage ?? []);
    };
    const keys = {
      'mail>': { data: '<b>${who}</b>' },
      subject: 'Grüße',
      from: 'me@example.com',
      to: ['a@example.com'],
      html: true,
    };

    beforeAll(async () => {
      await new SESv2Client({}).send(new CreateEmailIdentityCommand({ EmailIdentity: 'me@example.com' }));
    });

    it('has html, attachments from values by reference and not, and hidden recipients', async () => {
      const content = Buffer.from([0, 1, 2, 255]);
      const sha256 = createHash('sha256').update(content).digest('hex');
      await aws.put(`attempts/main/mail-1/values/${sha256}.bin`, content);
      const ref = { 'trowel:ref': sha256, kind: 'bytes', bytes: 4 };
      const attach_files = [
        { value: '${report}', filename: 'report.bin' },
        { value: '${rows}', filename: 'rows.json', content_type: 'application/json' },
      ];
      const payload = payloadOf('mail', { ...keys, bcc: 'b@example.com', attach_files }, 'mail-1', {
        l: [{ who: 'Ann', report: ref, rows: [1, 2] }],
      });
      await handler(payload);
      const [mail, ...others] = await sent();
      expect(others).toEqual([]);
      expect(mail?.source).toBe('me@example.com');
      expect(new Set(mail?.destinations)).toEqual(new Set(['a@example.com', 'b@example.com']));
      for (const part of [
        'To: a@example.com',
        'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=',
        'Content-Type: text/html; charset=utf-8',
        '<b>Ann</b>',
        'name=report.bin',
        Buffer.from([0, 1, 2, 255]).toString('base64'),
        'Content-Type: application/json; name=rows.json',
        Buffer.from('[1,2]').toString('base64'),
      ])
        expect(mail?.raw_data).toContain(part);
      expect(mail?.raw_data).not.toMatch(/\bb@example|^bcc/im);
    });

    it('attaches no value of another run', async () => {
      const sha256 = createHash('sha256').update('of another').digest('hex');
      await aws.put(`attempts/main/other/values/${sha256}.bin`, 'of another');
      const ref = { 'trowel:ref': sha256, kind: 'bytes', bytes: 4 };
      const payload = payloadOf('mail', { ...keys, attach_files: [{ value: '${report}' }] }, 'mail-2', {
        l: [{ who: 'Ann', report: ref }],
      });
      await expect(handler(payload)).rejects.toMatchObject({
        name: 'Trowel.TaskFailed',
        message: expect.stringMatching(/is gone, or not of this run$/),
      });
    });

    it('says what to do where SES refuses', async () => {
      const refused = handler(
        payloadOf('mail', { ...keys, from: 'nobody@example.org' }, 'mail-3', { l: [{ who: 'A' }] }),
      );
      await expect(refused).rejects.toMatchObject({
        name: 'Trowel.TaskFailed',
        message: expect.stringMatching(
          /^SES refused the mail from nobody@example.org: .*verified.*trowel check --aws/s,
        ),
      });
    });
  });
});
