import type { Node, Task, Workflow } from './workflow.ts';

/** The node and all below it, in the order written: children, bodies, `_error` and `_check`. */
export function* walk(node: Node): Generator<Node> {
  yield node;
  const below = node.kind === 'group' ? node.children : [node.body, node.elseBody].filter((body) => body !== undefined);
  for (const child of below) yield* walk(child);
  const { error, check } = node.directives;
  if (error) yield* walk(error);
  if (check) yield* walk(check);
}

/** Every task of a workflow, also the tasks of its `sla:`. */
export function* tasksOf(workflow: Workflow): Generator<Task> {
  for (const top of [workflow.root, workflow.sla?.body]) {
    if (!top) continue;
    for (const node of walk(top)) if (node.kind === 'task') yield node;
  }
}
