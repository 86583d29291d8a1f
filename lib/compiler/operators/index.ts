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

const OPERATOR_COMPILERS: { readonly [operator: string]: CompileOperator } = {
  py: compileContainer,
  sh: compileContainer,
  echo: compileEcho,
  fail: compileFail,
  if: compileIf,
  loop: compileLoop,
  for_each: compileLoop,
  for_range: compileLoop,
  wait: compileWait,
  call: compileCall,
  require: compileRequire,
  http: compileFunction('http'),
  http_call: compileFunction('http_call'),
  mail: compileFunction('notify'),
  notify: compileFunction('notify'),
  slack: compileFunction('notify'),
  aws: compileAws,
  lambda: compileLambda,
  s3_wait: compileS3Wait,
};

/** What is known only while it runs cannot become states. */
const ONLY_HERE = new Set(['http_call']);

/** Tasks of operators that nobody knows are diagnosed by lib/language; they compile to nothing. */
export function compileOperator(context: Context, task: Task, exit: Edge, compileNode: CompileNode): Edge {
  const compiler = OPERATOR_COMPILERS[task.operator];
  const { unit } = context;
  if (unit.program.target === 'aws' && ONLY_HERE.has(task.operator)) {
    const note =
      'Fetch the description with http> and branch on it with if>, or generate the tasks in Python with digdag.env.add_subtask.';
    unit.report('deployed-only-here', 'error', task.span, `${task.operator}> runs here, and cannot be deployed`, note);
  }
  return compiler === undefined ? exit : compiler(context, task, exit, compileNode);
}
