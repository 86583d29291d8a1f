import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { present } from '../asl/present.ts';
import type { Json, Processor, State } from '../asl/types.ts';
import { StateError, Stopped } from './errors.ts';
import type { Expressions } from './expression.ts';
import type { EventDetails, EventStream, HistoryEvent, HistoryEventType } from './history.ts';
import { enterState, runState, type StateRun } from './state-run.ts';
import type { TaskTokens } from './task-tokens.ts';
import type { Clock, Invoke } from './types.ts';
import { Variables } from './variables.ts';

/** Data that all frames of one execution share. */
export interface Run {
  readonly expressions: Expressions;
  readonly arn: string;
  readonly name: string;
  /** `Execution` and `StateMachine` of the context object. */
  readonly context: { readonly Execution: Json; readonly StateMachine: { readonly Id: string; readonly Name: string } };
  readonly invoke: Invoke;
  readonly tokens: TaskTokens;
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits: boolean;
  readonly stream: EventStream;
  readonly recorder: Recorder;
  /** Aborted when the whole execution is stopped or runs out of time. */
  readonly signal: AbortSignal;
}

/**
 * Gives events their numbers. Each execution has one, and so has each child of a distributed Map.
 *
 * The last number within the limit is kept for the event of the execution's end.
 */
export class Recorder {
  readonly #clock: Clock;
  readonly #stream: EventStream;
  readonly #execution: HistoryEvent['execution'];
  readonly limit: number;
  #last = 0;

  constructor(clock: Clock, stream: EventStream, limit: number, execution?: HistoryEvent['execution']) {
    this.#clock = clock;
    this.#stream = stream;
    this.limit = limit;
    this.#execution = execution;
  }

  /**
   * @returns the event's id
   * @throws StateError States.Runtime if the history is full
   */
  add(type: HistoryEventType, previous: number, details: EventDetails = {}): number {
    // RetryScheduled is not an event of the service's, so it gets no number of its own.
    const id = type === 'RetryScheduled' ? previous : this.#last + 1;
    if (id >= this.limit && !type.startsWith('Execution')) {
      throw new StateError(
        'States.Runtime',
        `The execution reached the maximum number of history events (${this.limit}).`,
        { eventId: this.#last },
      );
    }
    this.#last = Math.max(this.#last, id);
    this.#stream.push({
      id,
      previousEventId: previous,
      timestamp: this.#clock.now(),
      type,
      ...details,
      ...present({ execution: this.#execution }),
    });
    return id;
  }
}

/** One thread of an execution: the machine's own states, those of a branch, or of an iteration. */
export class Frame {
  readonly run: Run;
  readonly variables: Variables;
  readonly signal: AbortSignal;
  readonly mapItem: Json | undefined;
  /** The last event of this thread. */
  lastEvent: number;
  /** The state that the thread is in, for events of an abort. */
  current: StateRun | undefined;

  constructor(run: Run, at: { signal: AbortSignal; lastEvent: number; outer?: Frame; mapItem?: Json }) {
    this.run = run;
    this.signal = at.signal;
    this.lastEvent = at.lastEvent;
    this.variables = new Variables(at.outer?.variables);
    this.mapItem = at.mapItem ?? at.outer?.mapItem;
  }

  /**
   * Records that the current state was stopped because another one failed. If the whole execution was stopped, nothing is recorded, as in
   * the service.
   */
  recordAbort(previous: number): void {
    const type = this.current?.state.Type;
    if (!this.run.signal.aborted && this.current !== undefined && type !== undefined && isAbortable(type)) {
      this.run.recorder.add(`${type}StateAborted`, previous, { stateEntry: this.current.entry });
    }
  }

  /**
   * Records that the current state ended with a failure. A state at the top level has no such event, nor has a state that records its
   * failure itself.
   */
  recordFailed(previous: number): void {
    const type = this.current?.state.Type;
    if (type === 'Task' || type === 'Wait') this.recordAbort(previous);
  }

  /** @throws Stopped */
  async sleep(seconds: number): Promise<void> {
    try {
      await this.run.clock.sleep(seconds * 1000, this.signal);
    } catch (failure) {
      throw this.signal.aborted ? new Stopped() : failure;
    }
  }

  record(type: HistoryEventType, details: EventDetails = {}, previous = this.lastEvent): number {
    this.lastEvent = this.run.recorder.add(type, previous, details);
    return this.lastEvent;
  }
}

/** States of other types end at once, so nothing can abort them. */
function isAbortable(type: State['Type']): type is 'Task' | 'Wait' | 'Parallel' | 'Map' {
  return type === 'Task' || type === 'Wait' || type === 'Parallel' || type === 'Map';
}

/** Longest time that states run one after another before other work of the process (timers, input, Ctrl-C) gets its turn. */
const TURN_MS = 10;
let turnStarted = performance.now();

/**
 * Runs the states from StartAt to an end.
 * @returns the output of the last state
 * @throws StateError, Stopped
 */
export async function runStates(frame: Frame, processor: Processor, input: Json): Promise<Json> {
  const { stream } = frame.run;
  let name = processor.StartAt;
  let value = input;
  for (;;) {
    const pressure = stream.pressure();
    if (pressure !== undefined) await pressure;
    if (performance.now() - turnStarted > TURN_MS) {
      await nextTurn();
      turnStarted = performance.now();
    }
    if (frame.signal.aborted) throw new Stopped();
    const at = enterState(frame, name, stateNamed(processor, name, frame), value);
    const done = await runState(at);
    frame.current = undefined;
    if (done.next === undefined) return done.output;
    name = done.next;
    value = done.output;
  }
}

function stateNamed(processor: Processor, name: string, frame: Frame): State {
  const state = Object.hasOwn(processor.States, name) ? processor.States[name] : undefined;
  if (state === undefined) {
    throw new StateError('States.Runtime', `There is no state named '${name}'.`, { eventId: frame.lastEvent });
  }
  return state;
}

/** A controller that follows another signal; `release` must be called when it is no longer needed. */
export function follow(signal: AbortSignal): { controller: AbortController; release: () => void } {
  const controller = new AbortController();
  // A Map of 10,000 iterations adds 10,000 listeners; without this Node would warn of a leak.
  setMaxListeners(0, controller.signal);
  const stop = () => controller.abort();
  if (signal.aborted) {
    stop();
  } else {
    signal.addEventListener('abort', stop, { once: true });
  }
  return { controller, release: () => signal.removeEventListener('abort', stop) };
}
