/**
 * An interpreter of the Amazon States Language, JSONata side: the whole language, not only what Trowel's compiler emits. It imports nothing
 * but lib/asl and jsonata. The caller's Invoke carries out tasks. The run is reported as a stream of events, named as in Step Functions'
 * history (history.ts). A frame (frame.ts) runs states one after another, each type in a file of states/; failures travel as StateError to
 * the state, frame or execution that deals with them (recovery.ts). Where the documentation is silent, the engine follows recorded
 * executions of the service; comments name each difference.
 */
import { randomUUID } from 'node:crypto';
import { LIMITS } from '../asl/limits.ts';
import type { Json, StateMachine } from '../asl/types.ts';
import { realClock } from './clock.ts';
import { StateError, Stopped } from './errors.ts';
import { expressionsOf } from './expression.ts';
import { Frame, follow, Recorder, type Run, runStates } from './frame.ts';
import { EventStream, type HistoryEvent } from './history.ts';
import { sizeOf } from './json.ts';
import { failureDetails } from './recovery.ts';
import { TaskTokens } from './task-tokens.ts';
import type { Clock, Invoke, Outcome } from './types.ts';

export interface ExecutionOptions {
  readonly input: Json;
  /** Default: a UUID. */
  readonly name?: string;
  readonly arn?: string;
  readonly stateMachineArn?: string;
  readonly roleArn?: string;
  readonly invoke: Invoke;
  /** Receives the answers to task tokens; executions and handlers can share one. */
  readonly tokens?: TaskTokens;
  readonly clock?: Clock;
  /** From 0 up to 1; for `$random()` and jitter. */
  readonly random?: () => number;
  /** Ends the execution as ABORTED and aborts the calls under way. */
  readonly signal?: AbortSignal;
  /** Enforce the limits of payload and variables; default true. */
  readonly limits?: boolean;
  /** Also the 25,000 events of a Standard execution's history; default false. */
  readonly historyLimit?: boolean;
}

/**
 * The execution begins when its events or its outcome are first asked for, so that the first reader misses nothing. There can be any number
 * of readers; the execution waits for a reader that is 1,000 events behind. A reader that ends early (`break`) does not stop the execution.
 */
export interface Execution extends AsyncIterable<HistoryEvent> {
  readonly arn: string;
  readonly name: string;
  /** Never rejects. */
  readonly outcome: Promise<Outcome>;
}

/**
 * @param machine a machine without faults (validateMachine); a machine with faults ends as FAILED with States.Runtime at the first fault
 * that it reaches
 */
export function execute(machine: StateMachine, options: ExecutionOptions): Execution {
  return new MachineExecution(machine, options);
}

class MachineExecution implements Execution {
  readonly arn: string;
  readonly name: string;
  readonly #machine: StateMachine;
  readonly #options: ExecutionOptions;
  readonly #stream = new EventStream();
  #outcome: Promise<Outcome> | undefined;

  constructor(machine: StateMachine, options: ExecutionOptions) {
    this.#machine = machine;
    this.#options = options;
    this.name = options.name ?? randomUUID();
    this.arn = options.arn ?? `${this.#machineArn.replace(':stateMachine:', ':execution:')}:${this.name}`;
  }

  get #machineArn(): string {
    return this.#options.stateMachineArn ?? 'arn:aws:states:local:000000000000:stateMachine:machine';
  }

  get outcome(): Promise<Outcome> {
    // Starts a moment later, so that a caller who asks for the outcome and then at once for events misses none.
    this.#outcome ??= Promise.resolve().then(() => this.#run());
    return this.#outcome;
  }

  [Symbol.asyncIterator](): AsyncIterator<HistoryEvent> {
    const iterator = this.#stream.read();
    void this.outcome;
    return iterator;
  }

  async #run(): Promise<Outcome> {
    const { input, signal, clock = realClock } = this.#options;
    const root = follow(signal ?? new AbortController().signal);
    const timers = follow(root.controller.signal);
    let timedOut = false;
    if (this.#machine.TimeoutSeconds !== undefined) {
      clock.sleep(this.#machine.TimeoutSeconds * 1000, timers.controller.signal).then(
        () => {
          timedOut = true;
          root.controller.abort();
        },
        () => {},
      );
    }
    const run = this.#prepare(root.controller.signal, clock);
    const frame = new Frame(run, { signal: root.controller.signal, lastEvent: 0 });
    run.recorder.add('ExecutionStarted', 0, {
      executionStartedEventDetails: { input, roleArn: this.#roleArn },
    });
    const outcome = await this.#states(frame, () => timedOut);
    timers.controller.abort();
    timers.release();
    // Calls that a token has ended may still be open.
    root.controller.abort();
    root.release();
    this.#stream.end();
    return outcome;
  }

  async #states(frame: Frame, timedOut: () => boolean): Promise<Outcome> {
    const { input, limits = true } = this.#options;
    try {
      if (limits && sizeOf(input) > LIMITS.payloadBytes) {
        throw new StateError('States.DataLimitExceeded', `The input is larger than ${LIMITS.payloadBytes} bytes.`, {
          eventId: frame.lastEvent,
        });
      }
      const output = await runStates(frame, this.#machine, input);
      frame.record('ExecutionSucceeded', { executionSucceededEventDetails: { output } });
      return { status: 'SUCCEEDED', output };
    } catch (failure) {
      if (failure instanceof Stopped) {
        if (timedOut()) {
          frame.record('ExecutionTimedOut', { executionTimedOutEventDetails: { error: 'States.Timeout' } }, 0);
          return { status: 'TIMED_OUT' };
        }
        // An abort comes from outside, so the event follows no other.
        frame.record('ExecutionAborted', {}, 0);
        return { status: 'ABORTED' };
      }
      const failed =
        failure instanceof StateError
          ? failure
          : new StateError('States.Runtime', failure instanceof Error ? failure.message : String(failure), {
              eventId: frame.lastEvent,
            });
      const details = failureDetails(failed);
      frame.record('ExecutionFailed', { executionFailedEventDetails: details }, failed.eventId);
      return { status: 'FAILED', ...details };
    }
  }

  get #roleArn(): string {
    return this.#options.roleArn ?? 'arn:aws:iam::000000000000:role/local';
  }

  #prepare(signal: AbortSignal, clock: Clock): Run {
    const { input, invoke, tokens, random = Math.random, limits = true, historyLimit = false } = this.#options;
    return {
      expressions: expressionsOf(this.#machine),
      arn: this.arn,
      name: this.name,
      context: {
        Execution: {
          Id: this.arn,
          Input: input,
          Name: this.name,
          RedriveCount: 0,
          RoleArn: this.#roleArn,
          StartTime: new Date(clock.now()).toISOString(),
        },
        StateMachine: { Id: this.#machineArn, Name: this.#machineArn.split(':').at(-1) ?? 'machine' },
      },
      invoke,
      tokens: tokens ?? new TaskTokens(),
      clock,
      random,
      limits,
      stream: this.#stream,
      recorder: new Recorder(clock, this.#stream, historyLimit ? LIMITS.historyEvents : Number.POSITIVE_INFINITY),
      signal,
    };
  }
}
