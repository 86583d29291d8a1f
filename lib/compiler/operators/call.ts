import { posix } from 'node:path';
import type { Json, State } from '../../asl/types.ts';
import type { Task, Workflow } from '../../language/workflow.ts';
import { resolveCall } from '../called-file.ts';
import { checkHistory } from '../check-limits.ts';
import { evaluateState } from '../evaluate.ts';
import { put } from '../frame.ts';
import { template } from '../jsonata.ts';
import type { CompileNode, CompileOperator } from '../operator.ts';
import { join } from '../parallel.ts';
import type { Context, Edge } from '../scope.ts';
import { callList, nestedMachine, startCalled } from '../split.ts';
import { spotNeeds } from '../task-needs.ts';

/** Machines of called files in a workflow. */
const MOST_CALLED = 300;

/**
 * call>: the called workflow is compiled in, as `^sub`. Where only an expression names the file, each of the project has a machine of its own, and a
 * state starts the one that `evaluate` named. A called workflow's schedule and time zone have no effect; keys next to call> are not inherited.
 */
export const compileCall: CompileOperator = (context, task, exit, compileNode) => {
  const { command } = task;
  const { unit } = context;
  if (typeof command === 'string' && !command.includes('$')) {
    const file = resolveCall(context.workdir, command);
    const callee = find(context, file);
    if (callee === undefined) {
      unit.report(
        'call-not-found',
        'error',
        task.spans[`${task.operator}>`] ?? task.span,
        `call>: file not found: ${file}`,
      );
      return exit;
    }
    return compileCallee(context, task, callee, exit, compileNode);
  }
  const machines = new Map(
    [...unit.program.workflows.values()].map((callee) => [callee.file, calledMachine(context, callee, compileNode)]),
  );
  const name = unit.stateName(`${context.path}^call`);
  // The machine may have been made for a caller who asks for none.
  unit.needs(name, ...spotNeeds(context.spot));
  put(context, name, {
    ...startCalled(context, name, machines, '$states.input.file'),
    ...join(context, true, '$states.result.Output.stored', exit, '$states.result.Output'),
  } as State);
  const entry: Edge = { to: name, depth: context.levels.length, assign: {} };
  const files: Json = [...machines.keys()];
  return evaluateState(context, task, task.operator, entry, {}, '', {
    c: { files, chain: template(callList(context)) },
  });
};

/**
 * One machine for each file that an expression may name, shared by all callers: compiled in place, files that call each other would multiply.
 * What its tasks inherit is part of them (their `_env` names the secrets that they get), so there is one for each such inheritance.
 */
function calledMachine(context: Context, callee: Workflow, compileNode: CompileNode): string {
  const { program } = context.unit;
  const retried = context.tries.length > 0;
  const key = JSON.stringify([callee.file, context.env, context.secrets, retried]);
  const known = program.called.get(key);
  if (known !== undefined) return known;
  const name = `${program.name}_call${program.called.size + 1}`;
  program.called.set(key, name);
  if (program.called.size > MOST_CALLED) {
    if (program.called.size === MOST_CALLED + 1) tooManyCalled(context);
    return name;
  }
  checkHistory(program, callee.root);
  // All callers share it, so no caller's `_export` counts.
  const at: Context = { ...context, ...within(callee), mail: {} };
  const body = (inner: Context, end: Edge): Edge => compileNode(inner, { ...callee.root, name: '^sub' }, end);
  nestedMachine(at, `^${callee.name}`, program.stores(callee.root), body, { name, called: true });
  return name;
}

function tooManyCalled({ unit, calls }: Context): void {
  unit.report(
    'limit-definition',
    'error',
    unit.program.workflows.get(unit.program.name)?.root.span,
    `call> with an expression would make more than ${MOST_CALLED} state machines: one for each file of the project and each \`_env\` that it may be called with`,
    `The last was called from ${calls.at(-1)}. Write \`_env\` on the tasks that need it, or name the file: \`call>: file\`.`,
  );
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
      task.spans[`${task.operator}>`] ?? task.span,
      `call> leads back to itself: ${path}`,
      note,
    );
    return exit;
  }
  const calls = [...context.calls, callee.file];
  return compileNode({ ...context, ...within(callee), calls }, { ...callee.root, name: '^sub' }, exit);
}

/** What is another in a called file, whoever calls it. */
function within(callee: Workflow): Pick<Context, 'workdir' | 'calls' | 'unrepeatable'> {
  const folder = posix.dirname(callee.file);
  return { workdir: folder === '.' ? '' : folder, calls: [callee.file], unrepeatable: undefined };
}
