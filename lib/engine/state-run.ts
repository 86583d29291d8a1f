import { LIMITS } from '../asl/limits.ts';
import { present } from '../asl/present.ts';
import type { Assign, Json, State, Template } from '../asl/types.ts';
import { StateError } from './errors.ts';
import { EvaluationError, expectType, type Scope } from './expression.ts';
import type { Frame } from './frame.ts';
import type { EventDetails, HistoryEventType } from './history.ts';
import { setKey, sizeOf } from './json.ts';
import { runChoice } from './states/choice.ts';
import { runFail } from './states/fail.ts';
import { runMap } from './states/map.ts';
import { runParallel } from './states/parallel.ts';
import { runPass } from './states/pass.ts';
import { runSucceed } from './states/succeed.ts';
import { runTask } from './states/task.ts';
import { runWait } from './states/wait.ts';
import { AssignError, type Assigned } from './variables.ts';

/** The step after a state: the execution goes to `next`; without it the frame ends. */
export interface Transition {
  readonly output: Json;
  readonly next?: string;
}

/** The values in `$states` besides input and context. */
export interface Extras {
  readonly result?: Json;
  readonly errorOutput?: Json;
}

/** The fields that apply when a state (or a Choice's rule, or a catcher) is left. */
export interface Exit {
  readonly Assign?: Assign | undefined;
  readonly Output?: Template | undefined;
  readonly Next?: string | undefined;
}

export function runState(at: StateRun): Promise<Transition> {
  const { state } = at;
  switch (state.Type) {
    case 'Pass':
      return runPass(at, state);
    case 'Task':
      return runTask(at, state);
    case 'Choice':
      return runChoice(at, state);
    case 'Wait':
      return runWait(at, state);
    case 'Succeed':
      return runSucceed(at, state);
    case 'Fail':
      return runFail(at, state);
    case 'Parallel':
      return runParallel(at, state);
    case 'Map':
      return runMap(at, state);
  }
}

export function enterState(frame: Frame, name: string, state: State, input: Json): StateRun {
  const at = new StateRun(frame, name, state, input);
  frame.current = at;
  return at;
}

/** One stay in a state, retries included. */
export class StateRun {
  readonly frame: Frame;
  readonly name: string;
  readonly state: State;
  readonly input: Json;
  /** Id of the StateEntered event. */
  readonly entry: number;
  /** Id of the event before that one. */
  readonly #before: number;
  readonly #entered: string;
  #context: { readonly [field: string]: Json } | undefined;
  #retryCount = 0;
  #token: string | undefined;

  constructor(frame: Frame, name: string, state: State, input: Json) {
    this.frame = frame;
    this.name = name;
    this.state = state;
    this.input = input;
    this.#entered = new Date(frame.run.clock.now()).toISOString();
    this.#before = frame.lastEvent;
    this.entry = frame.record(`${state.Type}StateEntered`, { stateEnteredEventDetails: { name, input } });
  }

  get retryCount(): number {
    return this.#retryCount;
  }

  /** Begins another try, or the first with a token. */
  begin(retryCount: number, token?: string): void {
    this.#retryCount = retryCount;
    this.#token = token;
    this.#context = undefined;
  }

  record(type: HistoryEventType, details: EventDetails = {}, previous?: number): number {
    return this.frame.record(type, { ...details, stateEntry: this.entry }, previous);
  }

  /**
   * The value of a field, with its expressions evaluated.
   * @throws StateError States.QueryEvaluationError
   */
  async evaluate(template: Template, field: string, extras: Extras = {}, mapItem?: Json): Promise<Json> {
    try {
      return await this.frame.run.expressions.evaluate(template, field, this.#scope(extras, mapItem));
    } catch (failure) {
      throw this.failure(failure);
    }
  }

  /** Like `evaluate`, for a field of one type only. */
  async evaluateTyped(
    template: Template,
    field: string,
    type: Parameters<typeof expectType>[1],
    check?: (value: Json) => string | undefined,
  ): Promise<Json> {
    const value = await this.evaluate(template, field);
    try {
      expectType(value, type, template, field);
    } catch (failure) {
      throw this.failure(failure);
    }
    const fault = check?.(value);
    if (fault !== undefined) throw this.failure(new EvaluationError(fault, field), this.entry);
    return value;
  }

  /**
   * Turns an EvaluationError into the state's failure, and records it; any other value is returned unchanged.
   * @param previous the event that the record follows; by default the event that the state itself follows
   */
  failure(failure: unknown, previous = this.#before): unknown {
    if (!(failure instanceof EvaluationError)) return failure;
    const error = 'States.QueryEvaluationError';
    const cause = this.explain(failure.message).slice(0, LIMITS.causeChars);
    const eventId = this.record(
      'EvaluationFailed',
      {
        evaluationFailedEventDetails: {
          error,
          cause,
          state: this.name,
          ...present({ location: failure.location }),
        },
      },
      previous,
    );
    return new StateError(error, cause, { eventId });
  }

  explain(what: string): string {
    return `An error occurred while executing the state '${this.name}' (entered at the event id #${this.entry}). ${what}`;
  }

  /**
   * Fails the state if a value is larger than a payload may be.
   * @param name the source of the value, as the service names it in the cause
   */
  checkSize(value: Json, final: boolean, name = this.name): void {
    if (this.frame.run.limits && sizeOf(value) > LIMITS.payloadBytes) {
      throw new StateError(
        'States.DataLimitExceeded',
        `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
        { eventId: this.frame.lastEvent, final },
      );
    }
  }

  /**
   * Leaves the state: evaluates Assign and Output, both with the variables as they were, then assigns.
   * @param result the output if there is no Output field
   * @param place path of the exit's fields within the state, e.g. `Choices[1]/`
   */
  async leave(exit: Exit, result: Json, extras: Extras = {}, place = ''): Promise<Transition> {
    const assigned = exit.Assign === undefined ? undefined : await this.#assignments(exit.Assign, extras, place);
    const output = exit.Output === undefined ? result : await this.evaluate(exit.Output, `${place}Output`, extras);
    this.checkSize(output, true);
    if (assigned !== undefined) this.#assign(assigned);
    if (this.state.Type !== 'Fail') {
      this.record(`${this.state.Type}StateExited`, {
        stateExitedEventDetails: {
          name: this.name,
          output,
          ...present({ assignedVariables: assigned }),
        },
      });
    }
    return exit.Next === undefined ? { output } : { output, next: exit.Next };
  }

  async #assignments(assign: Assign, extras: Extras, place: string): Promise<Assigned | undefined> {
    const values: { [name: string]: Json } = {};
    let any = false;
    for (const [name, template] of Object.entries(assign)) {
      setKey(values, name, await this.evaluate(template, `${place}Assign/${name}`, extras));
      any = true;
    }
    return any ? values : undefined;
  }

  #assign(values: Assigned): void {
    try {
      this.frame.variables.assign(values, this.frame.run.limits);
    } catch (failure) {
      if (failure instanceof AssignError) {
        throw new StateError(
          failure.tooLarge ? 'States.DataLimitExceeded' : 'States.Runtime',
          this.explain(failure.message),
          { eventId: this.frame.lastEvent, final: true },
        );
      }
      throw failure;
    }
  }

  #scope(extras: Extras, mapItem: Json | undefined): Scope {
    const { run, variables } = this.frame;
    this.#context ??= this.#makeContext();
    const context = mapItem === undefined ? this.#context : { ...this.#context, Map: { Item: mapItem } };
    return {
      states: { input: this.input, context, ...extras },
      variables,
      clock: run.clock,
      random: run.random,
    };
  }

  /** The context object (AWS, "Accessing execution data from the Context object"). */
  #makeContext(): { readonly [field: string]: Json } {
    const { run, mapItem } = this.frame;
    return {
      ...run.context,
      State: {
        EnteredTime: this.#entered,
        Name: this.name,
        ...(canRetry(this.state) && { RetryCount: this.#retryCount }),
      },
      ...present({ Task: this.#token === undefined ? undefined : { Token: this.#token } }),
      ...present({ Map: mapItem === undefined ? undefined : { Item: mapItem } }),
    };
  }
}

function canRetry({ Type }: State): boolean {
  return Type === 'Task' || Type === 'Parallel' || Type === 'Map';
}
