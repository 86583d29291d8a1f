/** Targets are played: a function by a list of what it was given, SQS by a server. Events that a real container's end makes are in slow/fargate.test.ts. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Sink, serve } from '../../lib/functions/http/server.ts';
import { EventBridge } from './event-bridge.ts';
import { matches } from './event-pattern.ts';
import type { Check } from './policy.ts';
import { type Mapping, Names, resolveStack } from './template.ts';

describe('a pattern', () => {
  const event: Mapping = {
    source: 'aws.ecs',
    'detail-type': 'ECS Task State Change',
    resources: ['arn:a', 'arn:b'],
    detail: {
      lastStatus: 'STOPPED',
      clusterArn: 'arn:c',
      n: 5,
      none: null,
      containers: [{ exitCode: 0 }, { exitCode: 137 }],
    },
  };
  it.each<[Mapping, boolean]>([
    [{ source: ['aws.ecs'] }, true],
    [{ source: ['aws.s3', 'aws.ecs'] }, true],
    [{ source: ['aws.s3'] }, false],
    [{ source: ['aws.ecs'], detail: { lastStatus: ['STOPPED'], clusterArn: ['arn:c'] } }, true],
    [{ detail: { lastStatus: ['RUNNING'] } }, false],
    [{ resources: ['arn:b'] }, true],
    [{ detail: { containers: { exitCode: [137] } } }, true],
    [{ detail: { containers: { exitCode: [1] } } }, false],
    [{ detail: { none: [null] } }, true],
    [{ detail: { other: [null] } }, false],
    [{ detail: { lastStatus: [{ prefix: 'STOP' }] } }, true],
    [{ detail: { lastStatus: [{ suffix: 'ED' }] } }, true],
    [{ detail: { lastStatus: [{ 'anything-but': ['RUNNING', 'PENDING'] }] } }, true],
    [{ detail: { lastStatus: [{ 'anything-but': 'STOPPED' }] } }, false],
    [{ detail: { lastStatus: [{ 'anything-but': { prefix: 'STOP' } }] } }, false],
    [{ detail: { lastStatus: [{ wildcard: 'S*ED' }] } }, true],
    [{ detail: { stopCode: [{ exists: false }] } }, true],
    [{ detail: { lastStatus: [{ exists: false }] } }, false],
    [{ detail: { n: [{ numeric: ['>', 4, '<=', 5] }] } }, true],
    [{ detail: { n: [{ numeric: ['>', 5] }] } }, false],
    [{ $or: [{ source: ['x'] }, { detail: { n: [5] } }] }, true],
  ])('%j: %s', (pattern, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  it('with a filter that is not known is an error', () => {
    expect(() => matches({ source: [{ cidr: '10.0.0.0/8' }] }, event)).toThrow('Unknown filter');
    expect(() => matches({ source: 'aws.ecs' }, event)).toThrow('a list or a mapping');
  });
});

describe('EventBridge', () => {
  const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:stopped';
  const QUEUE = 'arn:aws:sqs:us-east-1:123456789012:dead';
  let queue: Sink;
  const given: string[] = [];

  beforeEach(async () => {
    given.length = 0;
    queue = await serve();
  });
  afterEach(() => queue.close());

  function bus(
    target: Mapping,
    rule: Mapping = {},
    options: { allowed?: (check: Check) => boolean; fail?: number } = {},
  ) {
    let { fail = 0 } = options;
    const made = new EventBridge({
      url: queue.url,
      invoke: (_, payload) => {
        if (fail-- > 0) throw new Error('TooManyRequestsException');
        given.push(payload);
      },
      ...(options.allowed !== undefined && { allowed: options.allowed }),
    });
    const Properties = {
      EventPattern: { source: ['me'] },
      State: 'ENABLED',
      Targets: [{ Arn: FUNCTION, Id: 't', ...target }],
      ...rule,
    };
    const Resources = { Rule: { Type: 'AWS::Events::Rule', Properties } };
    made.deployed(resolveStack('stack', { Resources }, new Map([['Rule', 'rule']]), new Names()));
    return made;
  }
  const event: Mapping = { source: 'me', detail: { id: 'x"y', n: 1 } };
  const put = async (made: EventBridge) => {
    made.put(event);
    await made.idle();
  };

  it.each<[string, Mapping, string]>([
    ['the event', {}, JSON.stringify(event)],
    ['an input of its own', { Input: '{"a":1}' }, '{"a":1}'],
    ['a part', { InputPath: '$.detail' }, '{"id":"x\\"y","n":1}'],
    [
      'an input made from parts',
      {
        InputTransformer: {
          InputPathsMap: { id: '$.detail.id', n: '$.detail.n' },
          InputTemplate: '{"say":"<id>","n":<n>}',
        },
      },
      '{"say":"x\\"y","n":1}',
    ],
  ])('gives a function %s', async (_, target, expected) => {
    await put(bus(target));
    expect(given).toEqual([expected]);
  });

  it('leaves out other events and disabled rules', async () => {
    const made = bus({});
    made.put({ source: 'you' });
    await put(bus({}, { State: 'DISABLED' }));
    expect(given).toEqual([]);
  });

  it('loses, doubles and delays an event when it is told to', async () => {
    const made = bus({});
    made.hooks.deliveries = () => [];
    await put(made);
    expect(given).toHaveLength(0);
    made.hooks.deliveries = () => [0, 50];
    await put(made);
    expect(given).toHaveLength(2);
  });

  it('tries again, then gives up to the dead-letter queue', async () => {
    await put(bus({}, {}, { fail: 2 }));
    expect(given).toHaveLength(1);
    await put(bus({ RetryPolicy: { MaximumRetryAttempts: 1 }, DeadLetterConfig: { Arn: QUEUE } }, {}, { fail: 2 }));
    expect(given).toHaveLength(1);
    expect(new URLSearchParams(queue.received[0]?.body).get('MessageBody')).toBe(JSON.stringify(event));
  });

  it('asks the resource whether the rule may', async () => {
    const asked: Check[] = [];
    const allowed = (check: Check) => {
      asked.push(check);
      return check.action !== 'lambda:InvokeFunction';
    };
    await put(bus({ DeadLetterConfig: { Arn: QUEUE } }, {}, { allowed }));
    const context = { 'aws:SourceArn': 'arn:aws:events:us-east-1:123456789012:rule/rule' };
    expect(asked).toEqual([
      { action: 'lambda:InvokeFunction', resource: FUNCTION, context },
      { action: 'sqs:SendMessage', resource: QUEUE, context },
    ]);
    expect([given.length, queue.received.length]).toEqual([0, 1]);
  });
});
