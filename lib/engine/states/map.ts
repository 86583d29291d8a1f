import { LIMITS } from '../../asl/limits.ts';
import type { Json, MapState } from '../../asl/types.ts';
import { StateError, Stopped } from '../errors.ts';
import { Frame, follow, runStates } from '../frame.ts';
import { pool } from '../pool.ts';
import { withRecovery } from '../recovery.ts';
import type { StateRun, Transition } from '../state-run.ts';
import { runDistributed } from './distributed-map.ts';
import { countOf, itemsOf, selectItem } from './map-fields.ts';

export function runMap(at: StateRun, state: MapState): Promise<Transition> {
  const run = state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED' ? runDistributed : runInline;
  return withRecovery(
    at,
    state,
    () => run(at, state),
    (failure) => failure.at(at.record('MapStateFailed')),
  );
}

/** Iterations are frames of this execution; the first that fails stops the others. */
async function runInline(at: StateRun, state: MapState): Promise<Transition> {
  const items = await itemsOf(at, state);
  const width = (await countOf(at, 'MaxConcurrency', state.MaxConcurrency)) || LIMITS.inlineMapConcurrency;
  const started = at.record('MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
  const { controller, release } = follow(at.frame.signal);
  const outputs: Json[] = new Array(items.length).fill(null);
  const stopped: { frame: Frame; index: number }[] = [];
  const lastOfWorker: number[] = [];
  let failure: unknown;
  let failed: { frame: Frame; index: number } | undefined;
  let last = started;

  await pool(
    items.length,
    Math.min(width, LIMITS.inlineMapConcurrency),
    () => controller.signal.aborted,
    async (index, worker) => {
      const mapItem = items[index] ?? { Index: index, Value: null };
      const iteration = { name: at.name, index };
      const frame = new Frame(at.frame.run, {
        signal: controller.signal,
        lastEvent: lastOfWorker[worker] ?? started,
        outer: at.frame,
        mapItem,
      });
      try {
        frame.record('MapIterationStarted', { mapIterationStartedEventDetails: iteration, stateEntry: at.entry });
        outputs[index] = await runStates(frame, state.ItemProcessor, await selectItem(at, state, mapItem));
        // The next iteration follows the last state of this one; the Map goes on from the event of an iteration's end.
        lastOfWorker[worker] = frame.lastEvent;
        last = frame.record('MapIterationSucceeded', {
          mapIterationSucceededEventDetails: iteration,
          stateEntry: at.entry,
        });
      } catch (caught) {
        if (caught instanceof Stopped) {
          stopped.push({ frame, index });
        } else if (failure === undefined) {
          failure = caught;
          failed = { frame, index };
          controller.abort();
        }
      }
    },
  );
  release();

  const name = at.name;
  const recordStopped = (previous: number) => {
    for (const { frame, index } of stopped) {
      if (!frame.run.signal.aborted) {
        frame.recordAbort(previous);
        frame.record(
          'MapIterationAborted',
          { mapIterationAbortedEventDetails: { name, index }, stateEntry: at.entry },
          previous,
        );
      }
    }
  };
  if (failure instanceof StateError && failed !== undefined) {
    failed.frame.record(
      'MapIterationFailed',
      { mapIterationFailedEventDetails: { name, index: failed.index }, stateEntry: at.entry },
      failure.eventId,
    );
    recordStopped(failure.eventId);
    failed.frame.recordFailed(failure.eventId);
    throw failure;
  }
  if (failure !== undefined || at.frame.signal.aborted) {
    recordStopped(at.frame.lastEvent);
    throw failure ?? new Stopped();
  }
  at.frame.lastEvent = last;
  at.record('MapStateSucceeded');
  at.frame.lastEvent = last;
  at.checkSize(outputs, true);
  return at.leave(state, outputs, { result: outputs });
}
