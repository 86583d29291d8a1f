/** The attempts of a project, as their folders say. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../../host/process-state.ts';
import { isOurs } from './attempt.ts';
import { metaFile, secretsFile } from './attempt-files.ts';
import type { AttemptInfo, AttemptMeta } from './attempt-info.ts';
import { type Fields, hasFields } from './fields.ts';

const META: Fields = {
  attempt: 'number',
  session: 'number',
  workflow: 'string',
  session_time: 'string',
  params: 'object',
  started: 'string',
  pid: 'number',
};

/** Attempts by number; one whose meta.json cannot be read is left out. */
export function listAttempts(folder: string): AttemptInfo[] {
  const attempts = join(folder, 'attempts');
  return attemptNumbers(attempts).flatMap((id) => readAttempt(join(attempts, String(id))) ?? []);
}

export function readAttempt(directory: string): AttemptInfo | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(metaFile(directory), 'utf8'));
    if (!hasFields<AttemptMeta>(found, META)) return undefined;
    const { status, pid, process: began, ...meta } = found;
    return { ...meta, status: status ?? (isStillRunning(directory, pid, began) ? 'running' : 'killed'), directory };
  } catch {
    return undefined;
  }
}

/**
 * The attempt that `--resume` continues: the last of the workflow (and session) if it neither succeeded nor is still running.
 */
export function lastUnsuccessful(folder: string, workflow: string, sessionTime?: string): AttemptInfo | undefined {
  const last = listAttempts(folder)
    .filter((one) => one.workflow === workflow && (sessionTime === undefined || one.session_time === sessionTime))
    .at(-1);
  return last === undefined || last.status === 'succeeded' || last.status === 'running' ? undefined : last;
}

/** Folders of an attempt and of those it resumed, nearest first: where results may lie. */
export function resumeChain(folder: string, attempt: AttemptInfo): string[] {
  const chain: string[] = [];
  for (let one: AttemptInfo | undefined = attempt; one !== undefined && !chain.includes(one.directory); ) {
    chain.push(one.directory);
    one = one.resumes === undefined ? undefined : readAttempt(join(folder, 'attempts', String(one.resumes)));
  }
  return chain;
}

/** Keys of the secrets that an attempt has read. */
export function secretsUsed(directory: string): string[] {
  try {
    const lines = readFileSync(secretsFile(directory), 'utf8').split('\n');
    return lines.flatMap((line) => (line.endsWith('"') ? [String(JSON.parse(line))] : []));
  } catch {
    return [];
  }
}

export function attemptNumbers(attempts: string): number[] {
  if (!existsSync(attempts)) return [];
  const ids = readdirSync(attempts).filter((name) => /^[1-9]\d*$/.test(name));
  return ids.map(Number).sort((a, b) => a - b);
}

function isStillRunning(directory: string, pid: number, began: string | undefined): boolean {
  // In a container every run may have the same process id, or one that something else has now.
  return pid === process.pid ? isOurs(directory) : isRunning(pid, began);
}
