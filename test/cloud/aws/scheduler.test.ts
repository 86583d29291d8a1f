/** Lambda and SQS are played by a server that answers as told; how schedules that a real deploy has made start executions is in test/cloud. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type Received, type Sink, serve } from '../../lib/functions/http/server.ts';
import { Scheduler } from './scheduler.ts';
import { type Mapping, Names, resolveStack } from './template.ts';

const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:session';
const QUEUE = 'arn:aws:sqs:us-east-1:123456789012:dead';
const keys = { of: (role: string) => ({ accessKeyId: `key-${role}`, secretAccessKey: 'x' }) };

let server: Sink;
let answer: (request: Received) => Answer;

beforeEach(async () => {
  answer = () => ({ status: 202 });
  server = await serve((request) => answer(request));
});
afterEach(() => server.close());

function scheduler(schedules: { readonly [id: string]: Mapping }, now: string, more: object = {}): Scheduler {
  const made = new Scheduler({ url: server.url, keys, now: Date.parse(now), ...more });
  const Resources = Object.fromEntries(
    Object.entries(schedules).map(([id, properties]) => [
      id,
      {
        Type: 'AWS::Scheduler::Schedule',
        Properties: {
          FlexibleTimeWindow: { Mode: 'OFF' },
          GroupName: 'p',
          Target: {
            Arn: FUNCTION,
            RoleArn: 'arn:aws:iam::123456789012:role/schedule',
            DeadLetterConfig: { Arn: QUEUE },
          },
          ...properties,
        },
      },
    ]),
  );
  made.deployed(resolveStack('stack', { Resources }, new Map(), new Names()));
  return made;
}

const times = (fired: readonly { schedule: string; time: string }[]) =>
  fired.map(({ schedule, time }) => `${schedule} ${time}`);

describe('Scheduler', () => {
  it('runs what comes due while time passes, in order, and nothing else', async () => {
    const made = scheduler(
      {
        Hourly: { ScheduleExpression: 'cron(0 * * * ? *)' },
        Tokyo: { ScheduleExpression: 'cron(30 9 * * ? *)', ScheduleExpressionTimezone: 'Asia/Tokyo' },
        Off: { ScheduleExpression: 'cron(* * * * ? *)', State: 'DISABLED' },
        Later: {
          ScheduleExpression: 'cron(0 * * * ? *)',
          StartDate: '2026-11-01T02:00:00.000Z',
          EndDate: '2026-11-01T02:59:59Z',
        },
      },
      '2026-11-01T00:00:00Z',
    );
    const first = await made.advance(Date.parse('2026-11-01T02:00:00Z'));
    expect(times(first)).toEqual([
      'Tokyo 2026-11-01T00:30:00Z',
      'Hourly 2026-11-01T01:00:00Z',
      'Hourly 2026-11-01T02:00:00Z',
      'Later 2026-11-01T02:00:00Z',
    ]);
    expect(times(await made.advance(Date.parse('2026-11-01T02:30:00Z')))).toEqual([]);
    expect(times(await made.advance(Date.parse('2026-11-01T03:00:00Z')))).toEqual(['Hourly 2026-11-01T03:00:00Z']);
  });

  it('invokes the function asynchronously with its role, and fills the placeholders', async () => {
    const Target = {
      Arn: FUNCTION,
      RoleArn: 'arn:aws:iam::123456789012:role/schedule',
      Input:
        '{"at":"<aws.scheduler.scheduled-time>","by":"<aws.scheduler.schedule-arn>","n":"<aws.scheduler.attempt-number>"}',
    };
    await scheduler({ S: { ScheduleExpression: 'rate(1 hour)', Target } }, '2026-11-01T00:00:00Z').advance(
      Date.parse('2026-11-01T01:00:00Z'),
    );
    const [{ url, headers, body } = { url: '', headers: {}, body: '' }] = server.received;
    expect(decodeURIComponent(url)).toBe(`/2015-03-31/functions/${FUNCTION}/invocations`);
    expect(headers).toMatchObject({ 'x-amz-invocation-type': 'Event' });
    expect(headers.authorization).toContain('Credential=key-schedule/');
    expect(JSON.parse(body)).toEqual({
      at: '2026-11-01T01:00:00Z',
      by: expect.stringMatching(/^arn:aws:scheduler:us-east-1:123456789012:schedule\/p\//),
      n: '1',
    });
  });

  const sent = () =>
    server.received.filter(({ url }) => url.endsWith('/dead')).map(({ body }) => new URLSearchParams(body));
  const invocations = () => server.received.filter(({ url }) => url.includes('/functions/')).length;

  it('tries again what fails for a passing reason', async () => {
    let left = 2;
    answer = () => ({ status: left-- > 0 ? 429 : 202 });
    await scheduler({ S: { ScheduleExpression: 'rate(1 hour)' } }, '2026-11-01T00:00:00Z').advance(
      Date.parse('2026-11-01T01:00:00Z'),
    );
    expect([invocations(), sent().length]).toEqual([3, 0]);
  });

  it('puts what is refused into the dead-letter queue, in the name of the role', async () => {
    answer = ({ url }) => (url.includes('/functions/') ? { status: 403, body: 'no' } : {});
    const made = scheduler({ S: { ScheduleExpression: 'rate(1 hour)' } }, '2026-11-01T00:00:00Z');
    const [fired] = await made.advance(Date.parse('2026-11-01T01:00:00Z'));
    expect(fired?.fault).toBe('403 no');
    expect(invocations()).toBe(1);
    expect(
      sent().map((fields) => [fields.get('MessageBody'), fields.get('MessageAttribute.1.Value.StringValue')]),
    ).toEqual([['{}', '403 no']]);
    expect(server.received.at(-1)?.headers.authorization).toContain('key-schedule');
  });

  it('delivers a run twice when it is told to', async () => {
    const made = scheduler({ S: { ScheduleExpression: 'rate(1 hour)' } }, '2026-11-01T00:00:00Z');
    made.hooks.deliveries = () => 2;
    await made.advance(Date.parse('2026-11-01T01:00:00Z'));
    expect(invocations()).toBe(2);
  });

  it('does not run under a role that does not trust it', async () => {
    const made = scheduler({ S: { ScheduleExpression: 'rate(1 hour)' } }, '2026-11-01T00:00:00Z', {
      mayAssume: () => false,
    });
    await made.advance(Date.parse('2026-11-01T01:00:00Z'));
    expect([invocations(), sent().length]).toEqual([0, 1]);
  });

  it.each<[string, Mapping, string]>([
    ['a start that is past', { StartDate: '2026-10-31T00:00:00Z' }, 'StartDate'],
    ['an end that is past', { EndDate: '2026-10-31T00:00:00Z' }, 'EndDate'],
    ['a target without a role', { Target: { Arn: FUNCTION } }, 'RoleArn'],
    ['an input that is no JSON', { Target: { Arn: FUNCTION, RoleArn: 'x', Input: '{' } }, 'JSON'],
    ['an expression of its own', { ScheduleExpression: 'every day' }, 'Invalid schedule expression'],
  ])('refuses %s', (_, properties, message) => {
    expect(() =>
      scheduler({ S: { ScheduleExpression: 'rate(1 hour)', ...properties } }, '2026-11-01T00:00:00Z'),
    ).toThrow(message);
  });
});
