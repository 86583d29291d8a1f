import { LIMITS } from '../../asl/limits.ts';
import type { Json, TaskState } from '../../asl/types.ts';
import { StateError, Stopped, TaskError } from '../errors.ts';
import { follow } from '../frame.ts';
import { cloneJson } from '../json.ts';
import { failureDetails, withRecovery } from '../recovery.ts';
import type { StateRun, Transition } from '../state-run.ts';

const TOKEN_SUFFIX = '.waitForTaskToken';
/** The longest TimeoutSeconds, and the default. */
const LONGEST = 99_999_999;

export function runTask(at: StateRun, state: TaskState): Promise<Transition> {
  return withRecovery(at, state, () => new Attempt(at, state).run());
}

/** `arn:aws:states:::lambda:invoke.waitForTaskToken` → lambda, invoke.waitForTaskToken. */
export function resourceOf(arn: string): { resourceType: string; resource: string } {
  const integration = /^arn:[\w-]+:states:[^:]*:[^:]*:(?!activity:)(.+?):([^:]+(?::2)?)$/.exec(arn);
  if (integration?.[1] !== undefined && integration[2] !== undefined) {
    return { resourceType: integration[1], resource: integration[2] };
  }
  return { resourceType: isActivity(arn) ? 'activity' : (arn.split(':')[2] ?? 'unknown'), resource: arn };
}

function isActivity(arn: string): boolean {
  return /^arn:[\w-]+:states:[^:]*:[^:]*:activity:/.test(arn);
}

/** What ends the wait for a task. */
type End =
  | { readonly kind: 'output'; readonly output: Json }
  | { readonly kind: 'failed'; readonly error?: string; readonly cause?: string }
  | { readonly kind: 'timeout'; readonly heartbeat: boolean }
  | { readonly kind: 'stopped' };

/** One try of a Task state. */
class Attempt {
  readonly #at: StateRun;
  readonly #state: TaskState;
  readonly #names: { resourceType: string; resource: string };
  #end: (end: End) => void = () => {};
  #beat: () => void = () => {};

  constructor(at: StateRun, state: TaskState) {
    this.#at = at;
    this.#state = state;
    this.#names = resourceOf(state.Resource);
  }

  async run(): Promise<Transition> {
    const { tokens } = this.#at.frame.run;
    const withToken = this.#state.Resource.endsWith(TOKEN_SUFFIX) || isActivity(this.#state.Resource);
    const ended = new Promise<End>((resolve) => {
      this.#end = resolve;
    });
    const token = withToken
      ? tokens.issue({
          succeed: (output) => this.#end({ kind: 'output', output: copy(output) }),
          fail: (failure) => this.#end({ kind: 'failed', ...failure }),
          heartbeat: () => this.#beat(),
        })
      : undefined;
    try {
      this.#at.begin(this.#at.retryCount, token);
      return await this.#runWith(token, ended);
    } finally {
      if (token !== undefined) {
        tokens.close(token);
      }
    }
  }

  async #runWith(token: string | undefined, ended: Promise<End>): Promise<Transition> {
    const at = this.#at;
    const state = this.#state;
    const parameters = state.Arguments === undefined ? at.input : await at.evaluate(state.Arguments, 'Arguments');
    at.checkSize(parameters, true);
    const timeout = await this.#seconds('TimeoutSeconds');
    const heartbeat = token === undefined ? undefined : await this.#seconds('HeartbeatSeconds');
    at.record('TaskScheduled', {
      taskScheduledEventDetails: {
        ...this.#names,
        parameters,
        ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
        ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
      },
    });
    at.record('TaskStarted', { taskStartedEventDetails: this.#names });

    const timers = follow(at.frame.signal);
    const stop = () => this.#end({ kind: 'stopped' });
    at.frame.signal.addEventListener('abort', stop, { once: true });
    if (at.frame.signal.aborted) {
      stop();
    }
    this.#watch(timeout, heartbeat, timers.controller.signal);
    const call = this.#call(parameters, token);
    const end = await ended;
    at.frame.signal.removeEventListener('abort', stop);
    // With a reason: the one that is made without has a stack, and costs more than all else here.
    timers.controller.abort(end.kind);
    timers.release();
    if (end.kind === 'timeout' || end.kind === 'stopped') {
      call.abort();
    }
    return this.#finish(end);
  }

  #finish(end: End): Promise<Transition> {
    const at = this.#at;
    switch (end.kind) {
      case 'stopped':
        throw new Stopped();
      case 'timeout': {
        const eventId = at.record('TaskTimedOut', {
          taskTimedOutEventDetails: { ...this.#names, error: 'States.Timeout' },
        });
        throw new StateError('States.Timeout', '', {
          eventId,
          aliases: end.heartbeat ? ['States.HeartbeatTimeout'] : [],
        });
      }
      case 'failed':
        throw this.#failed(end.error, end.cause);
      case 'output': {
        this.#checkResult(end.output);
        at.record('TaskSucceeded', { taskSucceededEventDetails: { ...this.#names, output: end.output } });
        return at.leave(this.#state, end.output, { result: end.output });
      }
    }
  }

  #failed(error: string | undefined, causeText: string | undefined): StateError {
    const eventId = this.#at.record('TaskFailed', {
      taskFailedEventDetails: { ...this.#names, ...failureDetails({ error, causeText }) },
    });
    return new StateError(error, causeText, { eventId });
  }

  /** A result beyond the limit fails the task itself, and so may be caught by its name. */
  #checkResult(output: Json): void {
    try {
      this.#at.checkSize(output, false);
    } catch (failure) {
      throw failure instanceof StateError ? this.#failed(failure.error, failure.causeText) : failure;
    }
  }

  /** Starts the call. Its outcome ends the wait, unless a token does; then it only has to begin. */
  #call(parameters: Json, token: string | undefined): AbortController {
    const at = this.#at;
    const { run, signal } = at.frame;
    const { controller, release } = follow(signal);
    let over = false;
    const invoke = async (): Promise<Json> =>
      run.invoke({
        resource: this.#state.Resource.endsWith(TOKEN_SUFFIX)
          ? this.#state.Resource.slice(0, -TOKEN_SUFFIX.length)
          : this.#state.Resource,
        arguments: cloneJson(parameters),
        ...(token === undefined ? {} : { token }),
        stateName: at.name,
        retryCount: at.retryCount,
        executionArn: run.arn,
        executionName: run.name,
        submitted: (output) => this.#submitted(output, over),
        signal: controller.signal,
      });
    const end = this.#end;
    this.#end = (how) => {
      over = true;
      end(how);
    };
    invoke()
      .then(
        (answer) => {
          if (token === undefined) {
            this.#end({ kind: 'output', output: copy(answer) });
          } else {
            this.#submitted(answer, over);
          }
        },
        (failure: unknown) => this.#end({ kind: 'failed', ...describe(failure) }),
      )
      .catch((failure: unknown) => this.#end({ kind: 'failed', ...describe(failure) }))
      .finally(release);
    return controller;
  }

  #submitted(answer: Json, over: boolean): void {
    if (over) return;
    this.#at.record('TaskSubmitted', { taskSubmittedEventDetails: { ...this.#names, output: copy(answer) } });
  }

  #watch(timeout: number | undefined, heartbeat: number | undefined, signal: AbortSignal): void {
    const { clock } = this.#at.frame.run;
    const ignoreStop = () => {};
    if (timeout !== undefined) {
      clock
        .sleep(timeout * 1000, signal)
        .then(() => this.#end({ kind: 'timeout', heartbeat: false }))
        .catch(ignoreStop);
    }
    if (heartbeat !== undefined) {
      let due = clock.now() + heartbeat * 1000;
      this.#beat = () => {
        due = clock.now() + heartbeat * 1000;
      };
      const watch = async () => {
        for (let left = due - clock.now(); left > 0; left = due - clock.now()) {
          await clock.sleep(left, signal);
        }
        this.#end({ kind: 'timeout', heartbeat: true });
      };
      watch().catch(ignoreStop);
    }
  }

  async #seconds(field: 'TimeoutSeconds' | 'HeartbeatSeconds'): Promise<number | undefined> {
    const template = this.#state[field];
    if (template === undefined) {
      return undefined;
    }
    return Number(
      await this.#at.evaluateTyped(template, field, 'number', (value) =>
        Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LONGEST
          ? undefined
          : `The ${field} field is no whole number from 1 to ${LONGEST}: ${value}`,
      ),
    );
  }
}

/** What came from outside, as if over the wire: no later change of it is seen, and nothing but JSON is left in it. */
function copy(value: Json): Json {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : (value ?? null);
}

function describe(failure: unknown): { error: string; cause: string } {
  if (failure instanceof TaskError) {
    return { error: failure.error, cause: failure.causeText };
  }
  const cause = failure instanceof Error ? failure.message : String(failure);
  return { error: 'States.TaskFailed', cause: cause.slice(0, LIMITS.causeChars) };
}
