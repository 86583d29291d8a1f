import type { FailState, Json } from '../../asl/types.ts';
import { StateError } from '../errors.ts';
import type { StateRun, Transition } from '../state-run.ts';

export async function runFail(at: StateRun, state: FailState): Promise<Transition> {
  const text = async (field: 'Error' | 'Cause'): Promise<string | undefined> => {
    const template = state[field];
    return template === undefined
      ? undefined
      : String((await at.evaluateTyped(template, field, 'string')) satisfies Json);
  };
  const error = await text('Error');
  const cause = await text('Cause');
  throw new StateError(error, cause, { eventId: at.frame.lastEvent });
}
