/**
 * EventBridge Scheduler: it is played, on a clock that a test moves on. Schedules are those of the deployed templates; a target, which is a
 * function, is invoked asynchronously with the schedule's role, over the proxy. What is refused goes to the dead-letter queue, and
 * what fails for a passing reason is tried again, at once rather than over a day.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Credentials, signedAs } from './keys.ts';
import { sendMessage } from './queues.ts';
import { type Times, timesOf } from './schedule-times.ts';
import { ACCOUNT, type Part, REGION } from './service.ts';
import type { DeployedStack, Mapping } from './template.ts';

export interface SchedulerOptions {
  /** Of the proxy. */
  readonly url: string;
  readonly keys: { of(role: string): Credentials };
  /** Milliseconds since the epoch. Default: now. */
  readonly now?: number;
  /** Whether Scheduler may act as a role. Default: always. */
  readonly mayAssume?: (role: string) => boolean;
}

export interface Schedule {
  readonly id: string;
  readonly arn: string;
  readonly expression: string;
  readonly timezone: string;
  readonly enabled: boolean;
  /** Milliseconds. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly times: Times;
  readonly target: Mapping;
  readonly properties: Mapping;
}

export interface Fired {
  readonly schedule: string;
  /** ISO 8601. */
  readonly time: string;
  /** What the target was given. */
  readonly input: string;
  /** Where it could not be: why. */
  readonly fault?: string;
}

/** A start that is further in the past is refused. */
const LATE_START = 5 * 60_000;
const LONGEST_INPUT = 256 * 1024;

export class Scheduler implements Part {
  readonly #options: SchedulerOptions;
  readonly #schedules = new Map<string, readonly Schedule[]>();
  #now: number;
  readonly fired: Fired[] = [];
  /** How often a run is delivered: Scheduler promises once or more. */
  hooks: { deliveries?(schedule: Schedule): number } = {};

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now();
  }

  get now(): number {
    return this.#now;
  }

  get schedules(): readonly Schedule[] {
    return [...this.#schedules.values()].flat();
  }

  /** @throws Error for a schedule that the service would refuse */
  deployed(stack: DeployedStack): void {
    const before = this.#schedules.get(stack.name) ?? [];
    this.#schedules.set(
      stack.name,
      stack.ofType('AWS::Scheduler::Schedule').map(({ id, physicalId, properties }) => {
        // What an update leaves as it was is not looked at again: its start may be past by now.
        const same = before.find((each) => each.id === id && isDeepStrictEqual(each.properties, properties));
        return same ?? readSchedule(id, physicalId, properties, this.#now);
      }),
    );
  }

  /** Lets time pass; every run that comes due meanwhile is delivered, in order. @param to milliseconds */
  async advance(to: number): Promise<readonly Fired[]> {
    const first = this.fired.length;
    for (;;) {
      const due = this.schedules
        .filter(({ enabled }) => enabled)
        .flatMap((schedule) => {
          const time = nextRun(schedule, this.#now);
          return time === undefined || time > to ? [] : [{ schedule, time }];
        });
      if (due.length === 0) break;
      const time = Math.min(...due.map((each) => each.time));
      this.#now = time;
      for (const { schedule } of due.filter((each) => each.time === time)) await this.fire(schedule, time);
    }
    this.#now = to;
    return this.fired.slice(first);
  }

  /** Delivers a run, as often as the hook says. */
  async fire(schedule: Schedule, time: number): Promise<void> {
    const id = randomUUID();
    for (let left = this.hooks.deliveries?.(schedule) ?? 1; left > 0; left--) await this.#deliver(schedule, time, id);
  }

  async #deliver(schedule: Schedule, time: number, id: string): Promise<void> {
    const { target } = schedule;
    const { Arn, RoleArn, DeadLetterConfig, RetryPolicy } = target;
    const iso = new Date(time).toISOString().replace('.000Z', 'Z');
    const tries = 1 + Number((RetryPolicy as Mapping | undefined)?.MaximumRetryAttempts ?? 185);
    const role = String(RoleArn).slice(String(RoleArn).lastIndexOf('/') + 1);
    const inputOf = (attempt: number) =>
      String(target.Input ?? '{}')
        .replaceAll('<aws.scheduler.scheduled-time>', iso)
        .replaceAll('<aws.scheduler.schedule-arn>', schedule.arn)
        .replaceAll('<aws.scheduler.execution-id>', id)
        .replaceAll('<aws.scheduler.attempt-number>', String(attempt));
    let fault: string | undefined;
    let input = '';
    for (let attempt = 1; attempt <= tries; attempt++) {
      input = inputOf(attempt);
      const answer = await this.#invoke(String(Arn), role, input);
      fault = answer.fault;
      if (fault === undefined || !answer.passing) break;
    }
    this.fired.push({ schedule: schedule.id, time: iso, input, ...(fault !== undefined && { fault }) });
    const queue = (DeadLetterConfig as Mapping | undefined)?.Arn;
    if (fault === undefined || queue === undefined) return;
    const attributes = { ERROR_MESSAGE: fault.slice(0, 200), SCHEDULE_ARN: schedule.arn, TARGET_ARN: String(Arn) };
    await sendMessage(this.#options.url, String(queue), { body: input, attributes }, this.#options.keys.of(role));
  }

  async #invoke(arn: string, role: string, input: string): Promise<{ fault?: string; passing?: boolean }> {
    if (arn.split(':')[2] !== 'lambda') throw new Error(`The small AWS does not know the target ${arn}`);
    if (this.#options.mayAssume?.(role) === false) return { fault: `The role ${role} cannot be assumed by Scheduler` };
    const answer = await fetch(`${this.#options.url}/2015-03-31/functions/${encodeURIComponent(arn)}/invocations`, {
      method: 'POST',
      headers: {
        ...signedAs(this.#options.keys.of(role), 'lambda', REGION),
        'content-type': 'application/json',
        'x-amz-invocation-type': 'Event',
      },
      body: input,
    });
    const text = await answer.text();
    if (answer.ok) return {};
    return { fault: `${answer.status} ${text}`, passing: answer.status >= 500 || answer.status === 429 };
  }
}

function readSchedule(id: string, physicalId: string, properties: Mapping, now: number): Schedule {
  const {
    ScheduleExpression,
    ScheduleExpressionTimezone = 'UTC',
    State,
    StartDate,
    EndDate,
    Target,
    GroupName,
  } = properties;
  const refuse = (reason: string) => new Error(`ValidationException: schedule ${id}: ${reason}`);
  const time = (text: Mapping[string] | undefined) => (text === undefined ? undefined : Date.parse(String(text)));
  const [start, end] = [time(StartDate), time(EndDate)];
  if (start !== undefined && start < now - LATE_START) throw refuse(`the StartDate ${StartDate} is in the past`);
  if (end !== undefined && end < (start ?? now)) throw refuse(`the EndDate ${EndDate} is in the past`);
  const target = (Target ?? {}) as Mapping;
  if (typeof target.Arn !== 'string' || typeof target.RoleArn !== 'string')
    throw refuse('its target needs Arn and RoleArn');
  if (String(target.Input ?? '').length > LONGEST_INPUT) throw refuse('its input is too long');
  JSON.parse(String(target.Input ?? '{}'));
  const timezone = String(ScheduleExpressionTimezone);
  return {
    ...{ id, timezone, start, end, target, properties },
    arn: `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule/${String(GroupName ?? 'default')}/${physicalId}`,
    expression: String(ScheduleExpression),
    enabled: State !== 'DISABLED',
    times: timesOf(String(ScheduleExpression), timezone, start ?? now),
  };
}

function nextRun({ times, start, end }: Schedule, after: number): number | undefined {
  const time = times.next(Math.max(after, (start ?? Number.NEGATIVE_INFINITY) - 1));
  return time === undefined || (end !== undefined && time > end) ? undefined : time;
}
