import { resolve } from 'node:path';
import { findProject, withoutEnding } from '../../language/find-project.ts';
import type { AttemptInfo } from '../../local/history/attempt-info.ts';
import { listAttempts } from '../../local/history/attempts.ts';
import { EXIT } from '../exit-codes.ts';
import { COURSE, courseCells } from '../render/course.ts';
import { table } from '../render/table.ts';
import type { Colors, Terminal } from '../terminal.ts';
import type { AwsFlags } from './aws-access.ts';

export interface SessionsFlags extends AwsFlags {
  readonly aws?: true;
  readonly limit: number;
  readonly save: string;
  readonly json?: true;
}

export async function listSessions(
  terminal: Terminal,
  workflow: string | undefined,
  flags: SessionsFlags,
): Promise<number> {
  const folder = resolve(findProject(terminal.cwd, flags).folder, flags.save);
  const wanted = workflow === undefined ? undefined : withoutEnding(workflow);
  const attempts = listAttempts(folder).filter((each) => wanted === undefined || each.workflow === wanted);
  const { stdout } = terminal;
  if (flags.json) {
    // Parameters may be long and are no business of a list.
    for (const { params: _, ...attempt } of attempts) await stdout.write(`${JSON.stringify(attempt)}\n`);
  } else if (attempts.length === 0) {
    await terminal.stderr.write(`No attempt is recorded in ${folder}\n`);
  } else {
    await stdout.write(renderAttempts(attempts, stdout.colors));
  }
  return EXIT.ok;
}

function renderAttempts(attempts: readonly AttemptInfo[], colors: Colors): string {
  const rows = attempts.map((each) => [
    String(each.attempt),
    String(each.session),
    each.workflow,
    each.session_time,
    ...courseCells(each),
  ]);
  return table(['ATTEMPT', 'SESSION', 'WORKFLOW', 'SESSION TIME', ...COURSE], rows, colors);
}
