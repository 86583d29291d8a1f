import type { SucceedState } from '../../asl/types.ts';
import type { StateRun, Transition } from '../state-run.ts';

export function runSucceed(at: StateRun, state: SucceedState): Promise<Transition> {
  return at.leave({ Output: state.Output }, at.input);
}
