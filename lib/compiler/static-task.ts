/** Facts about a task that are known before it runs. */
import { commandOf } from '../expression/items.ts';
import type { Task } from '../language/workflow.ts';

/** Whether the iterations of a loop are known only when it runs. */
export function isDynamic({ operator, keys, parallel }: Task): boolean {
  const written = [commandOf(operator, keys), keys.count].filter((value) => value !== undefined);
  return parallel.kind === 'expression' || JSON.stringify(written).includes('$');
}

/** A condition that the file itself gives. */
export function literalCondition(task: Task): boolean | undefined {
  const { command } = task;
  if (typeof command === 'boolean') return command;
  if (command === 'true') return true;
  if (command === 'false' || command === '' || command === null) return false;
  return undefined;
}
