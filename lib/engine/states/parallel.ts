import type { Json, ParallelState } from '../../asl/types.ts';
import { StateError, Stopped } from '../errors.ts';
import { Frame, follow, runStates } from '../frame.ts';
import { withRecovery } from '../recovery.ts';
import type { StateRun, Transition } from '../state-run.ts';

export function runParallel(at: StateRun, state: ParallelState): Promise<Transition> {
  return withRecovery(
    at,
    state,
    () => runBranches(at, state),
    (failure) => failure.at(at.record('ParallelStateFailed')),
  );
}

/** The first branch that fails stops the others. */
async function runBranches(at: StateRun, state: ParallelState): Promise<Transition> {
  const input = state.Arguments === undefined ? at.input : await at.evaluate(state.Arguments, 'Arguments');
  at.checkSize(input, true);
  const started = at.record('ParallelStateStarted');
  const { controller, release } = follow(at.frame.signal);
  let failure: unknown;
  let failed: Frame | undefined;
  let last = started;
  const stopped: Frame[] = [];
  const result: Json = await Promise.all(
    state.Branches.map(async (branch): Promise<Json> => {
      const frame = new Frame(at.frame.run, { signal: controller.signal, lastEvent: started, outer: at.frame });
      try {
        const output = await runStates(frame, branch, input);
        last = frame.lastEvent;
        return output;
      } catch (caught) {
        if (caught instanceof Stopped) {
          stopped.push(frame);
        } else {
          if (failure === undefined) {
            failure = caught;
            failed = frame;
          }
          controller.abort();
        }
        return null;
      }
    }),
  );
  release();
  if (failure instanceof StateError) {
    failed?.recordFailed(failure.eventId);
    for (const frame of stopped) {
      frame.recordAbort(failure.eventId);
    }
    throw failure.also('States.BranchFailed');
  }
  if (failure !== undefined || at.frame.signal.aborted) {
    for (const frame of stopped) {
      frame.recordAbort(frame.lastEvent);
    }
    throw failure ?? new Stopped();
  }
  // In the service's history the state's exit, and not this event, follows the last branch.
  at.frame.lastEvent = last;
  at.record('ParallelStateSucceeded');
  at.frame.lastEvent = last;
  at.checkSize(result, true);
  return at.leave(state, result, { result });
}
