import { present } from '../../asl/present.ts';
import type { Compiled } from '../../compiler/compile.ts';
import { type CompiledWorkflow, type CompileProjectOptions, compileWorkflow } from '../../compiler/compile-project.ts';
import { findProject, findWorkflow } from '../../language/find-project.ts';
import { loadProject, type Project } from '../../language/project.ts';
import type { Mapping, Workflow } from '../../language/workflow.ts';
import { withoutFailures } from '../dry-run.ts';
import { taskName, withoutOthers } from './from-last.ts';
import type { RunRequest } from './run-request.ts';
import { sessionParams } from './session-params.ts';

/** A request with the files that it names. */
export interface AskedRun {
  readonly project: Project;
  /** Full name of the workflow, e.g. `main`. */
  readonly name: string;
  readonly params: Mapping;
  /** Of workflows that name none. */
  readonly timezone: string;
  /** With `fromLast`: full name of the one task. */
  readonly only: string | undefined;
  readonly compiling: CompiledWorkflow;
  /** Another workflow of the project, which require> names; undefined if it has errors or there is none. */
  readonly required: (workflow: string) => Promise<Compiled | undefined>;
}

/** Faults in the files are diagnostics. Throws a RequestFault if there are no such files. */
export async function readRequest(request: RunRequest): Promise<AskedRun> {
  const place = findProject(request.folder, request);
  const name = findWorkflow(request.folder, place, request.workflow, request.project);
  const project = await loadProject(place.folder, { workflows: [name] });
  const params = await sessionParams(project, request.params);
  const timezone = request.timezone ?? project.config.timezone;
  const only = onlyTask(project.workflow(name), request);
  const options: CompileProjectOptions = {
    timezone,
    params,
    limits: 'warning',
    ...present({ adapt: request.dryRun ? withoutFailures : undefined }),
  };
  const compiling = await compileWorkflow(project, name, {
    ...options,
    ...(only === undefined ? selectionOf(request) : { goal: only, adapt: quietly(name, only) }),
  });
  const required = async (other: string) => (await compileWorkflow(project, other, options)).compiled;
  return { project, name, params, timezone, only, compiling, required };
}

function onlyTask(workflow: Workflow | undefined, { fromLast, task }: RunRequest): string | undefined {
  return fromLast && task !== undefined && workflow !== undefined ? taskName(workflow, task) : undefined;
}

function quietly(name: string, only: string): (workflow: Workflow) => Workflow {
  return (workflow) => (workflow.name === name ? withoutOthers(workflow, only) : workflow);
}

function selectionOf({ task, start, goal, end }: RunRequest) {
  return present({ only: task, start, goal, end });
}
