import type { State, Template } from '../../asl/types.ts';
import type { Node } from '../../language/workflow.ts';
import { evaluateState } from '../evaluate.ts';
import { put } from '../frame.ts';
import { template } from '../jsonata.ts';
import { loweredCondition } from '../lowering.ts';
import type { CompileNode, CompileOperator } from '../operator.ts';
import { passage } from '../parallel.ts';
import { type Context, closing, type Edge } from '../scope.ts';
import { literalCondition } from '../static-task.ts';

/** if>: no state for a literal, a Choice for a condition that can be lowered, else `evaluate` and a Choice. */
export const compileIf: CompileOperator = (context, task, exit, compileNode) => {
  const arm = (body: Node | undefined): Edge =>
    body === undefined ? exit : compileArm(context, body, exit, compileNode);
  const known = literalCondition(task);
  if (known !== undefined) return arm(known ? task.body : task.elseBody);
  const condition = loweredCondition(context, task);
  const choice = context.unit.stateName(`${context.path}^if`);
  const yes = ending(context, arm(task.body));
  const no = ending(context, arm(task.elseBody));
  const assignNo = { ...closing(context, no), ...no.assign };
  put(context, choice, {
    Type: 'Choice',
    Choices: [
      {
        Condition: template(condition ?? '$states.input.v'),
        ...nonEmpty({ ...closing(context, yes), ...yes.assign }),
        Output: {},
        Next: yes.to,
      },
    ],
    Default: no.to,
    ...nonEmpty(assignNo),
    Output: {},
  } as State);
  const entry: Edge = { to: choice, depth: context.levels.length, assign: {} };
  return condition === undefined ? evaluateState(context, task, task.operator, entry) : entry;
};

export function compileArm(context: Context, body: Node, exit: Edge, compileNode: CompileNode): Edge {
  return compileNode({ ...context, unrepeatable: undefined }, body, exit);
}

/** A Choice cannot end a frame. */
export function ending(context: Context, edge: Edge): Edge & { readonly to: string } {
  if (edge.to !== undefined) return { ...edge, to: edge.to };
  return { to: passage(context, edge), depth: context.levels.length, assign: {} };
}

function nonEmpty(assign: { readonly [variable: string]: Template }): object {
  return Object.keys(assign).length === 0 ? {} : { Assign: assign };
}
