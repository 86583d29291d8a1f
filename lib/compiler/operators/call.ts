import { posix } from 'node:path';
import type { State } from '../../asl/types.ts';
import { ERRORS } from '../../expression/wire.ts';
import type { Task, Workflow } from '../../language/workflow.ts';
import { put } from '../frame.ts';
import { template } from '../jsonata.ts';
import type { CompileNode, CompileOperator } from '../operator.ts';
import { type Context, closing, type Edge, failing } from '../scope.ts';
import { evaluateState } from './evaluate.ts';
import { ending } from './if.ts';

/**
 * call>: the called workflow is compiled in, as `^sub`; a file that only an expression names, as a Choice over the project's files.
 * Its schedule and time zone have no effect; what stands beside call> is not inherited.
 */
export const compileCall: CompileOperator = (context, task, exit, compileNode) => {
  const { command } = task;
  const { unit } = context;
  if (typeof command === 'string' && !command.includes('$')) {
    const file = resolveCall(context.workdir, command);
    const callee = find(context, file);
    if (callee === undefined) {
      unit.report('call-not-found', 'error', task.spans['call>'] ?? task.span, `call>: file not found: ${file}`);
      return exit;
    }
    return compileCallee(context, task, callee, exit, compileNode);
  }
  const candidates = [...unit.program.workflows.values()].filter((workflow) => !context.calls.includes(workflow.file));
  const choice = unit.stateName(`${context.path}^call`);
  const rules = candidates.map((callee) => {
    const entry = ending(context, compileCallee(context, task, callee, exit, compileNode));
    return {
      Condition: template(`$states.input.file=${JSON.stringify(callee.file)}`),
      Assign: { ...closing(context, entry), ...entry.assign },
      Output: {},
      Next: entry.to,
    };
  });
  const missing = `{"Error":${JSON.stringify(ERRORS.badInput)},"Cause":$string({"message":"call>: file not found: "&$states.input.file})}`;
  const { Assign, Next } = failing(context, context.onFail, missing);
  put(context, choice, { Type: 'Choice', Choices: rules, Default: Next, Assign, Output: {} } as State);
  return evaluateState(context, task, 'call', { to: choice, depth: context.levels.length, assign: {} });
};

export function resolveCall(workdir: string, command: string): string {
  const file = posix.normalize(posix.join(workdir, command));
  return file.endsWith('.dig') ? file : `${file}.dig`;
}

function find(context: Context, file: string): Workflow | undefined {
  return [...context.unit.program.workflows.values()].find((workflow) => workflow.file === file);
}

function compileCallee(context: Context, task: Task, callee: Workflow, exit: Edge, compileNode: CompileNode): Edge {
  if (context.calls.includes(callee.file)) {
    const path = [...context.calls.slice(context.calls.indexOf(callee.file)), callee.file].join(' → ');
    const note = 'Use a loop (loop>, for_each>, for_range>) instead, or start the other workflow with require>.';
    context.unit.report(
      'call-cycle',
      'error',
      task.spans['call>'] ?? task.span,
      `call> leads back to itself: ${path}`,
      note,
    );
    return exit;
  }
  const folder = posix.dirname(callee.file);
  const inner: Context = {
    ...context,
    workdir: folder === '.' ? '' : folder,
    calls: [...context.calls, callee.file],
    unrepeatable: undefined,
  };
  return compileNode(inner, { ...callee.root, name: '^sub' }, exit);
}
