/** A run as lines for a file, a pipe or a CI log: no times of day, no escape sequences but colour, one line an event. */

import type { Report } from '../../contract/report.ts';
import type { RunEvent } from '../../events/run-event.ts';
import { clean, duration, headline } from '../../events/text.ts';
import { isInstant } from '../../language/operators.ts';
import type { Colors } from '../terminal.ts';

export interface PlainOptions {
  /** How a task is named; by default in full. */
  readonly nameOf?: (task: string) => string;
  readonly sessionNote?: string | undefined;
}

/** The line for standard error, without its end; undefined for events that have none (output goes to standard output). */
export function plainLine(event: RunEvent, colors: Colors, options: PlainOptions = {}): string | undefined {
  const { nameOf = (task: string) => task, sessionNote } = options;
  switch (event.type) {
    case 'run-started':
      return runHeader(event, colors, sessionNote);
    case 'notice':
      return `${colors.yellow('notice')}  ${clean(event.message)}`;
    case 'task-started':
      return (event.operator === '' || isInstant(event.operator)) && event.try === 1
        ? undefined
        : `${colors.cyan('start')}   ${nameOf(event.task)}  ${colors.dim(`${event.operator}>${event.try > 1 ? `  try ${event.try}` : ''}`)}`;
    case 'task-report':
      return `${LEVELS[event.level](colors)('report')}  ${nameOf(event.task)}  ${reportText(event)}`;
    case 'task-retrying':
      return `${colors.yellow('retry')}   ${nameOf(event.task)}  in ${duration(event.seconds)}: ${headline(event.message)}`;
    case 'task-succeeded':
      return event.replayed
        ? `${colors.green('kept')}    ${nameOf(event.task)}`
        : `${colors.green('ok')}      ${nameOf(event.task)}  ${colors.dim(duration(event.seconds))}`;
    case 'task-failed':
      return `${colors.red('failed')}  ${nameOf(event.task)}  ${colors.dim(duration(event.seconds))}${exitText(event)}: ${headline(event.message)}`;
    case 'task-output':
    case 'run-ended':
      return undefined;
  }
}

const LEVELS: { readonly [level in Report['level']]: (colors: Colors) => (text: string) => string } = {
  info: ({ cyan }) => cyan,
  warning: ({ yellow }) => yellow,
  error: ({ red }) => red,
};

/** Characters of a report's data on its line; `--json` and the history have all of it. */
const LONGEST_DATA = 300;

/** `asset: {"key":"sales"}`, `check (warning): late` */
function reportText({ kind, level, data, cut }: Report): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  const line = clean(text).replaceAll(/\s*\n\s*/g, ' ');
  const shown = line.length > LONGEST_DATA || cut !== undefined ? `${line.slice(0, LONGEST_DATA)} …` : line;
  return `${clean(kind)}${level === 'info' ? '' : ` (${level})`}: ${shown}`;
}

/** Of a failure that has an exit code. */
export function exitText({ exit }: { readonly exit?: number }): string {
  return exit === undefined ? '' : `, exit code ${exit}`;
}

/** `main  session 2030-01-01T00:00:00+00:00  attempt 3, continues 2` */
export function runHeader(
  event: Extract<RunEvent, { type: 'run-started' }>,
  colors: Colors,
  sessionNote?: string,
): string {
  const { execution, resumes_execution, resumes = resumes_execution } = event;
  const which = execution === undefined ? `attempt ${event.attempt}` : `execution ${execution}`;
  const continues = resumes === undefined ? '' : `, continues ${resumes}`;
  const note = sessionNote === undefined ? '' : `  ${colors.yellow(sessionNote)}`;
  return `${colors.bold(event.workflow)}  ${colors.dim(`session ${event.session_time}  ${which}${continues}`)}${note}`;
}
