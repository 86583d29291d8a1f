import type { Processor, State, StateMachine } from '../asl/types.ts';

/** Called with each state, in the order of the machine that is made. */
export interface Reached {
  readonly kept: (state: string) => void;
  readonly dropped: (state: string) => void;
}

/**
 * The states that some edge reaches, in the order of a reader, depth first. A state behind a task that always fails is an error of
 * validation for Step Functions.
 */
export function reachable<T extends Processor | StateMachine>(machine: T, reached: Reached): T {
  const seen = new Set<string>();
  const states: { [name: string]: State } = {};
  const waiting = [machine.StartAt];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const state = machine.States[name];
    if (seen.has(name) || state === undefined) continue;
    seen.add(name);
    reached.kept(name);
    states[name] = within(state, reached);
    waiting.push(...targets(state).reverse());
  }
  for (const name of Object.keys(machine.States)) {
    if (!seen.has(name)) reached.dropped(name);
  }
  return { ...machine, States: states };
}

function within(state: State, reached: Reached): State {
  if (state.Type === 'Parallel')
    return { ...state, Branches: state.Branches.map((branch) => reachable(branch, reached)) };
  if (state.Type === 'Map') return { ...state, ItemProcessor: reachable(state.ItemProcessor, reached) };
  return state;
}

/** The states that a state may lead to, the usual one first. */
export function targets(state: State): string[] {
  const found: (string | undefined)[] = [];
  if ('Next' in state) found.push(state.Next);
  if (state.Type === 'Choice') found.push(...state.Choices.map((rule) => rule.Next), state.Default);
  if ('Catch' in state) found.push(...(state.Catch ?? []).map((catcher) => catcher.Next));
  return found.filter((name) => name !== undefined);
}
