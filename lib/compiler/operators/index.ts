import type { OperatorKind } from '../../language/operators/spec.ts';
import { kindOf, makesTasks } from '../../language/operators.ts';
import type { Task } from '../../language/workflow.ts';
import type { CompileNode, CompileOperator } from '../operator.ts';
import type { Context, Edge } from '../scope.ts';
import { compileAws, compileLambda } from './aws.ts';
import { compileCall } from './call.ts';
import { compileContainer } from './container.ts';
import { compileEcho, compileFail } from './echo.ts';
import { compileFunction } from './function.ts';
import { compileIf } from './if.ts';
import { compileLoop } from './loop.ts';
import { compileRequire } from './require.ts';
import { compileS3Wait } from './s3-wait.ts';
import { compileWait } from './wait.ts';

const COMPILERS: { readonly [kind in OperatorKind]: CompileOperator } = {
  container: compileContainer,
  function: compileFunction,
  print: compileEcho,
  failure: compileFail,
  condition: compileIf,
  repeat: compileLoop,
  inline: compileCall,
  session: compileRequire,
  pause: compileWait,
  poll: compileS3Wait,
  service: compileAws,
  invocation: compileLambda,
};

/** Tasks of operators that nobody knows are diagnosed by lib/language; they compile to nothing. */
export function compileOperator(context: Context, task: Task, exit: Edge, compileNode: CompileNode): Edge {
  const kind = kindOf(task.operator);
  const { unit } = context;
  if (unit.program.target === 'aws' && makesTasks(task.operator)) {
    const note =
      'Fetch the description with http> and branch on it with if>, or generate the tasks in Python with digdag.env.add_subtask.';
    unit.report('deployed-only-here', 'error', task.span, `${task.operator}> runs here, and cannot be deployed`, note);
  }
  return kind === undefined ? exit : COMPILERS[kind](context, task, exit, compileNode);
}
