import type { State, StateMachine } from '../asl/types.ts';

type States = StateMachine['States'];

/** Every state with its name, those in branches and iterations too. */
export function* statesOf(states: States): Generator<readonly [string, State]> {
  for (const [name, state] of Object.entries(states)) {
    yield [name, state];
    for (const inner of processorsOf(state)) yield* statesOf(inner.States);
  }
}

/** Seconds that a state of it waits for a task token at most. */
export function longestWait(machine: StateMachine): number {
  let longest = 0;
  for (const [, state] of statesOf(machine.States)) {
    if (state.Type !== 'Task' || !state.Resource.endsWith('.waitForTaskToken')) continue;
    if (typeof state.TimeoutSeconds === 'number') longest = Math.max(longest, state.TimeoutSeconds);
  }
  return longest;
}

function processorsOf(state: State): readonly { readonly States: States }[] {
  if (state.Type === 'Parallel') return state.Branches;
  return state.Type === 'Map' ? [state.ItemProcessor] : [];
}
