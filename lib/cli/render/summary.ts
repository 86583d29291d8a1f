/** The end of a run: on failure what failed, why, and what to do now; on success where things are. */
import { plainMessage } from '../../contract/failure.ts';
import type { RunView, TaskFailed } from '../../events/run-view.ts';
import { clean, duration, indent, plural } from '../../events/text.ts';
import type { Colors } from '../terminal.ts';
import { exitText } from './plain.ts';

export interface SummaryOptions {
  readonly colors: Colors;
  /** The command that continues this run, ready to paste; absent if nothing was saved. */
  readonly resume?: string;
  /** A path relative to the user's current folder. */
  readonly showPath: (path: string) => string;
  readonly nameOf: (task: string) => string;
  readonly dryRun?: boolean;
}

/** Failures shown in full; the rest is counted. */
const SHOWN = 5;
/** What Python says of an import in the user's code; for the module of a py> itself the runner adds where it should be. */
const MISSING_PACKAGE = /^No module named '[^']+' \(ModuleNotFoundError\)$/;
const PACKAGE_HINT = 'A package to install? Name it in requirements.txt: the next run installs it.';
/** The head and the tail of an overlong message or traceback say most. */
const LINES = 60;

export function renderSummary(view: RunView, options: SummaryOptions): string {
  const { ended } = view;
  if (ended === undefined) return '';
  const { colors } = options;
  const time = duration(ended.seconds);
  const lines: string[] = [];
  switch (ended.status) {
    case 'succeeded':
      lines.push(
        options.dryRun
          ? `${colors.green('Dry run')} in ${time}: ${plural(view.root.done, 'task')} evaluated, none of them run.`
          : `${colors.green('Success')} in ${time}: ${countTasks(view)}.`,
      );
      break;
    case 'interrupted':
      lines.push(`${colors.yellow('Interrupted')} after ${time}: ${countTasks(view)}.`);
      break;
    case 'failed':
      lines.push(...failureLines(view, options), `${colors.red('Failed')} after ${time}: ${countTasks(view)}.`);
      break;
  }
  if (view.started !== undefined && view.started.directory !== '') {
    lines.push(`  logs and values: ${options.showPath(view.started.directory)}`);
  }
  if (view.started?.link !== undefined) lines.push(`  console: ${view.started.link}`);
  if (ended.status !== 'succeeded' && options.resume !== undefined) {
    lines.push(`  continue where it stopped: ${colors.bold(options.resume)}`);
  }
  return `${lines.join('\n')}\n`;
}

function countTasks({ root, replayed, ended }: RunView): string {
  const parts = [`${plural(root.done, 'task')} done`];
  if (replayed > 0) parts.push(`${replayed} of them kept from an earlier attempt`);
  if (root.failed > 0) parts.push(`${root.failed} ${ended?.status === 'interrupted' ? 'stopped' : 'failed'}`);
  if (root.pending > 0 && ended?.status !== 'succeeded') parts.push(`${root.pending} skipped`);
  return parts.join(', ');
}

function failureLines(view: RunView, options: SummaryOptions): string[] {
  const failures = [...view.failures.values()];
  const traces = new Set<string>();
  const lines = failures.slice(0, SHOWN).flatMap((failure) => [...oneFailure(failure, view, traces, options), '']);
  if (failures.length > SHOWN) lines.push(`… and ${failures.length - SHOWN} more failed tasks`, '');
  const { message } = view.ended ?? {};
  if (failures.length === 0 && message !== undefined && message !== '') {
    lines.push(options.colors.red(cut(clean(plainMessage(message)))), '');
  }
  return ['', ...lines];
}

/** @param traces those that were shown: of a task and of the dynamic task in it that failed it is the same */
function oneFailure(
  failure: TaskFailed,
  view: RunView,
  traces: Set<string>,
  { colors, showPath, nameOf }: SummaryOptions,
): string[] {
  const trace = clean(failure.stacktrace ?? '').trimEnd();
  const message = clean(plainMessage(failure.message));
  const at = view.places.get(failure.task);
  const where = at === undefined ? '' : ` (${at})`;
  const lines = [
    `${colors.red(colors.bold(nameOf(failure.task)))} failed after ${duration(failure.seconds)}${exitText(failure)}${where}`,
  ];
  lines.push(indent(cut(message === '' ? failure.error : message), '  '));
  // Without frames it is the message again; one traceback a failure is enough, and the task's output may have it.
  const shown = traces.has(trace) || [...view.traced].some((task) => task.startsWith(failure.task));
  if (trace.includes('\n') && !shown) lines.push(colors.dim(indent(cut(trace), '  ')));
  traces.add(trace);
  if (MISSING_PACKAGE.test(message)) lines.push(`  ${PACKAGE_HINT}`);
  if (failure.log !== undefined) lines.push(`  log: ${showPath(failure.log)}`);
  return lines;
}

function cut(text: string): string {
  const lines = text.split('\n');
  if (lines.length <= LINES) return text;
  const half = LINES / 2;
  return [...lines.slice(0, half), `… ${lines.length - LINES} lines left out`, ...lines.slice(-half)].join('\n');
}
