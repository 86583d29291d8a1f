/** A run as lines for a file, a pipe or a CI log: no times of day, no escape sequences but colour, one line an event. */
import type { RunEvent } from '../local/run-event.ts';
import type { Colors } from './terminal.ts';
import { clean, duration, headline } from './text.ts';

/** Operators that end as soon as they start: their start is not worth a line. */
const INSTANT = new Set(['echo', 'fail', 'if', 'loop', 'for_each', 'for_range', 'call', '']);

/** The line for standard error, without its end; undefined for events that have none (output goes to standard output). */
export function plainLine(event: RunEvent, colors: Colors): string | undefined {
  switch (event.type) {
    case 'run-started':
      return runHeader(event, colors);
    case 'notice':
      return `${colors.yellow('notice')}  ${clean(event.message)}`;
    case 'task-started':
      return INSTANT.has(event.operator) && event.try === 1
        ? undefined
        : `${colors.cyan('start')}   ${event.task}  ${colors.dim(`${event.operator}>${event.try > 1 ? `  try ${event.try}` : ''}`)}`;
    case 'task-retrying':
      return `${colors.yellow('retry')}   ${event.task}  in ${duration(event.seconds)}: ${headline(event.message)}`;
    case 'task-succeeded':
      return event.replayed
        ? `${colors.green('kept')}    ${event.task}`
        : `${colors.green('ok')}      ${event.task}  ${colors.dim(duration(event.seconds))}`;
    case 'task-failed':
      return `${colors.red('failed')}  ${event.task}  ${colors.dim(duration(event.seconds))}: ${headline(event.message)}`;
    case 'task-output':
    case 'run-ended':
      return undefined;
  }
}

/** `main  session 2030-01-01T00:00:00+00:00  attempt 3, continues 2` */
export function runHeader(event: Extract<RunEvent, { type: 'run-started' }>, colors: Colors): string {
  const { execution, resumes_execution, resumes = resumes_execution } = event;
  const which = execution === undefined ? `attempt ${event.attempt}` : `execution ${execution}`;
  const continues = resumes === undefined ? '' : `, continues ${resumes}`;
  return `${colors.bold(event.workflow)}  ${colors.dim(`session ${event.session_time}  ${which}${continues}`)}`;
}
