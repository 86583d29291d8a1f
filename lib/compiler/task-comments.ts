/**
 * The table of tasks as comments of the deployed states: `py> +main+load (main.dig:3)`. So a reader of an execution, in the console or
 * by `trowel log --aws`, knows which task of which line a state is, by the very definition that runs, whatever the files here say now.
 */

import { LIMITS } from '../asl/limits.ts';
import { present } from '../asl/present.ts';
import type { Processor, State, StateMachine } from '../asl/types.ts';
import type { TaskInfo } from '../contract/task-info.ts';
import { definitionText } from './definition-text.ts';

type States = StateMachine['States'];
type Tasks = { readonly [state: string]: TaskInfo };

/** Written for a name that only the run knows. */
const UNNAMED = '…';

/** Comments are left out if there is no room for them. */
export function withTaskComments(machine: StateMachine, tasks: Tasks): StateMachine {
  const commented = {
    ...machine,
    States: mapStates(machine.States, (name, state) => commentedState(tasks, name, state)),
  };
  return Buffer.byteLength(definitionText(commented)) > LIMITS.definitionBytes ? machine : commented;
}

/** Reads what `withTaskComments` has written from a deployed definition. Other comments belong to no task. */
export function taskComments(machine: Processor | StateMachine): { [state: string]: TaskInfo } {
  const tasks: { [state: string]: TaskInfo } = {};
  mapStates(machine.States, (name, state) => {
    const info = parseComment(state.Comment ?? '');
    if (info !== undefined) tasks[name] = info;
    return state;
  });
  return tasks;
}

function commentedState(tasks: Tasks, name: string, state: State): State {
  const info = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (info === undefined) return state;
  const { operator, task = UNNAMED, at, role } = info;
  return { ...state, Comment: `${operator}> ${task} (${at}${role === undefined ? '' : `, ${role}`})` };
}

function parseComment(text: string): TaskInfo | undefined {
  // The name of a workflow may have spaces and parentheses; what follows it in that of a task has neither.
  const match = /^(\w+)> (…|\+(?:.*[+^])?\S*) \((.*?)(?:, (prepares|polls))?\)$/s.exec(text);
  if (match === null) return undefined;
  const [, operator = '', task = '', at = '', role] = match;
  return {
    operator,
    at,
    ...present({ task: task === UNNAMED ? undefined : task }),
    ...present({ role: role === undefined ? undefined : (role as 'prepares' | 'polls') }),
  };
}

/** Every state, those in branches and iterations too. */
function mapStates(states: States, change: (name: string, state: State) => State): States {
  const inside = <P extends { readonly States: States }>(processor: P): P => ({
    ...processor,
    States: mapStates(processor.States, change),
  });
  return Object.fromEntries(
    Object.entries(states).map(([name, state]) => {
      const changed = change(name, state);
      if (changed.Type === 'Parallel') return [name, { ...changed, Branches: changed.Branches.map(inside) }];
      if (changed.Type === 'Map') return [name, { ...changed, ItemProcessor: inside(changed.ItemProcessor) }];
      return [name, changed];
    }),
  );
}
