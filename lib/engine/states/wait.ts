import { isTimestamp } from '../../asl/fields.ts';
import type { Json, WaitState } from '../../asl/types.ts';
import { StateError } from '../errors.ts';
import type { StateRun, Transition } from '../state-run.ts';

/** The longest Seconds that the service takes. */
const LONGEST_WAIT = 99_999_999;
/** Seconds to a Timestamp. */
const LONGEST_DELAY = 2 ** 31 - 1;

export async function runWait(at: StateRun, state: WaitState): Promise<Transition> {
  const seconds = await secondsOf(at, state);
  if (seconds > 0) await at.frame.sleep(seconds);
  return at.leave(state, at.input);
}

async function secondsOf(at: StateRun, state: WaitState): Promise<number> {
  if (state.Seconds !== undefined) {
    return Number(await at.evaluateTyped(state.Seconds, 'Seconds', 'number', secondsFault));
  }
  const timestamp = await at.evaluateTyped(state.Timestamp ?? '', 'Timestamp', 'string', timestampFault);
  const seconds = (Date.parse(String(timestamp)) - at.frame.run.clock.now()) / 1000;
  if (seconds > LONGEST_DELAY) {
    throw new StateError('States.Runtime', at.explain('Wait state delay is too long.'), {
      eventId: at.frame.lastEvent,
    });
  }
  return seconds;
}

function secondsFault(value: Json): string | undefined {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LONGEST_WAIT
    ? undefined
    : `The Seconds field is no whole number from 0 to ${LONGEST_WAIT}: ${value}`;
}

function timestampFault(value: Json): string | undefined {
  return isTimestamp(String(value))
    ? undefined
    : `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${value}`;
}
