import { type CompiledWorkflow, compileWorkflow } from '../../compiler/compile-project.ts';
import type { Checked } from '../../deployed/check.ts';
import { elapsed, plural } from '../../events/text.ts';
import { makeScheduler, SCHEDULE_END } from '../../expression/schedule.ts';
import { formatSessionTime } from '../../expression/session.ts';
import { isExcluded } from '../../language/config/project-config.ts';
import type { Diagnostic } from '../../language/diagnostic.ts';
import { callsByExpression, referencesOf } from '../../language/dig/calls.ts';
import { findProject, findWorkflow, type Place } from '../../language/find-project.ts';
import { loadProject, type Project } from '../../language/project.ts';
import { hasErrors, sortDiagnostics } from '../../language/report.ts';
import { type RequestFault, usageFault } from '../../language/request-fault.ts';
import { exactText } from '../../language/value-form.ts';
import { tasksOf } from '../../language/walk.ts';
import type { Mapping, Node, Workflow } from '../../language/workflow.ts';
import { sessionParams } from '../../local/start/session-params.ts';
import { EXIT } from '../exit-codes.ts';
import { type DiagnosticFormat, printDiagnostics, reportDiagnostics } from '../render/report-diagnostics.ts';
import type { Colors, Terminal } from '../terminal.ts';
import type { AwsFlags } from './aws-access.ts';
import { type CheckedPython, openPython } from './check-python.ts';
import { missingSecrets } from './check-secrets.ts';
import { givenParams, type ParamFlags } from './given-params.ts';
import { secretsCommand } from './secret-items.ts';

export interface CheckFlags extends AwsFlags, ParamFlags {
  readonly aws?: true;
  readonly format: DiagnosticFormat;
}

export async function checkProject(
  terminal: Terminal,
  argument: string | undefined,
  flags: CheckFlags,
): Promise<number> {
  const place = findProject(terminal.cwd, { ...flags, workflow: argument });
  const only = argument === undefined ? undefined : findWorkflow(terminal.cwd, place, argument, flags.project);
  const project = await loadProject(place.folder);
  if (only !== undefined) project.workflow(only);
  const params = await sessionParams(project, await givenParams(terminal.cwd, flags));
  const names = [...project.workflows.keys()];
  if (names.length === 0 && !hasErrors(project.diagnostics)) throw noWorkflows(project, place);
  const deployed = (name: string): boolean => !isExcluded(project.config, name);
  const targetOf = (name: string) => (flags.aws && deployed(name) ? ({ target: 'aws' } as const) : {});
  const opened = openPython(project, terminal.env);
  const python = opened.then((each) => each?.check);
  const isCalled = calledWorkflows(project);
  const compiling = await Promise.all(
    names.map((name) => {
      const called = isCalled(name);
      // In a folder, what it calls is looked for there, when it is called.
      const looks = called && name.includes('/') ? {} : { python };
      return compileWorkflow(project, name, { params, ...targetOf(name), ...looks, called });
    }),
  );
  const checked = await opened;
  const found = sortDiagnostics([
    ...project.diagnostics,
    ...compiling.flatMap((each) => each.diagnostics),
    ...(checked?.diagnostics ?? []),
    ...(checked?.check?.files() ?? []),
    ...(flags.aws ? [] : await missingSecrets(project, terminal.env, (key) => secretsCommand(terminal, flags, key))),
  ]);
  await checked?.close();
  const texts = { sources: withTexts(project.sources, found, checked) };
  const account: Checked = flags.aws
    ? await onAws(
        terminal,
        project,
        compiling.filter((_, index) => deployed(names[index] ?? '')),
        flags,
      ).catch(async (error: unknown) => {
        if (flags.format === 'text') await reportDiagnostics(terminal, texts, place, found);
        throw error;
      })
    : { diagnostics: [], facts: [] };
  const diagnostics = [...found, ...account.diagnostics];
  if (flags.format !== 'text') {
    await printDiagnostics(terminal, texts, place, diagnostics, flags.format);
  } else {
    await reportDiagnostics(terminal, texts, place, diagnostics);
    if (!hasErrors(diagnostics)) {
      const workflows = [...project.workflows.values()].filter(({ name }) => only === undefined || name === only);
      await terminal.stdout.write(renderProject(project, workflows, params, terminal.stdout.colors, Date.now()));
    }
    if (account.facts.length > 0) {
      const lines = account.facts.map((fact) => `  ${fact}\n`).join('');
      await terminal.stdout.write(`\n${terminal.stdout.colors.bold('AWS')}\n${lines}`);
    }
  }
  return hasErrors(diagnostics) ? EXIT.failed : EXIT.ok;
}

/** With the Python files that something is said of. */
function withTexts(
  sources: ReadonlyMap<string, string>,
  diagnostics: readonly Diagnostic[],
  python: CheckedPython | undefined,
): ReadonlyMap<string, string> {
  const all = new Map(sources);
  for (const { span } of diagnostics) {
    const text = span === undefined || all.has(span.file) ? undefined : python?.text(span.file);
    if (span !== undefined && text !== undefined) all.set(span.file, text);
  }
  return all;
}

/** Workflows that others call, and that no schedule starts: they are given what their callers give them. */
function calledWorkflows(project: Project): (name: string) => boolean {
  const called = new Set<string>();
  let anyMayBe = false;
  for (const workflow of project.workflows.values()) {
    for (const task of tasksOf(workflow)) {
      if (callsByExpression(task)) anyMayBe = true;
    }
    for (const { kind, target, task } of referencesOf(workflow)) {
      const given = kind === 'inline' || task.keys.params !== undefined;
      if (given && target !== undefined && target !== workflow.name) called.add(target);
    }
  }
  return (name) => (anyMayBe || called.has(name)) && project.workflows.get(name)?.schedule === undefined;
}

function noWorkflows(project: Project, { folder }: Place): RequestFault {
  const [first] = project.workflowNames();
  return first === undefined
    ? usageFault(`no .dig file in ${folder}`, 'Make a project with: trowel init my_project')
    : usageFault(`no .dig file in ${folder} itself, only in folders below`, `Name one: trowel check ${first}.dig`);
}

/** Loaded only then: clients of five services. */
async function onAws(
  terminal: Terminal,
  project: Project,
  compiling: readonly CompiledWorkflow[],
  flags: CheckFlags,
): Promise<Checked> {
  const { checkOnAws } = await import('./check-account.ts');
  return checkOnAws(terminal, project, compiling, flags);
}

/** `Workflows`, `Schedules` with the next session and when it would run, `Parameters`. */
export function renderProject(
  project: Pick<Project, 'name' | 'config'>,
  workflows: readonly Workflow[],
  params: Mapping,
  colors: Colors,
  now: number,
): string {
  const width = Math.max(0, ...workflows.map(({ name }) => name.length));
  const lines = [`Project ${project.name}, time zone ${project.config.timezone}`, '', colors.bold('Workflows')];
  for (const { name, root, timezone } of workflows) {
    const zone = timezone === undefined ? '' : colors.dim(`  ${timezone}`);
    const here = isExcluded(project.config, name) ? colors.dim('  not deployed') : '';
    lines.push(`  ${name.padEnd(width)}  ${plural(countTasks(root), 'task')}${zone}${here}`);
  }
  const schedules = workflows.flatMap((workflow) =>
    scheduleLine(workflow, width, project.config.timezone, colors, now),
  );
  if (schedules.length > 0) lines.push('', colors.bold('Schedules'), ...schedules);
  lines.push('', colors.bold('Parameters'));
  const keys = Object.keys(params);
  lines.push(
    ...(keys.length === 0 ? [colors.dim('  none')] : keys.map((key) => `  ${key}: ${exactText(params[key] ?? null)}`)),
  );
  return `${lines.join('\n')}\n`;
}

/** Tasks as written in the file: a loop's tasks count once. */
export function countTasks(node: Node | undefined): number {
  if (node === undefined) return 0;
  const { error, check } = node.directives;
  const handlers = countTasks(error) + countTasks(check);
  if (node.kind === 'group') return node.children.reduce((sum, child) => sum + countTasks(child), handlers);
  return 1 + handlers + countTasks(node.body) + countTasks(node.elseBody);
}

function scheduleLine(workflow: Workflow, width: number, zone: string, colors: Colors, now: number): string[] {
  const { name, schedule, timezone = zone } = workflow;
  if (schedule === undefined) return [];
  const scheduler = makeScheduler(schedule, timezone);
  // A faulty text has been reported with its place.
  if (typeof scheduler === 'string') return [];
  const next = scheduler.first(now);
  const when =
    next.time >= SCHEDULE_END
      ? 'has ended'
      : `next session ${formatSessionTime(next.time, timezone)}, runs ${formatSessionTime(next.run, timezone)} (in ${elapsed((next.run - now) / 1000)})`;
  return [`  ${name.padEnd(width)}  ${schedule.kind}>: ${schedule.at}`, colors.dim(`  ${' '.repeat(width)}  ${when}`)];
}
