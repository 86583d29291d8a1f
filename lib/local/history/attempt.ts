import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { present } from '../../asl/present.ts';
import type { RunEvent, RunStatus } from '../../events/run-event.ts';
import {
  definitionFile,
  eventsFile,
  FILE,
  FOLDER,
  logFile,
  logFolder,
  metaFile,
  type OutputPointer,
  secretsFile,
} from './attempt-files.ts';
import type { AttemptMeta } from './attempt-info.ts';

/** Folders of the attempts that this process makes. */
const ours = new Set<string>();

/** Whether this process makes the attempt now. */
export function isOurs(directory: string): boolean {
  return ours.has(directory);
}

/** An attempt that is being made. */
export class Attempt {
  readonly directory: string;
  readonly meta: AttemptMeta;
  readonly #events: number;
  readonly #logSizes = new Map<string, number>();
  readonly #secrets = new Set<string>();
  #hasLogs = false;

  constructor(directory: string, meta: AttemptMeta) {
    this.directory = directory;
    this.meta = meta;
    this.#events = openSync(eventsFile(directory), 'a', FILE);
    ours.add(directory);
    this.#writeMeta(meta);
  }

  /** On disk when it returns. */
  append(event: RunEvent): void {
    const entry = event.type === 'task-output' ? this.#appendOutput(event) : event;
    writeSync(this.#events, `${JSON.stringify(entry)}\n`);
    // A hundred thousand names take some thirty megabytes.
    if (event.type === 'task-succeeded') this.#logSizes.delete(this.logFile(event.task));
  }

  /** Where the output of a task is or will be. */
  logFile(task: string): string {
    return logFile(this.directory, task);
  }

  /** The same, if it has printed something. */
  logFileIfAny(task: string): string | undefined {
    const path = this.logFile(task);
    return this.#logSizes.has(path) || (this.#hasLogs && existsSync(path)) ? path : undefined;
  }

  /** Remembers the key of a secret whose value may be in what the attempt stores. */
  noteSecret(key: string): void {
    if (this.#secrets.has(key)) return;
    this.#secrets.add(key);
    appendFileSync(secretsFile(this.directory), `${JSON.stringify(key)}\n`, { mode: FILE });
  }

  writeDefinition(text: string): void {
    writeFileSync(definitionFile(this.directory), text, { mode: FILE });
  }

  end(status: RunStatus, error?: string): void {
    ours.delete(this.directory);
    closeSync(this.#events);
    const ended = new Date().toISOString();
    this.#writeMeta({ ...this.meta, status, ended, ...present({ error }) });
  }

  #appendOutput(event: RunEvent & { type: 'task-output' }): OutputPointer {
    const { text, ...rest } = event;
    const path = this.logFile(event.task);
    if (!this.#hasLogs) {
      mkdirSync(logFolder(this.directory), { recursive: true, mode: FOLDER });
      this.#hasLogs = true;
    }
    const bytes = Buffer.from(text);
    const at = this.#logSizes.get(path) ?? sizeOf(path);
    appendFileSync(path, bytes, { mode: FILE });
    this.#logSizes.set(path, at + bytes.length);
    return { ...rest, at, bytes: bytes.length };
  }

  #writeMeta(meta: AttemptMeta): void {
    const path = metaFile(this.directory);
    writeFileSync(`${path}.tmp`, JSON.stringify(meta), { mode: FILE });
    renameSync(`${path}.tmp`, path);
  }
}

/** Of a file, if there is one. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
