/**
 * Faults of AWS, each for one execution of the small AWS: a call is refused, its answer is lost, a container or a function dies, an
 * event is lost, late or doubled. An execution is known by the folder of its attempt, whose name stands in every address.
 */
import type { EcsTask } from './ecs-task.ts';
import { type Answer, json, type ServiceCall, ServiceFault } from './service.ts';
import type { SmallAws } from './small-aws.ts';
import type { Mapping } from './template.ts';

type Faulted = Pick<SmallAws, 'proxy' | 'containers' | 'events' | 'functions'>;

export interface CallFault {
  readonly service: string;
  readonly action: string;
  /** Only such calls. */
  readonly when?: (call: ServiceCall) => boolean;
  /** Calls that go well before. Default 0. */
  readonly skip?: number;
  /** Calls that do not. Default 1. */
  readonly times?: number;
  /** Instead of the service, or (`done`) after it has done what was asked. */
  readonly act: (call: ServiceCall, next: () => Promise<Answer>) => Answer | Promise<Answer>;
}

/** Where in its life a container is killed: before its runner, when user code has written its first line, after its answer. */
export type Point = 'started' | 'working' | 'answered';

/** By performance.now(), in milliseconds. */
export interface Work {
  /** User code runs from here on: the first heartbeat was accepted, or it has printed a line. */
  readonly from: number | undefined;
  /** Its answer, taken or not; else the runner's word that it has ended, or the container's end. */
  readonly to: number | undefined;
  /** It was told, in answer to a call of its own, that nobody waits any more. */
  readonly heard: number | undefined;
}

/** With which the runner's own lines begin: nothing runs by then. */
const RUNNER = 'trowel: ';
const ANSWERS: ReadonlySet<string> = new Set(['SendTaskSuccess', 'SendTaskFailure']);
/** Of what the service says to a container whose token is dead. */
const GONE = /"__type":\s*"(?:TaskTimedOut|TaskDoesNotExist|InvalidToken)"/;

interface Counted<T> {
  readonly fault: T;
  readonly name: string;
  skip: number;
  left: number;
}

interface Plan {
  readonly calls: Counted<CallFault>[];
  readonly containers: {
    readonly nth: number;
    readonly point: Point;
    readonly reason?: string;
    readonly notice?: true;
  }[];
  readonly delays: { readonly nth: number; readonly until: Promise<unknown> }[];
  readonly events: Counted<readonly number[]>[];
  readonly functions: Counted<{ readonly service: string; readonly how: 'twice' | 'dead' }>[];
}

export class Faults {
  readonly #aws: Faulted;
  readonly #plans = new Map<string, Plan>();
  /** Executions by the id of an assignment. */
  readonly #assignments = new Map<string, string>();
  /** What came about, by execution. */
  readonly happened = new Map<string, string[]>();
  /** What containers printed. */
  readonly lines = new Map<EcsTask, string[]>();
  /** Containers whose first heartbeat was accepted before they printed anything. */
  readonly greeted = new Set<EcsTask>();
  /** When containers had user code at work. */
  readonly work = new Map<EcsTask, Work>();

  constructor(aws: Faulted) {
    this.#aws = aws;
    aws.proxy.around = (call, next) => this.#call(call, next);
    aws.containers.hooks = {
      starting: async (task) => {
        const delay = this.#plan(task)?.delays.find(({ nth }) => nth === this.nth(task));
        if (delay !== undefined) this.#note(this.executionOf(task), 'a cold start takes long');
        await delay?.until;
        return undefined;
      },
      started: (task) => this.#kill(task, 'started'),
      line: (task, text) => {
        const now = performance.now();
        this.#works(task, text.startsWith(RUNNER) ? { to: now } : { from: now });
        this.lines.set(task, [...(this.lines.get(task) ?? []), text]);
        this.#kill(task, 'working');
      },
      stopped: (task) => this.#works(task, { to: performance.now() }),
    };
    aws.events.hooks = { deliveries: (event) => this.#event(event) };
    aws.functions.hooks = {
      before: (service, payload) => this.#before(service, payload),
      after: (service, payload, invoked) => {
        if (!this.#takes(nameIn(payload), service, 'dead')) return invoked;
        const body = { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with error: signal: killed' };
        return { ...invoked, payload: JSON.stringify(body), functionError: 'Unhandled' };
      },
    };
  }

  #of(execution: string): Plan {
    const known = this.#plans.get(execution);
    const plan = known ?? { calls: [], containers: [], delays: [], events: [], functions: [] };
    this.#plans.set(execution, plan);
    return plan;
  }

  call(execution: string, name: string, fault: CallFault): void {
    this.#of(execution).calls.push({ fault, name, skip: fault.skip ?? 0, left: fault.times ?? 1 });
  }

  /** @param nth of the execution's containers, from 0 @param reason that ECS gives of the container */
  kill(execution: string, nth: number, point: Point, reason?: string): void {
    this.#of(execution).containers.push({ nth, point, ...(reason !== undefined && { reason }) });
  }

  /** AWS takes the container back, as if on Spot, when user code has written its first line: SIGTERM, and two minutes later SIGKILL. */
  reclaim(execution: string, nth: number): void {
    this.#of(execution).containers.push({ nth, point: 'working', notice: true });
  }

  /** The container begins when `until` is settled. */
  late(execution: string, nth: number, until: Promise<unknown>): void {
    this.#of(execution).delays.push({ nth, until });
  }

  /** The execution's next events of containers that have stopped are delivered after so many milliseconds each: none loses them. */
  stopped(execution: string, deliveries: readonly number[], times = 1): void {
    const name = `an event of a stopped container is delivered ${deliveries.length} times`;
    this.#of(execution).events.push({ fault: deliveries, name, skip: 0, left: times });
  }

  /** A function is invoked twice at the same time, or dies after its work. */
  function(execution: string, service: string, how: 'twice' | 'dead', skip = 0): void {
    const name = how === 'twice' ? `${service} is invoked twice` : `${service} dies after its work`;
    this.#of(execution).functions.push({ fault: { service, how }, name, skip, left: 1 });
  }

  /** Of the execution's containers, in the order in which they were asked for. */
  nth(task: EcsTask): number {
    const execution = this.executionOf(task);
    return this.containers(execution ?? '').indexOf(task);
  }

  containers(execution: string): readonly EcsTask[] {
    return this.#aws.containers.tasks.filter((task) => this.executionOf(task) === execution);
  }

  #plan(task: EcsTask): Plan | undefined {
    return this.#plans.get(this.executionOf(task) ?? '');
  }

  #note(execution: string | undefined, what: string): void {
    if (execution === undefined) return;
    this.happened.set(execution, [...(this.happened.get(execution) ?? []), what]);
  }

  /** Whose call it is: by what it says, or by the container that makes it. */
  #executionOf({ url, body, headers }: ServiceCall): string | undefined {
    const caller = this.caller(headers['x-amz-security-token']);
    if (caller !== undefined) return this.executionOf(caller);
    const path = decodeURIComponent(url.pathname);
    const text = body.length < 1_000_000 ? body.toString() : '';
    const [, written] = /assignments\/(\w+)\.json$/.exec(path) ?? [];
    const named = nameIn(path) ?? nameIn(text);
    if (written !== undefined && named !== undefined) this.#assignments.set(written, named);
    return named ?? this.#assigned(path) ?? this.#assigned(text);
  }

  /** By the address of an assignment, which launch has written before. */
  #assigned(text: string): string | undefined {
    const [, id = ''] = /assignments\/(\w+)\.json/.exec(text) ?? [];
    return this.#assignments.get(id);
  }

  executionOf(task: EcsTask): string | undefined {
    return this.#assigned(task.environment.TROWEL_ASSIGNMENT ?? '');
  }

  /** The container whose credentials have this token. */
  caller(token: unknown): EcsTask | undefined {
    return this.#aws.containers.tasks.find(({ id }) => id === token);
  }

  /** What is known first of each holds. */
  #works(task: EcsTask, seen: Partial<Work>): void {
    const was = this.work.get(task);
    this.work.set(task, {
      from: was?.from ?? seen.from,
      to: was?.to ?? seen.to,
      heard: was?.heard ?? seen.heard,
    });
  }

  async #call(call: ServiceCall, next: () => Promise<Answer>): Promise<Answer> {
    const task = call.service === 'states' ? this.caller(call.headers['x-amz-security-token']) : undefined;
    if (task !== undefined && ANSWERS.has(call.action)) this.#works(task, { to: performance.now() });
    const execution = this.#executionOf(call);
    const fault = this.#due(call, execution);
    const answer = await (fault === undefined ? next() : fault.act(call, next));
    if (task !== undefined) this.#told(task, call, answer);
    return answer;
  }

  #due(call: ServiceCall, execution: string | undefined): CallFault | undefined {
    for (const each of this.#plans.get(execution ?? '')?.calls ?? []) {
      const { fault } = each;
      if (fault.service !== call.service || fault.action !== call.action || fault.when?.(call) === false) continue;
      if (each.left === 0 || each.skip-- > 0) continue;
      each.left -= 1;
      this.#note(execution, each.name);
      return fault;
    }
    return undefined;
  }

  /** What a container hears of the state that waits for it. */
  #told(task: EcsTask, { action }: ServiceCall, { status, body }: Answer): void {
    if (status !== 200) {
      if (GONE.test(body.toString())) this.#works(task, { heard: performance.now() });
    } else if (action === 'SendTaskHeartbeat') {
      if (!this.lines.has(task)) this.greeted.add(task);
      this.#works(task, { from: performance.now() });
    } else if (ANSWERS.has(action)) this.#kill(task, 'answered');
  }

  #kill(task: EcsTask, at: Point): void {
    const plan = this.#plan(task);
    const i = plan?.containers.findIndex(({ nth, point }) => point === at && nth === this.nth(task)) ?? -1;
    const [found] = i < 0 ? [] : (plan?.containers.splice(i, 1) ?? []);
    if (found === undefined) return;
    this.#note(
      this.executionOf(task),
      `container ${found.nth} is ${found.notice ? 'taken back' : 'killed'} when ${at}`,
    );
    if (found.notice) this.#aws.containers.reclaim(task);
    else void this.#aws.containers.kill(task, found.reason);
  }

  #event(event: Mapping): readonly number[] {
    const { lastStatus, taskArn } = (event.detail ?? {}) as Mapping;
    if (event.source !== 'aws.ecs' || lastStatus !== 'STOPPED') return [0];
    const task = this.#aws.containers.tasks.find(({ arn }) => arn === taskArn);
    const found = task && this.#plan(task)?.events.find(({ left }) => left > 0);
    if (found === undefined) return [0];
    found.left -= 1;
    this.#note(task && this.executionOf(task), found.name);
    return found.fault;
  }

  async #before(service: string, payload: string): Promise<undefined> {
    if (!this.#takes(nameIn(payload), service, 'twice')) return;
    // The other goes on at the same time; its answer is nobody's.
    void this.#aws.functions.invoke(this.#aws.functions.named(service), payload).catch(() => {});
  }

  #takes(execution: string | undefined, service: string, how: 'twice' | 'dead'): boolean {
    const plan = this.#plans.get(execution ?? '');
    const found = plan?.functions.find(({ fault, left }) => fault.service === service && fault.how === how && left > 0);
    if (found === undefined || found.skip-- > 0) return false;
    found.left -= 1;
    this.#note(execution, found.name);
    return true;
  }
}

/** The name of an execution, as the folder of its attempt or as `session` is told it. */
function nameIn(text: string): string | undefined {
  return /attempts\/[^/"\\]+\/([\w-]+)/.exec(text)?.[1] ?? /"Name":\s*"([\w-]+)"/.exec(text)?.[1];
}

/** The service refuses. */
export function refuse(name: string, message = '', status = 400): CallFault['act'] {
  return () => new ServiceFault(name, message, status).answer;
}

export function refuseS3(code: string, status: number): CallFault['act'] {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return ({ method }) => ({
    status,
    headers: { 'content-type': 'application/xml' },
    body: method === 'HEAD' ? '' : body,
  });
}

/** The service does what it was asked, and the caller hears of a fault. */
export function lose(name = 'InternalFailure', status = 500): CallFault['act'] {
  return async (_, next) => {
    await next();
    return new ServiceFault(name, 'the answer was lost', status).answer;
  };
}

/** It is done twice. */
export const double: CallFault['act'] = async (_, next) => {
  await next();
  return next();
};

/** An answer of 200 that says that nothing was started. */
export function failures(reason: string): CallFault['act'] {
  return () => json({ tasks: [], failures: [{ reason }] });
}

/** What the same token has started before, with another request. */
export const conflict: CallFault['act'] = async (_, next) => {
  const { tasks } = JSON.parse((await next()).body.toString()) as {
    readonly tasks: readonly { readonly taskArn: string }[];
  };
  const resourceIds = tasks.map(({ taskArn }) => taskArn);
  return new ServiceFault('ConflictException', 'the client token is in use', 400, { resourceIds }).answer;
};
