import type { PassState } from '../../asl/types.ts';
import type { StateRun, Transition } from '../state-run.ts';

export function runPass(at: StateRun, state: PassState): Promise<Transition> {
  return at.leave(state, at.input);
}
