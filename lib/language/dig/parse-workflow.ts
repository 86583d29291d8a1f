/**
 * lib/language: .dig text → Workflow, and every fault of a project as diagnostics. Nothing here runs, evaluates or throws for what
 * a user wrote. `parseWorkflow` is pure; `loadProject` (project.ts) brings the files.
 */
import { present } from '../../asl/present.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { operatorSpec } from '../operators.ts';
import { Report, sortDiagnostics } from '../report.ts';
import { didYouMean } from '../suggest.ts';
import { isWellWritten, zoneHint, zoneOf } from '../timezone.ts';
import type { Value, Workflow } from '../workflow.ts';
import { Includer, type ReadFile } from '../yaml/include.ts';
import { type Entry, entryOf, INCLUDE_KEY, type MapTree, show, type Tree, toValue, treeOfValue } from '../yaml/tree.ts';
import { readTree } from '../yaml/yaml.ts';
import { workflowNameFault } from './names.ts';
import { readRoot } from './node.ts';
import { readSchedule } from './schedule.ts';
import { readSla } from './sla.ts';

export const TOP_KEYS = ['timezone', 'schedule', 'sla', '_export', '_env', '_error', '_check', '_retry', '_parallel'];

export interface ParsedWorkflow {
  /** Absent if the text is no mapping. If there are errors, it holds only the parts that could be read. */
  readonly workflow?: Workflow;
  readonly diagnostics: readonly Diagnostic[];
  /** Included files, relative to the project. */
  readonly includes: readonly string[];
}

/**
 * A workflow from the text of its file. `name` is the file's path without `.dig`, `file` the path itself, both relative to the project;
 * `readFile` gives the text of what it includes.
 */
export function parseWorkflow(name: string, file: string, text: string, readFile: ReadFile = noFiles): ParsedWorkflow {
  const report = new Report();
  const tree = readTree(file, text, report);
  return tree ? workflowOf(name, file, tree, readFile, report) : { diagnostics: report.diagnostics, includes: [] };
}

/** A workflow that arrives as JSON (an answer to http_call>). Its numbers keep JSON's types. */
export function workflowFromValue(name: string, file: string, value: Value): ParsedWorkflow {
  return workflowOf(name, file, treeOfValue(value, { file, start: 0, end: 0 }), noFiles, new Report());
}

const noFiles: ReadFile = () => ({ fault: 'missing' });

function workflowOf(name: string, file: string, tree: Tree, readFile: ReadFile, report: Report): ParsedWorkflow {
  if (tree.kind !== 'map') {
    reportRoot(tree, file, report);
    return { diagnostics: report.diagnostics, includes: [] };
  }
  const includer = new Includer(readFile, report);
  const map = includer.expand(tree, file);
  checkWorkflowName(name, file, report);
  checkTopKeys(map, report);
  const root = readRoot(`+${name}`, map, report);
  const timezone = entryOf(map, 'timezone');
  const schedule = entryOf(map, 'schedule');
  const sla = entryOf(map, 'sla');
  const zone = timezone && readTimezone(timezone, report);
  const readableSchedule = schedule && readSchedule(schedule, report);
  const readableSla = sla && readSla(sla, report);
  const workflow: Workflow = {
    name,
    file,
    ...present({ timezone: zone, schedule: readableSchedule, sla: readableSla }),
    root,
  };
  return { workflow, diagnostics: sortDiagnostics(report.diagnostics), includes: includer.files };
}

function reportRoot(tree: Tree, file: string, report: Report): void {
  const value = toValue(tree);
  const span = tree.span.end > tree.span.start ? tree.span : { file, start: 0, end: 0 };
  report.error(
    'root-not-mapping',
    span,
    value === null ? 'The file is empty: it has no tasks' : `A workflow is a mapping of +tasks, not ${show(value)}`,
    'For example `+hello:` and below it `  echo>: hello`.',
  );
}

function checkWorkflowName(name: string, file: string, report: Report): void {
  const base = name.slice(name.lastIndexOf('/') + 1);
  const fault = workflowNameFault(base);
  if (fault)
    report.error(
      'workflow-name',
      { file, start: 0, end: 0 },
      `'${base}' cannot be the name of a workflow: ${fault}`,
      'Rename the file.',
    );
}

function checkTopKeys(map: MapTree, report: Report): void {
  for (const [index, { key, keySpan }] of map.entries.entries()) {
    if (key.startsWith('+') || TOP_KEYS.includes(key) || key === INCLUDE_KEY) continue;
    const before = map.entries[index - 1];
    // `+a:` and an operator in the same column: node.ts says so at the empty task.
    if (before?.key.startsWith('+') && toValue(before.value) === null) continue;
    const operator = key.endsWith('>') || operatorSpec(key) !== undefined;
    report.error(
      'unknown-top-key',
      keySpan,
      operator ? `The operator ${key} is at the top of the file` : `The top of a workflow has no key '${key}'`,
      operator
        ? `Put it into a task: \`+main:\` and below it \`  ${key.endsWith('>') ? key : `${key}>`}: …\`.`
        : (didYouMean(key, TOP_KEYS) ?? noteOn(key)),
    );
  }
}

function noteOn(key: string): string {
  if (key === '_disable' || key === '_background' || key === '_after' || key === '_secrets' || key === '_timeout') {
    return `\`${key}\` belongs on a task or a group.`;
  }
  return 'Parameters go under `_export:`; the name of a task begins with +.';
}

function readTimezone({ value }: Entry, report: Report): string | undefined {
  const text = toValue(value);
  const zone = typeof text === 'string' ? zoneOf(text) : undefined;
  if (zone === undefined) {
    report.error(
      'bad-timezone',
      value.span,
      `Expected a time zone for key 'timezone' but got ${show(text)}`,
      zoneHint(String(text)),
    );
  } else if (!isWellWritten(String(text))) {
    report.warning('bad-timezone', value.span, `The time zone ${show(text)} is written '${zone}'`);
  }
  return zone;
}
