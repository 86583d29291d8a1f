/** Which tasks a run will have, as far as the files say: they are shown before they begin. */

import { resolveCall } from '../../compiler/called-file.ts';
import { literalCondition } from '../../compiler/static-task.ts';
import { isCall, kindOf } from '../../language/operators.ts';
import type { Node, Workflow } from '../../language/workflow.ts';

/** More than any terminal shows; names of calls multiply. */
const MOST = 20_000;

/**
 * Full names in the order written. What a loop repeats or an if> decides is not known yet: they stand for what is in them. Handlers run
 * only if something fails.
 */
export function outlineOf(workflow: Workflow, workflows: ReadonlyMap<string, Workflow>): string[] {
  const names: string[] = [];
  const files = new Map([...workflows.values()].map((each) => [each.file, each]));
  const visit = (node: Node, prefix: string, folder: string): void => {
    if (names.length >= MOST) return;
    const name = prefix + node.name;
    if (node.kind === 'group') {
      for (const child of node.children) visit(child, name, folder);
      return;
    }
    const { operator, command } = node;
    if (isCall(operator) && typeof command === 'string' && !command.includes('$')) {
      const callee = files.get(resolveCall(folder, command));
      if (callee !== undefined) {
        visit({ ...callee.root, name: '^sub' }, name, folderOf(callee.file));
        return;
      }
    }
    const condition = kindOf(operator) === 'condition' ? literalCondition(node) : undefined;
    if (condition === undefined) {
      names.push(name);
      return;
    }
    const arm = condition ? node.body : node.elseBody;
    if (arm !== undefined) visit(arm, name, folder);
  };
  visit(workflow.root, '', folderOf(workflow.file));
  return names;
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf('/')));
}
