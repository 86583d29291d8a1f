/** Tasks that can never run because what they wait for always fails; their states are left out (reachable.ts), and the user hears of it. */
import type { Diagnostic } from '../language/diagnostic.ts';
import { kindOf } from '../language/operators.ts';
import { walk } from '../language/walk.ts';
import type { Node, Task, Workflow } from '../language/workflow.ts';
import { upstreams } from './graph.ts';
import { isDynamic, literalCondition } from './static-task.ts';
import { iterations } from './weight.ts';

/** A warning for the first task in each place; those after it wait for it in turn. */
export function unreachableTasks(workflow: Workflow): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const node of walk(workflow.root)) {
    if (node.kind === 'group') {
      const waits = upstreams(node);
      for (const [index, child] of node.children.entries()) {
        const culprit = waits[index]?.map((place) => node.children[place]).find((other) => other && alwaysFails(other));
        if (culprit !== undefined) found.push(warning(child, culprit.name));
      }
    } else if (node.directives.check !== undefined && operatorFails(node)) {
      found.push(warning(node.directives.check, node.name));
    }
  }
  return found;
}

function warning(node: Node, culprit: string): Diagnostic {
  return {
    code: 'unreachable-task',
    severity: 'warning',
    span: node.span,
    message: `${node.name} never runs: ${culprit} always fails`,
    notes: ['Put the fail> into an if>, or remove what comes after it.'],
  };
}

function alwaysFails(node: Node): boolean {
  if (node.kind === 'group') return node.children.some(alwaysFails);
  const { check } = node.directives;
  return operatorFails(node) || (check !== undefined && alwaysFails(check));
}

function operatorFails(task: Task): boolean {
  switch (kindOf(task.operator)) {
    case 'failure':
      return true;
    case 'condition': {
      const condition = literalCondition(task);
      const arms = condition === undefined ? [task.body, task.elseBody] : condition ? [task.body] : [task.elseBody];
      return arms.every((arm) => arm !== undefined && alwaysFails(arm));
    }
    case 'repeat':
      return task.body !== undefined && !isDynamic(task) && (iterations(task) ?? 0) > 0 && alwaysFails(task.body);
    default:
      return false;
  }
}
