import type { Diagnostic, Span } from './diagnostic.ts';
import { cpuOf, memoryOf, misfit, nearSize, type TaskSize, WANTED } from './fargate-sizes.ts';
import { kindOf } from './operators.ts';
import { Report } from './report.ts';
import type { Mapping, Node, Task, Value, Workflow } from './workflow.ts';
import { hasTemplate } from './yaml/scalar.ts';
import { show } from './yaml/tree.ts';

type Key = keyof TaskSize;
const KEYS: readonly Key[] = ['cpu', 'memory'];

/** A value of `resources`, and where it is written: by the task itself (`own`), or in an `_export` above it. */
interface Written {
  readonly value: Value;
  readonly span: Span | undefined;
  readonly own: boolean;
}

/** `resources` as a task sees them; `open`: an expression gives the values that are not written. */
interface Resources {
  cpu?: Written;
  memory?: Written;
  open?: boolean;
}

/**
 * Checks the size of each container as far as the file and the project's defaults give it. A value from an expression, a caller or a
 * parameter is known only to the function `launch`, which checks it with the same table.
 */
export function checkSizes(workflow: Workflow, project: TaskSize): readonly Diagnostic[] {
  const report = new Report();
  for (const top of [workflow.root, workflow.sla?.body]) if (top) checkNode(top, {}, project, report);
  return report.diagnostics;
}

function checkNode(node: Node, above: Resources, project: TaskSize, report: Report): void {
  const { export: exported, error, check } = node.directives;
  const here = within(above, exported, node, '_export.resources');
  if (node.kind === 'task' && kindOf(node.operator) === 'container') checkTask(node, here, project, report);
  const below = node.kind === 'group' ? node.children : [node.body, node.elseBody];
  for (const child of [...below, error, check]) if (child) checkNode(child, here, project, report);
}

function checkTask(task: Task, above: Resources, project: TaskSize, report: Report): void {
  const resources = within(above, task.keys, task, 'resources');
  // A fault in the task's own values is reported where its options are checked (option-check.ts).
  const faulty = KEYS.filter((key) => resources[key] !== undefined && sizeOf(key, resources[key].value) === undefined);
  for (const key of faulty) {
    const written = resources[key];
    if (written?.own === false && !hasTemplate(written.value)) reportValue(key, written, report);
  }
  if (faulty.length === 0) checkPair(resources, project, report);
}

function reportValue(key: Key, { value, span }: Written, report: Report): void {
  const message = `\`resources.${key}\` wants ${WANTED[key]}, not ${show(value)}`;
  report.error('bad-option', span, message, nearSize(key, value));
}

function checkPair({ cpu, memory, open }: Resources, project: TaskSize, report: Report): void {
  const { span } = (memory?.own === false && cpu?.own ? cpu : (memory ?? cpu)) ?? {};
  if (!(cpu && memory) && (open || !(cpu || memory))) return;
  const fault = misfit({
    cpu: (cpu && sizeOf('cpu', cpu.value)) ?? project.cpu,
    memory: (memory && sizeOf('memory', memory.value)) ?? project.memory,
  });
  if (fault === undefined) return;
  if (cpu && memory) report.error('bad-option', span, fault.message, fault.hint);
  else {
    const missing = cpu ? 'memory' : 'cpu';
    const note = `Write \`resources.${missing}\` too: without it, the project's \`task.${missing}\` counts.`;
    report.warning('bad-option', span, fault.message, fault.hint, note);
  }
}

function sizeOf(key: Key, value: Value): number | undefined {
  return key === 'cpu' ? cpuOf(value) : memoryOf(value);
}

/** Puts `resources` of `mapping` over those above: mappings are merged, any other value replaces. */
function within(above: Resources, mapping: Mapping | undefined, node: Node, path: string): Resources {
  const value = mapping?.resources;
  if (value === undefined) return above;
  if (hasTemplate(value)) return { open: true };
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {};
  const merged: Resources = { ...above };
  for (const key of KEYS) {
    const given = value[key];
    if (given === null) delete merged[key];
    else if (given !== undefined) {
      const span = node.spans?.[`${path}.${key}`];
      merged[key] = { value: given, span, own: path === 'resources' };
    }
  }
  return merged;
}
