/**
 * Time and cost of N equal tasks on AWS, by an event at a time: places of a Map, RunTask's rate, the machine's own Retry (from lib/compiler),
 * the container's cold start. Transitions and calls of functions are counted from the compiled machine, run on lib/engine. The plain
 * pattern is given the same Retry.
 */

import type { Json, StateMachine } from '../../lib/asl/types.ts';
import { compile } from '../../lib/compiler/compile.ts';
import { CAPACITY } from '../../lib/compiler/retry.ts';
import type { LaunchPayload, Payload, SessionPayload } from '../../lib/contract/payload.ts';
import { VirtualClock } from '../../lib/engine/clock.ts';
import { execute } from '../../lib/engine/execution.ts';
import { TaskTokens } from '../../lib/engine/task-tokens.ts';
import { evaluate } from '../../lib/functions/evaluate/core.ts';
import { session } from '../../lib/functions/session/core.ts';
import { parseWorkflow } from '../../lib/language/dig/parse-workflow.ts';
import { Counter, type Counts } from './count.ts';
import { LEAST_CHARGED, PRICES, TIMES } from './prices.ts';

export type Shape = 'sequence' | 'loop' | 'group';

export interface Simulated {
  readonly seconds: number;
  readonly dollars: number;
  /** Of them for containers. */
  readonly containers: number;
  readonly transitions: number;
  /** Tries of RunTask that were refused, and tasks that were refused to the end. */
  readonly throttled: number;
  readonly lost: number;
  readonly executions: number;
  /** Of one execution, about; more than 25,000 fail it. */
  readonly events: number;
}

/** Of a refused try: scheduled, started, failed. */
const REFUSED_EVENTS = 3;

/** `sequence`: one after the other. `loop`: a loop with `_parallel`, whose machine runs 40 at once. `group`: tasks of a group, all at once. */
export function workflowText(shape: Shape, count: number): string {
  const task = 'py>: tasks.work';
  if (shape === 'loop') return `+work:\n  loop>: ${count}\n  _parallel: true\n  _do: {${task}}\n`;
  const tasks = Array.from({ length: count }, (_, index) => `  +t${index}: {${task}}\n`).join('');
  return `+work:\n${shape === 'group' ? '  _parallel: true\n' : ''}${tasks}`;
}

export async function simulate(shape: Shape, count: number, taskSeconds: number, plain: boolean): Promise<Simulated> {
  const counts = plain ? plainCounts(shape, count) : await trowelCounts(shape, count);
  // Each execution's Map has places of its own.
  const nested = Math.max(1, counts.executions - 1);
  const places = shape === 'sequence' ? 1 : shape === 'loop' ? 40 * (plain ? 1 : nested) : Number.POSITIVE_INFINITY;
  const own = plain ? { before: TIMES.state, inside: 0 } : { before: TIMES.state + TIMES.call, inside: TIMES.runner };
  const ran = run(count, places, taskSeconds + own.inside, own.before);
  const charged = Math.max(LEAST_CHARGED, TIMES.charged + own.inside + taskSeconds);
  const containers = (count - ran.lost) * container(charged);
  const transitions = counts.transitions + ran.throttled;
  const functions = plain ? 0 : functionsCost(counts, count + ran.throttled, count);
  return {
    seconds: ran.seconds,
    containers,
    transitions,
    throttled: ran.throttled,
    lost: ran.lost,
    executions: counts.executions,
    events: Math.round((counts.events + ran.throttled * REFUSED_EVENTS) / nested),
    dollars: containers + transitions * PRICES.transition + functions,
  };
}

function container(seconds: number): number {
  const { vcpuHour, gigabyteHour, addressHour } = PRICES;
  return ((TIMES.vcpus * vcpuHour + TIMES.gigabytes * gigabyteHour + addressHour) * seconds) / 3600;
}

/** `launch` for each try, the others the machine calls, one call a container that has stopped; and the objects they and the runner write and read. */
function functionsCost(counts: Counts, launches: number, stopped: number): number {
  const others = counts.functions - counts.containers;
  const call = (gigabytes: number) => PRICES.functionCall + TIMES.call * gigabytes * PRICES.functionGigabyteSecond;
  const objects = 2 * PRICES.s3Write + 3 * PRICES.s3Read;
  return (
    (launches + others) * call(TIMES.launchGigabytes) + stopped * call(TIMES.stoppedGigabytes) + launches * objects
  );
}

interface Ran {
  readonly seconds: number;
  readonly throttled: number;
  readonly lost: number;
}

/** Tasks wait for a place, then for RunTask, then for the container. */
function run(count: number, places: number, inside: number, before: number): Ran {
  const random = generator(1);
  const queue: { at: number; tries: number; task: number }[] = [];
  let [waiting, free, now, throttled, lost, ended] = [count, places, 0, 0, 0, 0];
  let [tokens, filled] = [TIMES.runTasks as number, 0];
  const push = (at: number, tries: number, task: number): void => {
    queue.push({ at, tries, task });
  };
  const start = (): void => {
    while (waiting > 0 && free > 0) {
      waiting -= 1;
      free -= 1;
      push(now + before, 0, count - waiting);
    }
  };
  start();
  while (queue.length > 0) {
    queue.sort((a, b) => b.at - a.at);
    const next = queue.pop() ?? { at: 0, tries: 0, task: 0 };
    now = next.at;
    if (next.tries < 0) {
      ended = now;
      free += 1;
      start();
      continue;
    }
    tokens = Math.min(TIMES.runTasks, tokens + (now - filled) * TIMES.runTasks);
    filled = now;
    if (tokens >= 1) {
      tokens -= 1;
      push(now + TIMES.coldStart + inside, -1, next.task);
    } else {
      throttled += 1;
      const { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = 300, MaxAttempts = 3 } = CAPACITY;
      if (next.tries >= MaxAttempts) {
        lost += 1;
        free += 1;
        start();
      } else {
        const most = Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** next.tries);
        push(now + random() * most + before, next.tries + 1, next.task);
      }
    }
  }
  return { seconds: ended, throttled, lost };
}

/** The same numbers each time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of the plain pattern: one state a task, and one Map or Parallel. */
function plainCounts(shape: Shape, count: number): Counts {
  const around = shape === 'sequence' ? 0 : 1;
  const events = 2 + count * (shape === 'loop' ? 8 : 6) + 4 * around;
  return { transitions: count + around, events, functions: 0, containers: count, executions: 1 };
}

async function trowelCounts(shape: Shape, count: number): Promise<Counts> {
  const { workflow } = parseWorkflow('main', 'main.dig', workflowText(shape, count));
  if (workflow === undefined) throw new Error('no workflow');
  const { compiled } = compile(workflow, { workflows: new Map([['main', workflow]]), target: 'aws' });
  if (compiled === undefined) throw new Error('not compiled');
  const { machine: main, nested } = compiled;
  const counter = new Counter();
  const tokens = new TaskTokens();
  const clock = new VirtualClock();
  const start = async (machine: StateMachine, input: Json): Promise<Json> => {
    const execution = execute(machine, {
      ...{ input, tokens, clock, historyLimit: true },
      invoke: async ({ arguments: given }) => {
        const { FunctionName, Payload, StateMachineArn, Input } = given as { readonly [key: string]: Json };
        if (typeof StateMachineArn === 'string') {
          const name = StateMachineArn.slice('${sm_'.length, -1);
          return { Output: await start(nested[name] ?? main, Input ?? {}) };
        }
        const answer = await clock.during(answered(String(FunctionName), Payload ?? {}, tokens));
        return { StatusCode: 200, Payload: answer as Json };
      },
    });
    for await (const event of execution) counter.add(event);
    const outcome = await execution.outcome;
    if (outcome.status !== 'SUCCEEDED') throw new Error(JSON.stringify(outcome));
    return outcome.output;
  };
  await start(main, {});
  return counter;
}

async function answered(name: string, payload: Json, tokens: TaskTokens): Promise<unknown> {
  if (name === '${session}') return session(payload as unknown as SessionPayload);
  if (name === '${evaluate}') return evaluate(payload as unknown as Payload);
  tokens.sendTaskSuccess((payload as unknown as LaunchPayload).token, { s: {} });
  return {};
}
