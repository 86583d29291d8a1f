import { createHash } from 'node:crypto';

/** Bytes; a file's name may have 255, and a suffix is added. */
const LONGEST = 180;

/**
 * A task's name as the name of a file or of part of an S3 key: readable, at most 180 bytes, the same for the same name. `/`
 * (workflows in sub-folders) and whatever shells and file systems dislike are percent-encoded; long names end in a hash.
 */
export function fileName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_.+^=@,&%-]/gu, (c) => encodeURIComponent(c).replace(/[*'()!~[\]{}`]/g, hex));
  if (safe.length <= LONGEST) return safe === '.' || safe === '..' ? `%${safe}` : safe;
  return `${safe.slice(0, LONGEST - 17)}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

/** The id of the job that a task token asks for, and of the container started for it. The same token gives the same id. */
export function jobId(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 32);
}

/**
 * Where the result of a task is recorded, below the attempt's root: `results/+main+load.0.json`, `….1-2.json` in retried groups. All are in
 * one folder: making a folder for each took longer than a small task.
 */
export function resultPath(task: string, tries: readonly number[] = []): string {
  return `results/${fileName(task)}.${tries.length === 0 ? '0' : tries.join('-')}.json`;
}

/** The same of what a try reports, deployed: the beginning of the names of its parts. `retries`: of the state. */
export function reportsPath(task: string, tries: readonly number[] = [], retries = 0): string {
  return resultPath(task, [...(tries.length === 0 ? [0] : tries), retries]).replace(/json$/, 'reports');
}

/** The object with a part of the reports, one JSON text a line. Parts count from 1; only the last one grows. */
export function reportsPart(reports: string, part: number): string {
  return `${reports}.${part}.jsonl`;
}

/** The folder of an execution's attempt, deployed, below `attempts/`: what a workflow's role may reach begins with its own. */
export function attemptPath(workflow: string, execution: string): string {
  return `${fileName(workflow)}/${execution}`;
}

function hex(c: string): string {
  return `%${c.charCodeAt(0).toString(16).toUpperCase()}`;
}
