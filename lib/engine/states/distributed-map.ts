import { randomUUID } from 'node:crypto';
import { LIMITS } from '../../asl/limits.ts';
import type { Json, MapState } from '../../asl/types.ts';
import { StateError, Stopped } from '../errors.ts';
import { Frame, follow, Recorder, type Run, runStates } from '../frame.ts';
import { sizeOf } from '../json.ts';
import { pool } from '../pool.ts';
import { failureDetails } from '../recovery.ts';
import type { StateRun, Transition } from '../state-run.ts';
import { countOf, itemsOf, selectItem } from './map-fields.ts';

/**
 * A Map in DISTRIBUTED mode: each item, or batch of items, is an execution of its own, with its own history and without the variables of
 * this one. Items come from the state, not from S3: ItemReader and ResultWriter are not run here.
 */
export async function runDistributed(at: StateRun, state: MapState): Promise<Transition> {
  if (state.ItemReader !== undefined || state.ResultWriter !== undefined) {
    const field = state.ItemReader === undefined ? 'ResultWriter' : 'ItemReader';
    throw new StateError(
      field === 'ItemReader' ? 'States.ItemReaderFailed' : 'States.ResultWriterFailed',
      at.explain(`${field} is not supported here: give Items and take the result from the state.`),
      { eventId: at.frame.lastEvent },
    );
  }
  const items = await itemsOf(at, state, 'STATE_DATA');
  const width = (await countOf(at, 'MaxConcurrency', state.MaxConcurrency)) || LIMITS.distributedMapConcurrency;
  const tolerance = await toleranceOf(at, state);
  at.record('MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
  const selected: Json[] = [];
  for (const item of items) {
    selected.push(await selectItem(at, state, item));
  }
  const inputs = await batches(at, state, selected);
  const mapRun = new MapRun(at, state, tolerance, items.length);
  return mapRun.run(inputs, Math.min(width, LIMITS.distributedMapConcurrency));
}

interface ChildInput {
  readonly input: Json;
  /** The number of items in it: failures are counted in items. */
  readonly items: number;
}

interface Tolerance {
  readonly count: number;
  readonly percentage: number;
}

async function toleranceOf(at: StateRun, state: MapState): Promise<Tolerance> {
  const { ToleratedFailurePercentage: percentage } = state;
  const count = await countOf(at, 'ToleratedFailureCount', state.ToleratedFailureCount);
  const percent =
    percentage === undefined
      ? undefined
      : Number(
          await at.evaluateTyped(percentage, 'ToleratedFailurePercentage', 'number', (value) =>
            Number(value) >= 0 && Number(value) <= 100
              ? undefined
              : 'ToleratedFailurePercentage must be between 0 and 100.',
          ),
        );
  // Without either field, no failure is tolerated; with one of them, only that one counts.
  return {
    count: count ?? (percent === undefined ? 0 : Number.POSITIVE_INFINITY),
    percentage: percent ?? (count === undefined ? 0 : 100),
  };
}

async function batches(at: StateRun, state: MapState, items: readonly Json[]): Promise<readonly ChildInput[]> {
  const batcher = state.ItemBatcher;
  if (batcher === undefined) {
    return items.map((input) => ({ input, items: 1 }));
  }
  const most =
    (await countOf(at, 'ItemBatcher/MaxItemsPerBatch', batcher.MaxItemsPerBatch)) || Number.POSITIVE_INFINITY;
  const bytes = Math.min(
    (await countOf(at, 'ItemBatcher/MaxInputBytesPerBatch', batcher.MaxInputBytesPerBatch)) || LIMITS.payloadBytes,
    LIMITS.payloadBytes,
  );
  const shared =
    batcher.BatchInput === undefined
      ? {}
      : { BatchInput: await at.evaluate(batcher.BatchInput, 'ItemBatcher/BatchInput') };
  const frame = sizeOf({ ...shared, Items: [] });
  const made: ChildInput[] = [];
  let batch: Json[] = [];
  let size = frame;
  const close = () => {
    if (batch.length > 0) {
      made.push({ input: { ...shared, Items: batch }, items: batch.length });
    }
    batch = [];
    size = frame;
  };
  for (const item of items) {
    // The comma before it counts too.
    const grown = size + sizeOf(item) + (batch.length > 0 ? 1 : 0);
    if (batch.length >= most || (batch.length > 0 && grown > bytes)) close();
    size += sizeOf(item) + (batch.length > 0 ? 1 : 0);
    batch.push(item);
  }
  close();
  return made;
}

/** One Map Run: the child executions of one try of the state. */
class MapRun {
  readonly #at: StateRun;
  readonly #state: MapState;
  readonly #tolerance: Tolerance;
  readonly #items: number;
  readonly #arn: string;
  #failedItems = 0;
  #unexpected: unknown;
  /** `Error: cause` of the first child execution that failed. */
  #firstFailure: string | undefined;

  constructor(at: StateRun, state: MapState, tolerance: Tolerance, items: number) {
    this.#at = at;
    this.#state = state;
    this.#tolerance = tolerance;
    this.#items = items;
    this.#arn = `${siblingArn(at.frame.run.context.StateMachine.Id, 'mapRun')}/${this.#label}:${randomUUID()}`;
  }

  get #label(): string {
    return this.#state.Label ?? this.#at.name.replace(/[^\w-]/g, '').slice(0, 40);
  }

  async run(inputs: readonly ChildInput[], width: number): Promise<Transition> {
    const at = this.#at;
    const started = at.record('MapRunStarted', { mapRunStartedEventDetails: { mapRunArn: this.#arn } });
    const { controller, release } = follow(at.frame.signal);
    const outputs = new Map<number, Json>();
    await pool(
      inputs.length,
      width,
      () => controller.signal.aborted,
      async (index) => {
        const child = inputs[index];
        if (child === undefined) return;
        const output = await this.#runChild(child, index, controller.signal);
        if (output !== undefined) {
          outputs.set(index, output);
        } else if (this.#exceeded || this.#unexpected !== undefined) {
          controller.abort();
        }
      },
    );
    release();
    if (this.#unexpected !== undefined) throw this.#unexpected;
    if (at.frame.signal.aborted) throw new Stopped();
    at.frame.lastEvent = started;
    if (this.#exceeded) {
      const error = 'States.ExceedToleratedFailureThreshold';
      const first = this.#firstFailure === undefined ? '' : `. The first child to fail: ${this.#firstFailure}`;
      const cause = `The specified tolerated failure threshold was exceeded${first}`;
      const eventId = at.record('MapRunFailed', { mapRunFailedEventDetails: { error, cause } });
      throw new StateError(error, cause, { eventId });
    }
    const last = at.record('MapRunSucceeded');
    at.record('MapStateSucceeded');
    at.frame.lastEvent = last;
    const result: Json = [...outputs.keys()].sort((a, b) => a - b).map((index) => outputs.get(index) ?? null);
    at.checkSize(result, true);
    return at.leave(this.#state, result, { result });
  }

  get #exceeded(): boolean {
    const { count, percentage } = this.#tolerance;
    return this.#failedItems > count || (100 * this.#failedItems) / this.#items > percentage;
  }

  /** @returns undefined if the child failed or was stopped */
  async #runChild(child: ChildInput, index: number, signal: AbortSignal): Promise<Json | undefined> {
    const { run } = this.#at.frame;
    const name = randomUUID();
    const machine = run.context.StateMachine;
    const arn = `${siblingArn(machine.Id, 'execution')}/${this.#label}:${name}`;
    const recorder = new Recorder(run.clock, run.stream, run.recorder.limit, {
      arn,
      mapRunArn: this.#arn,
      index,
      mapStateEntry: this.#at.entry,
    });
    const context = {
      Execution: {
        ...(run.context.Execution as { readonly [field: string]: Json }),
        Id: arn,
        Input: child.input,
        Name: name,
        StartTime: new Date(run.clock.now()).toISOString(),
      },
      StateMachine: { Id: `${machine.Id}/${this.#label}`, Name: `${machine.Name}/${this.#label}` },
    };
    const childRun: Run = { ...run, arn, name, context, recorder };
    const frame = new Frame(childRun, { signal, lastEvent: 0 });
    frame.record('ExecutionStarted', { executionStartedEventDetails: { input: child.input, roleArn: roleOf(run) } });
    try {
      if (run.limits && sizeOf(child.input) > LIMITS.payloadBytes) {
        throw new StateError('States.DataLimitExceeded', `The input is larger than ${LIMITS.payloadBytes} bytes.`, {
          eventId: frame.lastEvent,
        });
      }
      const output = await runStates(frame, this.#state.ItemProcessor, child.input);
      frame.record('ExecutionSucceeded', { executionSucceededEventDetails: { output } });
      return output;
    } catch (failure) {
      if (failure instanceof StateError) {
        this.#failedItems += child.items;
        this.#firstFailure ??= [failure.error, failure.causeText].filter(Boolean).join(': ') || undefined;
        frame.record('ExecutionFailed', { executionFailedEventDetails: failureDetails(failure) }, failure.eventId);
      } else {
        if (!(failure instanceof Stopped)) this.#unexpected ??= failure;
        frame.record('ExecutionAborted');
      }
      return undefined;
    }
  }
}

function roleOf(run: Run): string {
  const execution = run.context.Execution as { readonly RoleArn?: Json };
  return String(execution.RoleArn ?? '');
}

/** `arn:…:stateMachine:name` → `arn:…:mapRun:name`. */
function siblingArn(machineArn: string, kind: string): string {
  return machineArn.replace(':stateMachine:', `:${kind}:`);
}
