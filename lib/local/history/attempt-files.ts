/**
 * What remains of a run: one folder for each attempt, `.trowel/attempts/ID/` with
 * - `meta.json`: what was run (workflow, session, parameters), and how it ended; without an end it was killed;
 * - `events.jsonl`: its RunEvents, one per line, on disk before the run continues. Output of tasks is a pointer into a log;
 * - `secrets.jsonl`: keys of the secrets that it has read, one JSON text per line;
 * - `logs/<task>.log`, `results/`, `values/`, `definition.json` (the machine that ran).
 * Reading tolerates a torn last line.
 */
import { join } from 'node:path';
import { fileName } from '../../contract/names.ts';

/** Permissions: for its owner only. */
export const FILE = 0o600;
export const FOLDER = 0o700;

export const metaFile = (attempt: string): string => join(attempt, 'meta.json');
export const eventsFile = (attempt: string): string => join(attempt, 'events.jsonl');
export const secretsFile = (attempt: string): string => join(attempt, 'secrets.jsonl');
export const definitionFile = (attempt: string): string => join(attempt, 'definition.json');
export const logFolder = (attempt: string): string => join(attempt, 'logs');
export const logFile = (attempt: string, task: string): string => join(logFolder(attempt), `${fileName(task)}.log`);

/** A task-output event as it is in events.jsonl: its text is in the task's log. */
export interface OutputPointer {
  readonly type: 'task-output';
  readonly time: string;
  readonly task: string;
  readonly at: number;
  readonly bytes: number;
}
