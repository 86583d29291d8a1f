import { step } from './fault.ts';
import type { Assign, Processor, State, StateMachine } from './types.ts';

/** A transition from one state to another, with what it assigns. */
export interface Edge {
  readonly to: string;
  readonly assign: Assign | undefined;
}

/** The transitions of a state to other states. */
export function edgesOf(state: State): Edge[] {
  const edges: Edge[] = [];
  const add = (to: string | undefined, assign: Assign | undefined) => {
    if (to !== undefined) {
      edges.push({ to, assign });
    }
  };
  if (state.Type === 'Choice') {
    for (const rule of state.Choices) {
      add(rule.Next, rule.Assign);
    }
    add(state.Default, state.Assign);
  } else if (state.Type !== 'Succeed' && state.Type !== 'Fail') {
    add(state.Next, state.Assign);
  }
  if ('Catch' in state) {
    for (const catcher of state.Catch ?? []) {
      add(catcher.Next, catcher.Assign);
    }
  }
  return edges;
}

/** Everything that a state can assign, on any transition. */
export function assignsOf(state: State): { readonly assign: Assign; readonly path: string }[] {
  const found: { assign: Assign; path: string }[] = [];
  const add = (assign: Assign | undefined, path: string) => {
    if (assign !== undefined) {
      found.push({ assign, path: `${path}/Assign` });
    }
  };
  add('Assign' in state ? state.Assign : undefined, '');
  if (state.Type === 'Choice') {
    for (const [index, rule] of state.Choices.entries()) {
      add(rule.Assign, `/Choices${step(index)}`);
    }
  }
  if ('Catch' in state) {
    for (const [index, catcher] of (state.Catch ?? []).entries()) {
      add(catcher.Assign, `/Catch${step(index)}`);
    }
  }
  return found;
}

/** States that run in the same scope: the machine's, a branch's, an iteration's. */
export interface Scope {
  readonly processor: Processor | StateMachine;
  readonly path: string;
  /** Undefined for the machine. */
  readonly outer: { readonly scope: Scope; readonly state: string } | undefined;
  /** Children of a distributed Map see no variable of the scopes around them. */
  readonly detached: boolean;
  /** Whether `$states.context.Map` exists. */
  readonly iteration: boolean;
}

/** All scopes of a machine, outer ones first. */
export function scopesOf(machine: StateMachine): Scope[] {
  const scopes: Scope[] = [{ processor: machine, path: '', outer: undefined, detached: false, iteration: false }];
  for (const scope of scopes) {
    for (const [name, state] of Object.entries(scope.processor.States)) {
      const path = `${scope.path}/States${step(name)}`;
      const outer = { scope, state: name };
      if (state.Type === 'Parallel') {
        for (const [index, processor] of state.Branches.entries()) {
          const { iteration } = scope;
          scopes.push({ processor, path: `${path}/Branches${step(index)}`, outer, detached: false, iteration });
        }
      } else if (state.Type === 'Map') {
        const detached = state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED';
        scopes.push({
          processor: state.ItemProcessor,
          path: `${path}/ItemProcessor`,
          outer,
          detached,
          iteration: !detached,
        });
      }
    }
  }
  return scopes;
}

/** Names of the states that can be reached. */
export function reachable(processor: Processor | StateMachine): Set<string> {
  const found = new Set<string>([processor.StartAt]);
  for (const name of found) {
    const state = processor.States[name];
    for (const { to } of state === undefined ? [] : edgesOf(state)) {
      found.add(to);
    }
  }
  return found;
}
