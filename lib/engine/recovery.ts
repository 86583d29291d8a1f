import { present } from '../asl/present.ts';
import type { Catcher, Json, Retrier } from '../asl/types.ts';
import { matchesError, StateError } from './errors.ts';
import type { StateRun, Transition } from './state-run.ts';

interface Recovery {
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

/**
 * Tries a state until it succeeds, its retriers are used up, or a catcher takes the error. Each retrier counts its own retries. The first
 * that matches the error decides, and if its retries are used up no other is tried. The counts start again when the state is entered again.
 * @param exhausted called with a failure that is not retried, before catchers are tried
 */
export async function withRecovery(
  at: StateRun,
  recovery: Recovery,
  attempt: () => Promise<Transition>,
  exhausted: (failure: StateError) => StateError = (failure) => failure,
): Promise<Transition> {
  const used = new Map<Retrier, number>();
  for (;;) {
    try {
      return await attempt();
    } catch (caught) {
      if (!(caught instanceof StateError)) throw caught;
      at.frame.lastEvent = caught.eventId;
      const retrier = recovery.Retry?.find(({ ErrorEquals }) => matchesError(ErrorEquals, caught));
      const before = retrier === undefined ? 0 : (used.get(retrier) ?? 0);
      if (retrier !== undefined && before < (retrier.MaxAttempts ?? 3)) {
        used.set(retrier, before + 1);
        await pause(at, caught, delaySeconds(retrier, before, at.frame.run.random));
        continue;
      }
      const failure = exhausted(caught);
      at.frame.lastEvent = failure.eventId;
      const index = recovery.Catch?.findIndex(({ ErrorEquals }) => matchesError(ErrorEquals, failure)) ?? -1;
      const catcher = recovery.Catch?.[index];
      if (catcher === undefined) throw failure;
      const errorOutput: Json = { Error: failure.error ?? null, Cause: failure.causeText ?? null };
      return await at.leave(catcher, errorOutput, { errorOutput }, `Catch[${index}]/`);
    }
  }
}

async function pause(at: StateRun, failure: StateError, seconds: number): Promise<void> {
  at.record('RetryScheduled', {
    retryScheduledEventDetails: {
      name: at.name,
      attempt: at.retryCount + 1,
      seconds,
      ...failureDetails(failure),
    },
  });
  if (seconds > 0) await at.frame.sleep(seconds);
  at.begin(at.retryCount + 1);
}

/** The wait before a retrier's next retry, after `before` retries. With FULL jitter it is random, from 0 to the full wait. */
export function delaySeconds(retrier: Retrier, before: number, random: () => number): number {
  const { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds, JitterStrategy = 'NONE' } = retrier;
  const whole = Math.min(
    IntervalSeconds * BackoffRate ** before,
    MaxDelaySeconds ?? Number.POSITIVE_INFINITY,
    99_999_999,
  );
  return JitterStrategy === 'FULL' ? whole * random() : whole;
}

export function failureDetails(failure: {
  readonly error: string | undefined;
  readonly causeText: string | undefined;
}): {
  error?: string;
  cause?: string;
} {
  return {
    ...present({ error: failure.error }),
    // A timeout's cause is "" in $states.errorOutput and absent in the history.
    ...present({ cause: failure.causeText === undefined || failure.causeText === '' ? undefined : failure.causeText }),
  };
}
