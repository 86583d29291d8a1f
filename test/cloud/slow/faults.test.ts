/**
 * Faults of AWS, each once and then in random combination, on the small AWS with time made 30 times as fast: HeartbeatSeconds 300 are 10 s
 * here, and containers send a heartbeat every 0.7 s (TROWEL_HEARTBEAT) instead of 20. The bundle is unpacked once, by the deployed
 * bootstrap. What is real and what is played, test/cloud/aws/service.ts says.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobId } from '../../../lib/contract/names.ts';
import { fastClock } from '../aws/fast-clock.ts';
import { type CallFault, conflict, double, Faults, failures, lose, refuse, refuseS3 } from '../aws/faults.ts';
import { type SmallAws, startSmallAws } from '../aws/small-aws.ts';
import type { Run } from '../aws/step-functions.ts';
import type { Life } from '../aws/watched-tokens.ts';

const SPEED = 30;
const MAIN = `
timezone: UTC
+work:
  py>: tasks.work
+last:
  py>: tasks.last
`;
const SPOT = MAIN.replace('tasks.work', 'tasks.work\n  resources: {spot: true}');
const TASKS = `
import signal, time, digdag
def work(seconds=0, deaf=False):
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print('begin work', flush=True)
    until = time.monotonic() + float(seconds)
    while time.monotonic() < until:
        time.sleep(0.1)
    digdag.env.store({'n': 41})
    print('end work', flush=True)
def last(n, fail=False):
    print('begin last', flush=True)
    if fail:
        raise ValueError('asked to fail')
    digdag.env.store({'result': n + 1})
    print('end last', flush=True)
`;

let aws: SmallAws;
let faults: Faults;
let folder: string;
let machines: { readonly main: string; readonly spot: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-faults-'));
  await mkdir(join(folder, 'tasks'));
  await writeFile(join(folder, 'main.dig'), MAIN);
  await writeFile(join(folder, 'spot.dig'), SPOT);
  await writeFile(join(folder, 'tasks', '__init__.py'), TASKS);
  await writeFile(join(folder, 'trowel.yml'), 'name: faults\n');
  aws = await startSmallAws({ clock: fastClock(SPEED), containerEnv: { TROWEL_HEARTBEAT: '0.7' }, unpackOnce: true });
  const stack = await aws.deploy(folder);
  const { Workflowmain: main = '', Workflowspot: spot = '' } = stack.outputs;
  machines = { main, spot };
  faults = new Faults(aws);
});
afterAll(async () => {
  await aws?.stop();
  await rm(folder, { recursive: true, force: true });
});

type Params = { readonly seconds?: number; readonly fail?: true; readonly deaf?: true };
interface Expected {
  /** Default: the right result. */
  readonly error?: string;
  readonly cause?: string;
  /** Default: main. */
  readonly workflow?: 'main' | 'spot';
}

/** Error and cause of each try that failed. */
function failedTries(events: Run['events']): readonly (readonly [error: string, cause: string])[] {
  return events.flatMap(({ taskFailedEventDetails: details }) => {
    const { error = '', cause = '' } = (details ?? {}) as { readonly error?: string; readonly cause?: string };
    return details === undefined ? [] : [[error, cause] as const];
  });
}

/** Like expect.poll, which does not work in tests that run at the same time. */
async function becomes<T>(value: () => T, expected: T, about = ''): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until; await delay(50))
    if (isDeepStrictEqual(value(), expected)) return;
  expect(value(), about).toEqual(expected);
}

interface Working {
  readonly nth: number;
  readonly task: string;
  readonly id: string;
  readonly token: Life;
  readonly from: number;
  readonly to: number;
  readonly heard: number;
}

/** The containers of an execution that had user code at work, each with its task and the life of its token. */
function working(name: string, { events }: Run): readonly Working[] {
  const attempts = new Map(
    events.flatMap(({ taskScheduledEventDetails: details }) => {
      const { parameters = '{}' } = (details ?? {}) as { readonly parameters?: string };
      const { Payload } = JSON.parse(parameters) as {
        readonly Payload?: { readonly t?: string; readonly token?: string };
      };
      const life = aws.executions.tokens.lives.get(Payload?.token ?? '');
      return Payload?.token === undefined || life === undefined
        ? []
        : [[jobId(Payload.token), { task: Payload.t ?? '', token: life }] as const];
    }),
  );
  return faults.containers(name).flatMap((container, nth) => {
    const { from, to = Number.POSITIVE_INFINITY, heard = Number.POSITIVE_INFINITY } = faults.work.get(container) ?? {};
    const [, id = ''] = /assignments\/(\w+)\.json\?/.exec(container.environment.TROWEL_ASSIGNMENT ?? '') ?? [];
    const attempt = attempts.get(id);
    if (from === undefined) return [];
    if (attempt === undefined) throw new Error(`container ${nth} of ${name} is of no state`);
    return [{ nth, id, ...attempt, from, to, heard }];
  });
}

/**
 * Where a task ran twice at once. A container whose token is dead may go on beside its successor for as long as it has not heard of it: no
 * state can tell it, the next heartbeat does. From then on it has `GRACE` to end.
 */
function atOnce(all: readonly Working[]): string[] {
  const found: string[] = [];
  for (const one of all) {
    if (one.from > one.heard) found.push(`container ${one.nth} began its work though it had heard that nobody waits`);
    if (one.to > one.heard + GRACE) found.push(`container ${one.nth} went on though it had heard that nobody waits`);
    for (const next of all.filter(({ task, from }) => task === one.task && from > one.from && from < one.to)) {
      const both = `containers ${one.nth} and ${next.nth} ran ${one.task} at once`;
      if (next.id === one.id) found.push(`${both} under one token`);
      else if (next.from < one.token.to) found.push(`${both} while the first one's token was alive`);
    }
  }
  return found;
}

/** Milliseconds. User code here ends at SIGTERM, so that this is a slow machine's time for it. */
const GRACE = 5_000;

/** Runs one execution and looks at how it ended and what it left. */
async function play(name: string, params: Params = {}, expected: Expected = {}): Promise<Run> {
  const input = JSON.stringify({ params });
  const stateMachineArn = machines[expected.workflow ?? 'main'];
  const { executionArn = '' } = await aws.sfn.send(new StartExecutionCommand({ stateMachineArn, name, input }));
  const run = await aws.executions.ended(executionArn);
  const about = `${name}: ${faults.happened.get(name)?.join('; ')}\n${JSON.stringify(run.outcome)}`;
  if (expected.error === undefined) {
    expect(run.outcome?.status, about).toBe('SUCCEEDED');
    const results = run.events.filter(({ type }) => type === 'TaskSucceeded').map((event) => JSON.stringify(event));
    expect(results.at(-1), about).toMatch(/result\W+42\b/);
  } else {
    expect(run.outcome, about).toMatchObject({ status: 'FAILED', error: expected.error });
    expect(JSON.stringify(run.outcome), about).toContain(expected.cause ?? '');
  }
  await becomes(() => faults.containers(name).filter(({ status }) => status !== 'STOPPED').length, 0, about);
  const containers = faults.containers(name);
  expect(await aws.containers.left(), about).toEqual([]);
  const began = containers.filter((task) => faults.lines.get(task)?.some((line) => line.startsWith('begin ')));
  const tokens = began.map(({ environment }) => environment.TROWEL_ASSIGNMENT);
  expect(new Set(tokens).size, `${about}\na task has run twice under one token`).toBe(tokens.length);
  const work = working(name, run);
  expect(work.length, about).toBeGreaterThanOrEqual(began.length);
  expect(atOnce(work), about).toEqual([]);
  expect(began.filter((task) => !faults.greeted.has(task)).length, `${about}\nuser code ran before a heartbeat`).toBe(
    0,
  );
  return run;
}

const run = (act: CallFault['act'], times = 1): CallFault => ({ service: 'ecs', action: 'RunTask', act, times });
const s3 = (action: string, act: CallFault['act'], times: number): CallFault => ({ service: 's3', action, act, times });
const states = (action: string, act: CallFault['act'], times: number, skip = 0): CallFault => ({
  ...{ service: 'states', action, act, times, skip },
});
/** An SDK tries three times by itself, so that more reach the state. */
const MANY = 4;

/** Faults that end well whatever else happens. */
const PASSING: { readonly [name: string]: (execution: string, nth: number) => void } = {
  'container SIGKILLed before it begins': (it, nth) => faults.kill(it, nth, 'started'),
  'container SIGKILLed in a task': (it, nth) => faults.kill(it, nth, 'working'),
  'container SIGKILLed after the result': (it, nth) => faults.kill(it, nth, 'answered'),
  'container taken back by Spot in a task': (it, nth) => faults.reclaim(it, nth),
  'task-stopped event doubled': (it, nth) => {
    faults.kill(it, nth, 'working');
    faults.stopped(it, [0, 0]);
  },
  'task-stopped event late': (it, nth) => {
    faults.kill(it, nth, 'working');
    faults.stopped(it, [60_000]);
  },
  'task-stopped event lost': (it, nth) => {
    faults.kill(it, nth, 'working');
    faults.stopped(it, []);
  },
  'one heartbeat lost': (it) =>
    faults.call(it, 'a heartbeat is lost', states('SendTaskHeartbeat', refuse('InternalFailure', '', 500), 1, 1)),
  'first heartbeat lost': (it) =>
    faults.call(it, 'the first heartbeat is lost', states('SendTaskHeartbeat', refuse('InternalFailure', '', 500), 1)),
  'RunTask throttled': (it) =>
    faults.call(it, 'RunTask is throttled', run(refuse('ThrottlingException', 'Rate exceeded'), MANY)),
  'RunTask throttled as InvalidParameterException': (it) =>
    faults.call(
      it,
      'RunTask is throttled by another name',
      run(refuse('InvalidParameterException', 'Rate exceeded'), 2),
    ),
  'RunTask answers 200 with failures': (it) =>
    faults.call(it, 'RunTask fails with 200', run(failures('RESOURCE:ENI'), 2)),
  'RunTask without capacity': (it) =>
    faults.call(
      it,
      'no capacity',
      run(refuse('ClientException', 'Capacity is unavailable at this time. Please try again later'), 2),
    ),
  'RunTask doubled': (it) => faults.call(it, 'RunTask is done twice', run(double, 2)),
  'RunTask done, its answer lost': (it) => faults.call(it, 'the answer of RunTask is lost', run(lose())),
  'RunTask done, its answers lost for good': (it) =>
    faults.call(it, 'the answers of RunTask are lost', run(lose(), MANY)),
  'RunTask in conflict with an earlier one': (it) => faults.call(it, 'RunTask is a conflict', run(conflict, 2)),
  'S3 500 on PutObject': (it) =>
    faults.call(it, 'S3 fails to write', s3('PutObject', refuseS3('InternalError', 500), MANY)),
  'S3 503 on GetObject': (it) => faults.call(it, 'S3 fails to read', s3('GetObject', refuseS3('SlowDown', 503), MANY)),
  'the address of an assignment expired': (it) =>
    faults.call(it, 'an address has expired', {
      ...s3('GetObject', refuseS3('ExpiredToken', 400), MANY * 2),
      when: ({ url }) => url.searchParams.has('X-Amz-Signature') && faults.containers(it).length < 2,
    }),
  'launch invoked twice': (it, nth) => faults.function(it, 'launch', 'twice', nth),
  'session invoked twice': (it) => faults.function(it, 'session', 'twice'),
  'launch dead after its work': (it, nth) => faults.function(it, 'launch', 'dead', nth),
  'session dead after its work': (it) => faults.function(it, 'session', 'dead'),
  'a function throttled': (it) =>
    faults.call(it, 'a function is throttled', {
      service: 'lambda',
      action: 'InvokeFunction',
      act: refuse('TooManyRequestsException', '', 429),
      times: 2,
    }),
  'credentials expired for a moment': (it) =>
    faults.call(
      it,
      'a token of AWS has expired',
      states('SendTaskSuccess', refuse('ExpiredTokenException', 'expired'), 2),
    ),
  'the answer doubled': (it) => faults.call(it, 'a result is told twice', states('SendTaskSuccess', double, 2)),
  'the answer done, but not heard': (it) =>
    faults.call(it, 'a result was heard, without an answer', states('SendTaskSuccess', lose(), 1)),
};

describe('faults of AWS', { timeout: 240_000 }, () => {
  it('none: the workflow runs', () => play('plain'));
  it('none: a task that fails says why', () =>
    play('failing', { fail: true }, { error: 'Trowel.TaskFailed', cause: 'asked to fail' }));

  describe.concurrent('each once', () => {
    it.each(Object.entries(PASSING))('%s', async (name, install) => {
      const execution = `once-${name.replaceAll(/\W+/g, '-')}`;
      install(execution, 0);
      await play(execution);
      expect(faults.happened.get(execution), name).not.toBeUndefined();
    });

    it('heartbeats lost for longer than the state waits: the container stops, and another does the task', async () => {
      const execution = 'heartbeats';
      // Until the state has given up and asked for another container.
      const isFirst = (token: unknown) => faults.caller(token) === faults.containers(execution)[0];
      faults.call(execution, 'heartbeats are lost', {
        ...states('SendTaskHeartbeat', refuse('InternalFailure', '', 500), 1_000, 1),
        when: ({ headers }) => isFirst(headers['x-amz-security-token']) && faults.containers(execution).length < 2,
      });
      await play(execution, { seconds: 15 });
      const [first, second] = faults.containers(execution);
      expect(faults.lines.get(first as never)).not.toContain('end work');
      expect(faults.lines.get(second as never)).toContain('end work');
    });

    it('a container that begins when its token has expired runs nothing', async () => {
      const execution = 'expired';
      faults.late(execution, 0, delay(14_000));
      await play(execution);
      const [first] = faults.containers(execution);
      expect(faults.lines.get(first as never)).toEqual(['trowel: nobody waits for this task any more; it is not run']);
    });

    it('a Spot container that is taken back says so before its end, and the task runs again on demand', async () => {
      const execution = 'spot';
      faults.reclaim(execution, 0);
      const { events } = await play(execution, { seconds: 5 }, { workflow: 'spot' });
      const [first, second] = faults.containers(execution);
      // The notice of two minutes is 4 s here.
      expect(failedTries(events)).toEqual([
        ['Trowel.TaskLost', expect.stringContaining('told to stop (SIGTERM): Spot')],
      ]);
      expect(first).toMatchObject({ spot: true, stopCode: 'SpotInterruption', exitCode: 1 });
      expect(faults.lines.get(first as never)).toEqual(['begin work']);
      expect(second).toMatchObject({ spot: false, stopCode: 'EssentialContainerExited', exitCode: 0 });
      expect(faults.lines.get(second as never)).toContain('end work');
    });

    it('a Spot container that is gone before it says so is told of by its end', async () => {
      const execution = 'spot-deaf';
      faults.reclaim(execution, 0);
      const { events } = await play(execution, { seconds: 7, deaf: true }, { workflow: 'spot' });
      const [first] = faults.containers(execution);
      expect(failedTries(events)).toEqual([
        ['Trowel.TaskLost', expect.stringContaining('took the Spot container back')],
      ]);
      expect(first).toMatchObject({ spot: true, stopCode: 'SpotInterruption', exitCode: 137 });
      expect(faults.lines.get(first as never)).toEqual(['begin work']);
    });

    it('a container out of memory is the task’s failure', async () => {
      const execution = 'memory';
      faults.kill(execution, 0, 'working', 'OutOfMemoryError: Container killed due to memory usage');
      await play(execution, {}, { error: 'Trowel.TaskFailed', cause: 'ran out of memory' });
    });

    it('a stopped execution leaves no container', async () => {
      const execution = 'stopped';
      const input = JSON.stringify({ params: { seconds: 60 } });
      const { executionArn = '' } = await aws.sfn.send(
        new StartExecutionCommand({ stateMachineArn: machines.main, name: execution, input }),
      );
      await becomes(() => [...faults.lines.keys()].some((task) => faults.containers(execution).includes(task)), true);
      await aws.sfn.send(new StopExecutionCommand({ executionArn }));
      await becomes(() => faults.containers(execution).map(({ status }) => status), ['STOPPED']);
      expect(await aws.containers.left()).toEqual([]);
    });
  });

  it('in random combination', { timeout: 600_000 }, async () => {
    const seed = Number(process.env.TROWEL_TEST_SEED ?? Date.now() % 1_000_000);
    const random = generator(seed);
    const names = Object.keys(PASSING);
    const runs = Array.from({ length: 50 }, (_, i) => {
      const execution = `random-${i}`;
      const chosen = Array.from(
        { length: 1 + Math.floor(random() * 3) },
        () => names[Math.floor(random() * names.length)] ?? '',
      );
      for (const name of chosen) PASSING[name]?.(execution, Math.floor(random() * 2));
      return { execution, fail: random() < 0.2, chosen };
    });
    const broken: string[] = [];
    const next = async (): Promise<void> => {
      for (let one = runs.shift(); one !== undefined; one = runs.shift()) {
        const { execution, fail, chosen } = one;
        const played = fail
          ? play(execution, { fail: true }, { error: 'Trowel.TaskFailed', cause: 'asked to fail' })
          : play(execution);
        await played.catch((error: Error) => broken.push(`seed ${seed}, ${chosen.join(' + ')}\n${error.message}`));
      }
    };
    await Promise.all([next(), next(), next(), next(), next()]);
    expect(broken.join('\n\n')).toBe('');
  });
});

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
