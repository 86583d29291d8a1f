import { LIMITS } from '../../asl/limits.ts';
import { present } from '../../asl/present.ts';
import type { Json, TaskState } from '../../asl/types.ts';
import { StateError, Stopped, TaskError } from '../errors.ts';
import { follow } from '../frame.ts';
import { cloneJson } from '../json.ts';
import { failureDetails, withRecovery } from '../recovery.ts';
import type { StateRun, Transition } from '../state-run.ts';
import { TaskEvents } from './task-events.ts';

const TOKEN_SUFFIX = '.waitForTaskToken';
/** The longest TimeoutSeconds, and the default. */
const LONGEST = 99_999_999;

export function runTask(at: StateRun, state: TaskState): Promise<Transition> {
  return withRecovery(at, state, () => new Attempt(at, state).run());
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
  readonly #events: TaskEvents;
  /** True if a token ends the task, and not the answer to the call. */
  readonly #byToken: boolean;
  #end: (end: End) => void = () => {};
  #beat: () => void = () => {};

  constructor(at: StateRun, state: TaskState) {
    this.#at = at;
    this.#state = state;
    this.#events = new TaskEvents(at, state.Resource);
    this.#byToken = state.Resource.endsWith(TOKEN_SUFFIX) || this.#events.isActivity;
  }

  /** True if the answer to the call is not the task's result, which comes by a token or with the end of a job. */
  get #isWaitedFor(): boolean {
    return this.#byToken || /\.sync(:2)?$/.test(this.#state.Resource);
  }

  async run(): Promise<Transition> {
    const { tokens } = this.#at.frame.run;
    const ended = new Promise<End>((resolve) => {
      this.#end = resolve;
    });
    // A job that is waited for has a token in its context, too.
    const token = this.#isWaitedFor
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
      if (token !== undefined) tokens.close(token);
    }
  }

  async #runWith(token: string | undefined, ended: Promise<End>): Promise<Transition> {
    const at = this.#at;
    const state = this.#state;
    const parameters = state.Arguments === undefined ? at.input : await at.evaluate(state.Arguments, 'Arguments');
    at.checkSize(parameters, true);
    const timeout = await this.#seconds('TimeoutSeconds');
    const heartbeat = await this.#seconds('HeartbeatSeconds');
    const credentials =
      state.Credentials === undefined ? undefined : await at.evaluate(state.Credentials, 'Credentials');
    this.#events.scheduled(parameters, timeout, heartbeat, credentials);
    this.#events.started();

    const timers = follow(at.frame.signal);
    const stop = () => this.#end({ kind: 'stopped' });
    at.frame.signal.addEventListener('abort', stop, { once: true });
    if (at.frame.signal.aborted) stop();
    this.#watch(timeout, this.#byToken ? heartbeat : undefined, timers.controller.signal);
    const call = this.#call(parameters, token);
    const end = await ended;
    at.frame.signal.removeEventListener('abort', stop);
    // A reason is given because the default one has a stack trace, which costs more than everything else here.
    timers.controller.abort(end.kind);
    timers.release();
    if (end.kind === 'timeout' || end.kind === 'stopped') call.abort();
    return this.#finish(end);
  }

  #finish(end: End): Promise<Transition> {
    const at = this.#at;
    switch (end.kind) {
      case 'stopped':
        throw new Stopped();
      case 'timeout': {
        const eventId = this.#events.timedOut({ error: 'States.Timeout' });
        throw new StateError('States.Timeout', '', {
          eventId,
          aliases: end.heartbeat ? ['States.HeartbeatTimeout'] : [],
        });
      }
      case 'failed':
        throw this.#failed(end.error, end.cause);
      case 'output': {
        this.#checkResult(end.output);
        this.#events.succeeded(end.output);
        return at.leave(this.#state, end.output, { result: end.output });
      }
    }
  }

  #failed(error: string | undefined, causeText: string | undefined): StateError {
    const details = failureDetails({ error, causeText });
    // A timeout that an integration itself reports is recorded as a timeout.
    const eventId = error === 'States.Timeout' ? this.#events.timedOut(details) : this.#events.failed(details);
    return new StateError(error, causeText, { eventId });
  }

  /** A result that is too large fails the task itself, so a Catch can name the error. */
  #checkResult(output: Json): void {
    try {
      this.#at.checkSize(output, false, this.#events.resourceType);
    } catch (failure) {
      throw failure instanceof StateError ? this.#failed(failure.error, failure.causeText) : failure;
    }
  }

  /** Starts the call. Its outcome ends the wait, unless the task ends by a token: then the call only has to start. */
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
        ...present({
          written: this.#state.Arguments !== undefined ? (this.#state.Arguments as Json) : undefined,
          token: token === undefined || !this.#byToken ? undefined : token,
        }),
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
          if (!this.#byToken) {
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
    if (!over && this.#isWaitedFor) this.#events.submitted(copy(answer));
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
    if (template === undefined) return undefined;
    return Number(
      await this.#at.evaluateTyped(template, field, 'number', (value) =>
        Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LONGEST
          ? undefined
          : `The ${field} field is no whole number from 1 to ${LONGEST}: ${value}`,
      ),
    );
  }
}

/** A copy of a value from outside, as if it came over the network: later changes have no effect, and only JSON is left in it. */
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
