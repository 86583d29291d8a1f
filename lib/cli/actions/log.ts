import { resolve } from 'node:path';
import type { RunEvent } from '../../events/run-event.ts';
import { findProject } from '../../language/find-project.ts';
import { usageFault } from '../../language/request-fault.ts';
import type { AttemptInfo } from '../../local/history/attempt-info.ts';
import { listAttempts } from '../../local/history/attempts.ts';
import { readEvents } from '../../local/history/events.ts';
import { watchAttempt } from '../../local/history/watch-attempt.ts';
import { EXIT } from '../exit-codes.ts';
import { readRun } from '../render/run.ts';
import type { Terminal } from '../terminal.ts';
import type { AwsFlags } from './aws-access.ts';

export interface LogFlags extends AwsFlags {
  readonly aws?: true;
  readonly follow?: true;
  readonly save: string;
}

/** The events of an attempt, shown as `trowel run` shows them where there is no terminal: output apart from progress. */
export async function showLog(
  terminal: Terminal,
  number: string | undefined,
  pattern: string | undefined,
  flags: LogFlags,
): Promise<number> {
  const folder = resolve(findProject(terminal.cwd, flags).folder, flags.save);
  const info = chooseAttempt(folder, number);
  const events = flags.follow ? watchAttempt(info.directory) : readEvents(info.directory);
  return showEvents(terminal, events, pattern, `attempt ${info.attempt}`);
}

/** @param whose events they are, for the message where no task matches the pattern */
export async function showEvents(
  terminal: Terminal,
  events: AsyncIterable<RunEvent>,
  pattern: string | undefined,
  whose: string,
): Promise<number> {
  const reader = readRun('plain', terminal, { showPath: (path) => path });
  let matched = false;
  for await (const event of events) {
    if ('task' in event && pattern !== undefined) {
      if (!matchesTask(event.task, pattern)) continue;
      matched = true;
    }
    await reader.handle(event);
    if (terminal.stdout.closed) return EXIT.ok;
  }
  if (pattern !== undefined && !matched) throw usageFault(`no task of ${whose} is named ${pattern}`);
  await reader.finish();
  return EXIT.ok;
}

/** A task whose name ends with the pattern, and what is generated below such a one. */
export function matchesTask(task: string, pattern: string): boolean {
  for (let at = task.indexOf(pattern); at !== -1; at = task.indexOf(pattern, at + 1)) {
    const after = task[at + pattern.length];
    if (after === undefined || after === '+' || after === '^') return true;
  }
  return false;
}

function chooseAttempt(folder: string, number: string | undefined): AttemptInfo {
  const attempts = listAttempts(folder);
  const chosen = number === undefined ? attempts.at(-1) : attempts.find((each) => String(each.attempt) === number);
  if (chosen !== undefined) return chosen;
  if (number === undefined)
    throw usageFault(`no attempt is recorded in ${folder}`, 'Run a workflow first: trowel run main.dig');
  throw usageFault(`there is no attempt ${number} in ${folder}`, 'trowel sessions lists them');
}
