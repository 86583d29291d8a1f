import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { StateMachine } from '../../../lib/asl/types.ts';
import { VirtualClock } from '../../../lib/engine/clock.ts';
import { execute } from '../../../lib/engine/execution.ts';
import type { HistoryEvent } from '../../../lib/engine/history.ts';
import { machineOf, outputOf, pass, run, task } from './harness.ts';

const loop = (times: number, size = 10) =>
  machineOf({
    I: { Type: 'Pass', Assign: { i: 0, big: 'x' }, Next: 'L' },
    L: {
      Type: 'Choice',
      Choices: [
        {
          Condition: `{% $i < ${times} %}`,
          Assign: { i: '{% $i + 1 %}', big: `{% $pad('', ${size}, 'y') %}` },
          Next: 'L',
        },
      ],
      Default: 'E',
    },
    E: { Type: 'Succeed', Output: '{% $i %}' },
  });
const invoke = async () => null;

test('the context object', async () => {
  const output = await outputOf(
    { A: pass({ Output: '{% $states.context %}' }) },
    { name: 'n', input: { a: 1 }, clock: new VirtualClock(Date.UTC(2026, 0, 1)), roleArn: 'arn:role' },
  );
  expect(output).toEqual({
    Execution: {
      Id: 'arn:aws:states:local:000000000000:execution:machine:n',
      Input: { a: 1 },
      Name: 'n',
      RedriveCount: 0,
      RoleArn: 'arn:role',
      StartTime: '2026-01-01T00:00:00.000Z',
    },
    State: { EnteredTime: '2026-01-01T00:00:00.000Z', Name: 'A' },
    StateMachine: { Id: 'arn:aws:states:local:000000000000:stateMachine:machine', Name: 'machine' },
  });
});

test('memory stays flat over a loop of 10,000 that makes 100 MB of values', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  await execute(loop(100, 10_000), { input: {}, invoke }).outcome;
  const before = heap();
  const execution = execute(loop(10_000, 10_000), { input: {}, invoke });
  let count = 0;
  let peak = 0;
  for await (const event of execution) {
    count += event.id > 0 ? 1 : 0;
    if (count % 2000 === 0) peak = Math.max(peak, heap());
  }
  expect(count).toBe(20_008);
  expect(await execution.outcome).toEqual({ status: 'SUCCEEDED', output: 10_000 });
  // Generous; what it makes is over 100 MB.
  expect(peak - before).toBeLessThan(30e6);
});

test('a slow reader misses nothing, and the execution does not run away from it', async () => {
  const execution = execute(loop(2000), { input: {}, invoke });
  const ids: number[] = [];
  let newest = 0;
  const other = (async () => {
    for await (const event of execution) {
      newest = event.id;
    }
  })();
  for await (const event of execution) {
    ids.push(event.id);
    if (event.id % 100 === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(newest - event.id).toBeLessThan(1100);
    }
  }
  await other;
  expect(ids).toEqual(Array.from({ length: 4008 }, (_, index) => index + 1));
});

test('nothing runs until events or outcome are asked for; then the first reader has all', async () => {
  let calls = 0;
  const execution = execute(machineOf({ T: task() }), {
    input: {},
    invoke: async () => {
      calls += 1;
      return null;
    },
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toBe(0);
  const outcome = execution.outcome;
  const events: HistoryEvent[] = [];
  for await (const event of execution) {
    events.push(event);
  }
  expect(events.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect((await outcome).status).toBe('SUCCEEDED');
  expect(calls).toBe(1);
});

test('a reader that leaves does not hold the execution up', async () => {
  const execution = execute(loop(3000), { input: {}, invoke });
  for await (const event of execution) {
    if (event.id === 10) break;
  }
  expect((await execution.outcome).status).toBe('SUCCEEDED');
});

test('events follow what they refer to', async () => {
  const branch = (name: string) => ({
    StartAt: name,
    States: {
      [name]: {
        Type: 'Map',
        Items: [1, 2, 3],
        ItemProcessor: { StartAt: `${name}i`, States: { [`${name}i`]: task() } },
        End: true,
      },
    },
  });
  const { events } = await run(machineOf({ P: { Type: 'Parallel', Branches: [branch('a'), branch('b')], End: true } }));
  const seen = new Set([0]);
  for (const { id, previousEventId, stateEntry } of events) {
    expect(seen.has(previousEventId)).toBe(true);
    expect(stateEntry === undefined || seen.has(stateEntry)).toBe(true);
    seen.add(id);
  }
  expect(seen.size).toBe(events.length + 1);
});

test('stopping aborts the calls and ends as ABORTED', async () => {
  const stop = new AbortController();
  let aborted = false;
  const { outcome, events } = await run(
    machineOf({
      P: {
        Type: 'Parallel',
        Branches: [{ StartAt: 'T', States: { T: task({ Retry: [{ ErrorEquals: ['States.ALL'] }] }) } }],
        End: true,
      },
    }),
    {
      signal: stop.signal,
      invoke: (call) =>
        new Promise((_, reject) => {
          call.signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('stopped'));
          });
          stop.abort();
        }),
    },
  );
  expect(outcome).toEqual({ status: 'ABORTED' });
  expect(aborted).toBe(true);
  expect(events.at(-1)?.type).toBe('ExecutionAborted');
});

test('an endless loop can be stopped', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  const machine = machineOf({
    A: { Type: 'Pass', Next: 'B' },
    B: { Type: 'Choice', Choices: [{ Condition: true, Next: 'A' }] },
  });
  expect(await execute(machine, { input: {}, invoke, signal: stop.signal }).outcome).toEqual({ status: 'ABORTED' });
  expect(await execute(machine, { input: {}, invoke, signal: stop.signal }).outcome).toEqual({ status: 'ABORTED' });
});

test('TimeoutSeconds of the machine', async () => {
  const machine = machineOf({ W: { Type: 'Wait', Seconds: 100, End: true } }, { TimeoutSeconds: 30 });
  const { outcome, seconds, events } = await run(machine);
  expect(outcome).toEqual({ status: 'TIMED_OUT' });
  expect(seconds).toBe(30);
  expect(events.map(({ type }) => type)).toEqual(['ExecutionStarted', 'WaitStateEntered', 'ExecutionTimedOut']);
});

test('the limit of a history, if asked for', async () => {
  const { outcome } = await run(loop(20_000), { historyLimit: true });
  expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.Runtime', cause: expect.stringContaining('25000') });
});

test('input beyond the limit', async () => {
  const { outcome } = await run(machineOf({ A: pass() }), { input: 'x'.repeat(262_143) });
  expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
});

test('a machine that was never checked fails where its fault is met', async () => {
  const machine = { QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Pass', Next: 'toString' } } };
  expect((await run(machine as unknown as StateMachine)).outcome).toMatchObject({ error: 'States.Runtime' });
  const broken = { QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Pas' } } };
  expect((await run(broken as unknown as StateMachine)).outcome).toMatchObject({ error: 'States.Runtime' });
});

test('many executions at once share one machine', async () => {
  const machine = machineOf({
    A: { Type: 'Pass', Assign: { x: '{% $states.input.n %}' }, Next: 'B' },
    B: pass({ Output: '{% ($f := function($k) { $k = 0 ? 0 : 1 + $f($k - 1) }; $x + $f(5)) %}' }),
  });
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, n) => execute(machine, { input: { n }, invoke }).outcome),
  );
  expect(outcomes.map((outcome) => (outcome.status === 'SUCCEEDED' ? outcome.output : outcome))).toEqual(
    Array.from({ length: 50 }, (_, n) => n + 5),
  );
});
