import type { State } from '../../asl/types.ts';
import { parseDuration } from '../../language/duration.ts';
import { evaluateState } from '../evaluate.ts';
import { put } from '../frame.ts';
import type { CompileOperator } from '../operator.ts';
import { register } from '../payload.ts';
import { leave } from '../scope.ts';

/** wait>: a Wait state. */
export const compileWait: CompileOperator = (context, task, exit) => {
  const name = register(context, context.unit.stateName(context.path), task);
  const { command } = task;
  const seconds =
    typeof command === 'number' ? command : typeof command === 'string' ? parseDuration(command) : undefined;
  const wait = seconds === undefined ? '{% $states.input.seconds %}' : Math.ceil(seconds);
  put(context, name, { Type: 'Wait', Seconds: wait, ...leave(context, exit) } as State);
  const entry = { to: name, depth: context.levels.length, assign: {} };
  return seconds === undefined ? evaluateState(context, task, task.operator, entry) : entry;
};
