import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { present } from '../../asl/present.ts';
import { beginningOf } from '../../host/process-state.ts';
import { Attempt } from './attempt.ts';
import { FILE, FOLDER } from './attempt-files.ts';
import type { NewAttempt } from './attempt-info.ts';
import { attemptNumbers, readAttempt } from './attempts.ts';
import { HistoryError } from './history-error.ts';

/** Permissions. */
const OWNER = 0o700;
const OTHERS = 0o077;

/**
 * Makes the folder of a new attempt. Attempts count from 1; so do sessions: one is a workflow and a session time.
 * @param folder `.trowel` of a project, or another that the user names
 * @throws HistoryError
 */
export function createAttempt(folder: string, run: NewAttempt): Attempt {
  try {
    return makeAttempt(folder, run);
  } catch (error) {
    throw new HistoryError(folder, error);
  }
}

function makeAttempt(folder: string, run: NewAttempt): Attempt {
  const attempts = join(folder, 'attempts');
  mkdirSync(attempts, { recursive: true, mode: FOLDER });
  // What tasks have stored is whole in there, secrets included. Earlier versions let everybody read it.
  if ((statSync(attempts).mode & OTHERS) !== 0) makePrivate(attempts);
  if (basename(folder) === '.trowel') chmodSync(folder, FOLDER);
  const ignore = join(folder, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n', { mode: FILE });
  let id = (attemptNumbers(attempts).at(-1) ?? 0) + 1;
  // Two runs at once: only one makes the folder.
  while (!made(join(attempts, String(id)))) id += 1;
  const session = sessionOf(attempts, run);
  const began = beginningOf(process.pid);
  const meta = {
    ...run,
    attempt: id,
    session,
    started: new Date().toISOString(),
    pid: process.pid,
    ...present({ process: began }),
  };
  return new Attempt(join(attempts, String(id)), meta);
}

function sessionOf(attempts: string, run: NewAttempt): number {
  let last = 0;
  // Newest first: mostly the session is that of the attempt before.
  for (const id of attemptNumbers(attempts).reverse()) {
    const one = readAttempt(join(attempts, String(id)));
    if (one?.workflow === run.workflow && one.session_time === run.session_time) return one.session;
    last = Math.max(last, one?.session ?? 0);
  }
  return last + 1;
}

function made(path: string): boolean {
  try {
    mkdirSync(path, { mode: FOLDER });
    // A task in a container may be another user, whose folders this one could not enter.
    for (const name of ['results', 'values']) mkdirSync(join(path, name), { mode: FOLDER });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Everything below a folder for its owner only. What belongs to somebody else stays as it is: it is out of reach within. */
function makePrivate(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    try {
      if (entry.isDirectory()) makePrivate(path);
      else if (entry.isFile()) chmodSync(path, statSync(path).mode & OWNER);
    } catch {}
  }
  chmodSync(folder, FOLDER);
}
