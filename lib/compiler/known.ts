/** Variables whose value is known when compiling: they let native operators do without `evaluate` (lowering.ts). */
import { BUILTIN_TYPES } from '../expression/session.ts';
import { loopOver } from '../language/operators.ts';
import type { Mapping, Task } from '../language/workflow.ts';
import type { Expr } from './jsonata.ts';
import type { Known } from './scope.ts';

/** Built-in variables beat every export and store, so their place is known everywhere; task_name is another in each task. */
export function builtins(): Known {
  const names = Object.entries(BUILTIN_TYPES).filter(([name]) => name !== 'task_name');
  return new Map(names.map(([name, type]) => [name, { expr: `$b.vars.${name}`, type }]));
}

/** An exported literal is known where nothing can store over it. */
export function knownWithin(known: Known, exported: Mapping, stores: boolean): Known {
  if (!stores && Object.keys(exported).length === 0) return known;
  const next = new Map(
    [...known].filter(
      ([name, value]) => value.expr.startsWith('$b.') || !(stores || Object.hasOwn(exported, name.split('.', 1)[0]!)),
    ),
  );
  if (stores) return next;
  for (const [name, value] of Object.entries(exported)) {
    if (next.has(name)) continue;
    if (typeof value === 'string' && !value.includes('$'))
      next.set(name, { expr: JSON.stringify(value), type: 'string' });
    if (typeof value === 'boolean') next.set(name, { expr: String(value), type: 'boolean' });
    if (typeof value === 'number' && Number.isSafeInteger(value))
      next.set(name, { expr: String(value), type: 'integer' });
  }
  return next;
}

/** Loop variables hide what was known by their name; those that are the same kind of literal in each iteration are known anew. */
export function withItem(known: Known, task: Task, item: Expr, stores: boolean): Known {
  const next = new Map(known);
  const over = loopOver(task.operator);
  if (over === 'count') {
    next.delete('i');
    if (!stores) next.set('i', { expr: `${item}.i`, type: 'integer' });
    return next;
  }
  if (over === 'range') {
    for (const name of ['from', 'to', 'index']) {
      next.delete(`range.${name}`);
      if (!stores) next.set(`range.${name}`, { expr: `${item}.range.${name}`, type: 'integer' });
    }
    next.delete('range');
    return next;
  }
  const { command } = task;
  if (command === null || typeof command !== 'object' || Array.isArray(command)) return builtinsOf(next);
  for (const [name, values] of Object.entries(command as Mapping)) {
    next.delete(name);
    if (stores || !Array.isArray(values)) continue;
    if (values.every((value) => typeof value === 'string' && !value.includes('$'))) {
      next.set(name, { expr: `${item}.${JSON.stringify(name).replaceAll('"', '`')}`, type: 'string' });
    } else if (values.every((value) => Number.isSafeInteger(value))) {
      next.set(name, { expr: `${item}.${JSON.stringify(name).replaceAll('"', '`')}`, type: 'integer' });
    }
  }
  return next;
}

function builtinsOf(known: Known): Known {
  return new Map([...known].filter(([, value]) => value.expr.startsWith('$b.')));
}
