import { hasSeveralStates, isCall, mayStore } from '../language/operators.ts';
import { walk } from '../language/walk.ts';
import type { Node, Task, Workflow } from '../language/workflow.ts';

/** Whether anything at or below a node may store parameters. If nothing can, no layer is opened or merged. */
export function storing(workflows: ReadonlyMap<string, Workflow>): (node: Node | undefined) => boolean {
  const seen = new Map<Node, boolean>();
  const ofNode = (node: Node | undefined): boolean => {
    if (node === undefined) return false;
    const known = seen.get(node);
    if (known !== undefined) return known;
    // Recursive call> is reported elsewhere; here it only must end.
    seen.set(node, false);
    const { error, check } = node.directives;
    const found = ofNode(error) || ofNode(check) || (node.kind === 'group' ? node.children.some(ofNode) : ofTask(node));
    seen.set(node, found);
    return found;
  };
  const ofTask = (task: Task): boolean => {
    if (isCall(task.operator)) {
      if (typeof task.command !== 'string' || task.command.includes('$')) return true;
      return [...workflows.values()].some((callee) => ofNode(callee.root));
    }
    return mayStore(task.operator) || ofNode(task.body) || ofNode(task.elseBody);
  };
  return ofNode;
}

/** Whether a task's `_retry` repeats several states; otherwise its own state repeats it. */
export function repeatedAsGroup(task: Task): boolean {
  const { check, retry } = task.directives;
  if (retry === undefined) return false;
  if (retry.kind === 'expression') return true;
  return retry.limit > 0 && (check !== undefined || hasSeveralStates(task.operator));
}

/** Whether something at or below a node may run again after a failure. A file that call> names may. */
export function repeats(node: Node): boolean {
  for (const each of walk(node)) {
    const { retry } = each.directives;
    if (retry !== undefined && (retry.kind === 'expression' || retry.limit > 0)) return true;
    if (each.kind === 'task' && isCall(each.operator)) return true;
  }
  return false;
}

/** The node with another `_export` in its place, or none: the caller has made a layer of it. */
export function withoutExport<T extends Node>(node: T): T {
  const { export: _, ...directives } = node.directives;
  return { ...node, directives };
}
