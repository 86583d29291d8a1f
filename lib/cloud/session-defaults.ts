/** What the first state of a deployed machine passes to `session`: `params:` of trowel.yml, under those of the input, and the role of tasks. */
import { isMapping } from '../asl/json.ts';
import type { Json, StateMachine } from '../asl/types.ts';
import { TASK_ROLE } from '../compiler/definition-text.ts';
import { literal } from '../compiler/jsonata.ts';
import { merged } from '../contract/stores.ts';
import { ProjectFiles } from '../language/config/project-files.ts';
import type { Diagnostic } from '../language/diagnostic.ts';
import { Report } from '../language/report.ts';
import type { Mapping } from '../language/workflow.ts';
import { reportFileFault } from '../language/yaml/include.ts';
import { toValue } from '../language/yaml/tree.ts';
import { readTree } from '../language/yaml/yaml.ts';

/** The files' mappings, later ones over earlier. */
export function readParameters(
  dir: string,
  paths: readonly string[],
): { readonly params: Mapping; readonly diagnostics: readonly Diagnostic[] } {
  const files = new ProjectFiles(dir);
  const report = new Report();
  let params: Mapping = {};
  for (const path of paths) {
    const read = files.read(path);
    if ('fault' in read) {
      reportFileFault(read.fault, path, undefined, report);
      continue;
    }
    const tree = readTree(path, read.text, report);
    const value = tree ? toValue(tree) : null;
    if (isMapping(value)) params = merged(params, value);
    else if (value !== null) report.error('param-value', tree?.span, `The file ${path} is not a mapping`);
  }
  return { params, diagnostics: report.diagnostics };
}

/** The machine, whose first state gives `session` these parameters to put under those of the input. */
export function withParameters(machine: StateMachine, params: Mapping): StateMachine {
  if (Object.keys(params).length === 0) return machine;
  return withPayload(machine, { defaults: literal(params as Json) as Mapping });
}

/** The machine, whose first state passes the role of the workflow's tasks to `session`; its answer reaches every place where a task is started. */
export function withTaskRole(machine: StateMachine): StateMachine {
  return withPayload(machine, { taskRole: TASK_ROLE });
}

function withPayload(machine: StateMachine, more: Mapping): StateMachine {
  const start = machine.States[machine.StartAt];
  const given = start?.Type === 'Task' ? (start.Arguments as Mapping | undefined) : undefined;
  const payload = given?.Payload as Mapping | undefined;
  if (start === undefined || payload?.input === undefined) return machine;
  const changed = { ...start, Arguments: { ...given, Payload: { ...payload, ...more } } };
  return { ...machine, States: { ...machine.States, [machine.StartAt]: changed as typeof start } };
}
