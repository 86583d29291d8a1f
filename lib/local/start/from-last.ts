/** `run WF +task --from-last`: one task with the values that the tasks before it stored in the last attempt. Nothing else is done again. */

import { present } from '../../asl/present.ts';
import { findTask } from '../../compiler/select-tasks.ts';
import { codeOf, functionOf, leadsToTasks, mayStore } from '../../language/operators.ts';
import { usageFault } from '../../language/request-fault.ts';
import type { Group, Node, Workflow } from '../../language/workflow.ts';
import type { AttemptInfo } from '../history/attempt-info.ts';
import { listAttempts } from '../history/attempts.ts';

/** Whether it has recorded results that matter to others, or decides which of those have run. A message is not sent again. */
function isKept(operator: string): boolean {
  const recorded = codeOf(operator) !== undefined || (functionOf(operator) !== undefined && mayStore(operator));
  return recorded || leadsToTasks(operator);
}

/** The last attempt of the workflow, of this session if one is given. */
export function lastAttempt(folder: string | undefined, workflow: string, session: string | undefined): AttemptInfo {
  const found = folder === undefined ? [] : listAttempts(folder).filter((each) => each.workflow === workflow);
  const last = found.filter(({ session_time }) => session === undefined || session_time === session).at(-1);
  if (last !== undefined) return last;
  throw usageFault(
    'there is no attempt to take values from',
    `Run the whole workflow first: trowel run ${workflow}${session === undefined ? '' : ` --session '${session}'`}`,
  );
}

/** The full name of the task that a pattern means; undefined where it means none or several. */
export function taskName({ root }: Workflow, pattern: string): string | undefined {
  const found = findTask(root, pattern);
  return 'code' in found ? undefined : [root, ...found.path].map(({ name }) => name).join('');
}

/** The workflow in which tasks outside of `only` do nothing that is not recorded. */
export function withoutOthers(workflow: Workflow, only: string): Workflow {
  const visit = (node: Node, prefix: string): Node => {
    const name = prefix + node.name;
    if (name === only) return node;
    if (node.kind === 'group' && only.startsWith(`${name}+`)) {
      return { ...node, children: node.children.map((child) => visit(child, name)) };
    }
    return quiet(node);
  };
  return { ...workflow, root: visit(workflow.root, '') as Group };
}

function quiet(node: Node): Node {
  const { error: _, check: __, retry: ___, ...directives } = node.directives;
  if (node.kind === 'group') return { ...node, directives, children: node.children.map(quiet) };
  if (!isKept(node.operator)) {
    const { body: _b, elseBody: _e, ...rest } = node;
    return { ...rest, directives, operator: 'echo', command: '', keys: { 'echo>': '' } };
  }
  return {
    ...node,
    directives,
    ...present({
      body: node.body !== undefined ? quiet(node.body) : undefined,
      elseBody: node.elseBody !== undefined ? quiet(node.elseBody) : undefined,
    }),
  };
}
