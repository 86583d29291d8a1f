/** How often a workflow stores, as far as its text shows. */
import { isCall, loopOver, mayStore } from '../language/operators.ts';
import type { Node, Task, Workflow } from '../language/workflow.ts';
import { resolveCall } from './called-file.ts';
import { iterations } from './weight.ts';

/** References to this many stores take 32 KiB, in addition to the 96 KiB that small values may have. */
const FEW = 200;

/** Whether there may be more stores than one state holds as references. A number that only a run knows counts as many. */
export function storesMany(workflows: ReadonlyMap<string, Workflow>, name: string): boolean {
  const known = new Map<Node, number>();
  const of = (node: Node | undefined): number => {
    if (node === undefined) return 0;
    const before = known.get(node);
    if (before !== undefined) return before;
    // A call cycle, which is reported elsewhere.
    known.set(node, Number.POSITIVE_INFINITY);
    const { error, check, retry } = node.directives;
    const once = (node.kind === 'group' ? sum(node.children.map(of)) : ofTask(node)) + of(check);
    const tries = retry === undefined ? 1 : retry.kind === 'literal' ? retry.limit + 1 : Number.POSITIVE_INFINITY;
    const count = (once === 0 ? 0 : once * tries) + of(error);
    known.set(node, count);
    return count;
  };
  const ofTask = (task: Task): number => {
    const { operator, command } = task;
    if (isCall(operator)) {
      if (typeof command !== 'string' || command.includes('$')) return Number.POSITIVE_INFINITY;
      const folder = task.span.file.includes('/') ? task.span.file.replace(/\/[^/]*$/, '') : '';
      return of(workflows.get(resolveCall(folder, command).slice(0, -'.dig'.length))?.root);
    }
    const inside = of(task.body) + of(task.elseBody);
    if (loopOver(operator) !== undefined)
      return inside === 0 ? 0 : inside * (iterations(task) ?? Number.POSITIVE_INFINITY);
    return inside + (mayStore(operator) ? 1 : 0);
  };
  const root = workflows.get(name)?.root;
  return root === undefined || of(root) > FEW;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
