import { describe, expect, it } from 'vitest';
import type { Json } from '../../../lib/asl/types.ts';
import type { TaskTable } from '../../../lib/contract/task-info.ts';
import { TaskError } from '../../../lib/engine/errors.ts';
import { execute } from '../../../lib/engine/execution.ts';
import type { HistoryEvent } from '../../../lib/engine/history.ts';
import type { Invoke } from '../../../lib/engine/types.ts';
import type { RunEvent } from '../../../lib/events/run-event.ts';
import { TaskEvents } from '../../../lib/events/task-events.ts';

const LAMBDA = 'arn:aws:states:::lambda:invoke';
const failure = JSON.stringify({ message: 'it broke', stacktrace: 'line 3', log: '/log', task: '+m+a', exit: 3 });

/** A loop of a task that fails once, an echo, a wait, a fail. */
const MACHINE = {
  QueryLanguage: 'JSONata' as const,
  StartAt: 'Each',
  States: {
    Each: {
      Type: 'Map' as const,
      Items: ['0', '1'],
      ItemProcessor: {
        StartAt: 'body',
        States: {
          body: {
            Type: 'Task' as const,
            Resource: LAMBDA,
            Arguments: { FunctionName: '${http}', Payload: { t: "{% '+m+loop-' & $states.input %}" } },
            Retry: [{ ErrorEquals: ['Trowel.TaskFailed'], IntervalSeconds: 2, MaxAttempts: 1 }],
            End: true as const,
          },
        },
      },
      Next: 'say',
    },
    say: { Type: 'Pass' as const, Output: { t: '+m+say', echo: 'hello' }, Next: 'pause' },
    pause: { Type: 'Wait' as const, Seconds: 1, Next: 'ask' },
    ask: {
      Type: 'Task' as const,
      Resource: LAMBDA,
      Arguments: { FunctionName: '${evaluate}', Payload: { t: '+m+ask' } },
      Output: {},
      Next: 'stop',
    },
    stop: {
      Type: 'Pass' as const,
      Assign: { f0: { Error: 'Trowel.TaskFailed', Cause: 'enough' } },
      Output: { t: '+m+stop' },
      Next: 'caught',
    },
    caught: {
      Type: 'Task' as const,
      Resource: LAMBDA,
      Arguments: { FunctionName: '${http}', Payload: { t: '+m+caught' } },
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'last' }],
      End: true as const,
    },
    last: { Type: 'Task' as const, Resource: 'arn:aws:states:::aws-sdk:s3:listBuckets', End: true as const },
  },
};

const TABLE: TaskTable = {
  body: { operator: 'http', at: 'm.dig:2' },
  say: { operator: 'echo' },
  pause: { operator: 'wait', task: '+m+pause' },
  ask: { operator: 'echo', task: '+m+ask' },
  stop: { operator: 'fail' },
  caught: { operator: 'http', task: '+m+caught' },
  last: { operator: 'aws', task: '+m+last' },
};

function invoke(): Invoke {
  let failed = false;
  return async (call) => {
    if (call.stateName === 'body' && !failed) {
      failed = true;
      throw new TaskError('Trowel.TaskFailed', failure);
    }
    if (call.stateName === 'ask') return { Payload: { text: 'rendered' } };
    if (call.stateName === 'caught')
      throw new TaskError('Trowel.Template', JSON.stringify({ errorType: 'x', errorMessage: 'bad' }));
    if (call.stateName === 'last') throw new TaskError('S3.AccessDenied', 'no');
    return { Payload: { s: {}, replayed: true } };
  };
}

const clock = { now: () => 0, sleep: async () => {} };

async function historyOf(): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for await (const event of execute(MACHINE, { input: {}, invoke: invoke(), clock })) events.push(event);
  return events;
}

function translated(events: readonly HistoryEvent[]): RunEvent[] {
  const translator = new TaskEvents(TABLE);
  return events.flatMap((event) => translator.translate(event));
}

/** As GetExecutionHistory gives it: JSON as text, Dates, nothing of ours. */
function asOnAws(events: readonly HistoryEvent[]): HistoryEvent[] {
  const text = (value: unknown): unknown => (value === undefined ? undefined : JSON.stringify(value));
  return events
    .filter((event) => event.type !== 'RetryScheduled')
    .map(({ stateEntry: _, ...event }) => {
      const copy = structuredClone(event) as { [key: string]: unknown } & HistoryEvent;
      for (const [name, details] of Object.entries(copy)) {
        if (!name.endsWith('Details')) continue;
        const fields = details as { [key: string]: unknown };
        for (const key of ['input', 'output', 'parameters']) if (key in fields) fields[key] = text(fields[key]);
        const assigned = fields.assignedVariables as { [key: string]: Json } | undefined;
        if (assigned)
          fields.assignedVariables = Object.fromEntries(Object.entries(assigned).map(([k, v]) => [k, text(v)]));
      }
      return { ...copy, timestamp: new Date(copy.timestamp) as unknown as number };
    });
}

const time = '1970-01-01T00:00:00.000Z';
const started = (task: string, operator: string, more = {}) => ({
  type: 'task-started',
  time,
  task,
  operator,
  try: 1,
  ...more,
});
const succeeded = (task: string, more = {}) => ({ type: 'task-succeeded', time, task, seconds: 0, ...more });
const failed = (task: string, error: string, message: string, more = {}) => ({
  type: 'task-failed',
  time,
  task,
  seconds: 0,
  error,
  message,
  ...more,
});

describe('what happened to tasks', () => {
  const rest = [
    started('+m+say', 'echo'),
    { type: 'task-output', time, task: '+m+say', text: 'hello\n' },
    succeeded('+m+say'),
    started('+m+pause', 'wait'),
    succeeded('+m+pause'),
    started('+m+ask', 'echo'),
    { type: 'task-output', time, task: '+m+ask', text: 'rendered\n' },
    succeeded('+m+ask'),
    started('+m+stop', 'fail'),
    failed('+m+stop', 'Trowel.TaskFailed', 'enough'),
    started('+m+caught', 'http'),
    failed('+m+caught', 'Trowel.Template', 'bad'),
    started('+m+last', 'aws'),
    failed('+m+last', 'S3.AccessDenied', 'no'),
  ];
  const at = { at: 'm.dig:2' };
  const retrying = { type: 'task-retrying', time, task: '+m+loop-0', error: 'Trowel.TaskFailed', message: 'it broke' };

  function split(events: readonly RunEvent[]) {
    const inLoop = (task: string) => events.filter((event) => 'task' in event && event.task === task);
    const others = events.filter((event) => !('task' in event && event.task.includes('loop')));
    return { first: inLoop('+m+loop-0'), second: inLoop('+m+loop-1'), others };
  }

  it("from the engine's events", async () => {
    const { first, second, others } = split(translated(await historyOf()));
    expect(first).toEqual([
      started('+m+loop-0', 'http', at),
      { ...retrying, seconds: 2 },
      started('+m+loop-0', 'http', { ...at, try: 2 }),
      succeeded('+m+loop-0', { replayed: true }),
    ]);
    expect(second).toEqual([started('+m+loop-1', 'http', at), succeeded('+m+loop-1', { replayed: true })]);
    expect(others).toEqual(rest);
  });

  it("from AWS's history, where retries are not told apart from a second schedule", async () => {
    const { first, others } = split(translated(asOnAws(await historyOf())));
    expect(first).toEqual([
      started('+m+loop-0', 'http', at),
      { ...retrying, seconds: 0 },
      started('+m+loop-0', 'http', { ...at, try: 2 }),
      succeeded('+m+loop-0', { replayed: true }),
    ]);
    expect(others).toEqual(rest);
  });

  it('with the traceback and the log of a failure', () => {
    const translator = new TaskEvents({ a: { operator: 'py', task: '+m+a' } });
    const resource = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };
    const common = { previousEventId: 0, timestamp: 0, stateEntry: 1 };
    const events: HistoryEvent[] = [
      { ...common, id: 1, type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'a', input: {} } },
      { ...common, id: 2, type: 'TaskScheduled', taskScheduledEventDetails: { ...resource, parameters: {} } },
      {
        ...common,
        id: 3,
        timestamp: 1500,
        type: 'TaskFailed',
        taskFailedEventDetails: { ...resource, error: 'Trowel.TaskFailed', cause: failure },
      },
      { ...common, id: 4, timestamp: 1500, type: 'ExecutionFailed', executionFailedEventDetails: {} },
    ];
    const [, told] = events.flatMap((event) => translator.translate(event));
    expect(told).toMatchObject({
      type: 'task-failed',
      seconds: 1.5,
      message: 'it broke',
      stacktrace: 'line 3',
      log: '/log',
      exit: 3,
    });
  });

  it("with the message of a required workflow's own failure", () => {
    const translator = new TaskEvents({ a: { operator: 'require', task: '+m+a' } });
    const resource = { resourceType: 'states', resource: 'startExecution.sync:2' };
    const common = { previousEventId: 0, timestamp: 0, stateEntry: 1 };
    const cause = JSON.stringify({
      ExecutionArn: 'arn:x',
      Status: 'FAILED',
      Error: 'Trowel.TaskFailed',
      Cause: failure,
    });
    const events: HistoryEvent[] = [
      { ...common, id: 1, type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'a', input: {} } },
      { ...common, id: 2, type: 'TaskScheduled', taskScheduledEventDetails: { ...resource, parameters: {} } },
      {
        ...common,
        id: 3,
        type: 'TaskFailed',
        taskFailedEventDetails: { ...resource, error: 'States.TaskFailed', cause },
      },
      { ...common, id: 4, type: 'TaskStateExited', stateExitedEventDetails: { name: 'a', output: {} } },
    ];
    expect(events.flatMap((event) => translator.translate(event)).at(-1)).toMatchObject({ message: 'it broke' });
  });
});
