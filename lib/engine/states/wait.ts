import type { Json, WaitState } from '../../asl/types.ts';
import type { StateRun, Transition } from '../state-run.ts';

/** The longest Seconds that the service takes. */
const LONGEST_WAIT = 99_999_999;

export async function runWait(at: StateRun, state: WaitState): Promise<Transition> {
  const seconds = await secondsOf(at, state);
  if (seconds > 0) {
    await at.frame.sleep(seconds);
  }
  return at.leave(state, at.input);
}

async function secondsOf(at: StateRun, state: WaitState): Promise<number> {
  if (state.Seconds !== undefined) {
    return Number(await at.evaluateTyped(state.Seconds, 'Seconds', 'number', secondsFault));
  }
  const timestamp = await at.evaluateTyped(state.Timestamp ?? '', 'Timestamp', 'string', timestampFault);
  return (Date.parse(String(timestamp)) - at.frame.run.clock.now()) / 1000;
}

function secondsFault(value: Json): string | undefined {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LONGEST_WAIT
    ? undefined
    : `The Seconds field is no whole number from 0 to ${LONGEST_WAIT}: ${value}`;
}

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

function timestampFault(value: Json): string | undefined {
  return TIMESTAMP.test(String(value)) && !Number.isNaN(Date.parse(String(value)))
    ? undefined
    : `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${value}`;
}
