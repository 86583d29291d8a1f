/** From a project and a name to a machine, its needs and all diagnostics, for a run here and for a deploy: lib/language, then this folder. */

import { present } from '../asl/present.ts';
import type { Diagnostic, DiagnosticCode } from '../language/diagnostic.ts';
import { callsByExpression } from '../language/dig/calls.ts';
import { lineFinder } from '../language/line-finder.ts';
import type { Project } from '../language/project.ts';
import { hasErrors, sortDiagnostics } from '../language/report.ts';
import type { Mapping, Node, Workflow } from '../language/workflow.ts';
import { checkExpressions } from './check-expressions.ts';
import { type Compiled, compile } from './compile.ts';
import type { PythonCheck } from './python/check.ts';
import { type Selection, selectTasks } from './select-tasks.ts';

export interface CompiledWorkflow {
  /** Absent if a diagnostic is an error. */
  readonly compiled?: Compiled;
  readonly workflow?: Workflow;
  readonly diagnostics: readonly Diagnostic[];
}

export interface CompileProjectOptions extends Selection {
  readonly timezone?: string;
  readonly params: Mapping;
  readonly target?: 'aws';
  /** The machine is deployed: it holds the parameters, and the keys of its tasks' definitions. */
  readonly deploy?: true;
  readonly limits?: 'warning';
  /** Over each workflow when all has been checked, before it is compiled. */
  readonly adapt?: (workflow: Workflow) => Workflow;
  /** Only for `check`: what the Python files say. With it, what has other errors is looked through too. */
  readonly python?: Promise<PythonCheck | undefined>;
  readonly called?: boolean;
}

/** The names that an included file would have defined are not known. */
const INCLUDE_FAULTS: ReadonlySet<DiagnosticCode> = new Set([
  'file-not-found',
  'file-outside-project',
  'file-not-text',
  'include-path',
  'include-cycle',
  'root-not-mapping',
  'yaml-syntax',
]);

/** Errors of other workflows that this one does not reach do not count. */
export async function compileWorkflow(
  project: Project,
  name: string,
  options: CompileProjectOptions,
): Promise<CompiledWorkflow> {
  const whole = project.workflow(name);
  const read = project.diagnosticsOf(name);
  const expressionsOf = async (workflow: Workflow) =>
    checkExpressions(workflow, {
      workflows: project.workflows,
      params: Object.keys(options.params),
      sources: project.sources,
      python: await options.python,
      anything: options.called === true || read.some(({ code }) => INCLUDE_FAULTS.has(code)),
    });
  if (whole === undefined) return { diagnostics: read };
  if (hasErrors(read)) {
    const found = options.python === undefined ? [] : await expressionsOf(whole);
    return { diagnostics: sortDiagnostics([...read, ...found]) };
  }
  const { workflow, diagnostics: unmatched } = selectTasks(whole, options);
  if (workflow === undefined) return { diagnostics: [...read, ...unmatched] };
  if (hasOpenCalls(project)) for (const each of project.workflowNames()) project.workflow(each);
  const workflows = new Map([...project.workflows, [name, workflow]]);
  const compileOptions = {
    timezone: options.timezone ?? project.config.timezone,
    task: project.config.task,
    line: lineFinder(project.sources),
    ...present({ target: options.target, limits: options.limits }),
    ...(options.deploy && { deploy: { params: options.params, secrets: project.config.secrets } }),
  };
  const { compiled, diagnostics } = compile(workflow, { workflows, ...compileOptions });
  const expressions = await expressionsOf(workflow);
  const all = sortDiagnostics([...read, ...diagnostics, ...expressions]);
  if (compiled === undefined || hasErrors(all)) return { diagnostics: all };
  const { adapt } = options;
  if (adapt === undefined) return { compiled, workflow, diagnostics: all };
  const adapted = new Map([...workflows].map(([key, each]) => [key, adapt(each)]));
  const again = compile(adapt(workflow), { workflows: adapted, ...compileOptions });
  return { compiled: again.compiled ?? compiled, workflow: adapt(workflow), diagnostics: all };
}

/** `call>: ${x}` may reach any file of the project. */
function hasOpenCalls(project: Project): boolean {
  const calls = (node: Node | undefined): boolean => {
    if (node === undefined) return false;
    const { error, check } = node.directives;
    if (calls(error) || calls(check)) return true;
    if (node.kind === 'group') return node.children.some(calls);
    return callsByExpression(node) || calls(node.body) || calls(node.elseBody);
  };
  return [...project.workflows.values()].some(({ root, sla }) => calls(root) || calls(sla?.body));
}
