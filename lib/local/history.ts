/**
 * What remains of a run: one folder an attempt, `.trowel/attempts/ID/` with
 * - `meta.json`: what was run (workflow, session, parameters), and how it ended; without an end it was killed;
 * - `events.jsonl`: its RunEvents, one per line, on disk before the run continues. Output of tasks is a pointer into a log;
 * - `secrets.jsonl`: keys of the secrets that it has read;
 * - `logs/<task>.log`, `results/`, `values/`, `definition.json` (the machine that ran).
 * Reading tolerates a torn last line.
 */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileName } from '../contract/names.ts';
import type { RunEvent, RunStatus } from '../events/run-event.ts';
import { beginningOf, isRunning } from '../host/process-state.ts';
import type { Mapping } from '../language/workflow.ts';

export interface AttemptMeta {
  readonly attempt: number;
  readonly session: number;
  readonly workflow: string;
  readonly session_time: string;
  readonly params: Mapping;
  /** The attempt that this one resumes. */
  readonly resumes?: number;
  /** ISO 8601. */
  readonly started: string;
  /** Process id while it runs. */
  readonly pid: number;
  /** When that process began, as the system counts it: another with the same id began at another time. */
  readonly process?: string;
  readonly status?: RunStatus;
  readonly ended?: string;
  readonly error?: string;
}

/** `killed`: it ended without a word. */
export type AttemptStatus = RunStatus | 'running' | 'killed';

export interface AttemptInfo extends Omit<AttemptMeta, 'status' | 'pid' | 'process'> {
  readonly status: AttemptStatus;
  readonly directory: string;
}

export interface NewAttempt {
  readonly workflow: string;
  readonly session_time: string;
  readonly params: Mapping;
  readonly resumes?: number;
}

/** The history cannot be written: no right to, no space left. The message names the place and the reason. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';

  constructor(place: string, cause: unknown) {
    super(`The history cannot be written to ${place}: ${reasonOf(cause)}`, { cause });
  }
}

/** `ENOSPC: no space left on device, write` → `no space left on device`. */
function reasonOf(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}

/** Permissions: for its owner only. */
const FILE = 0o600;
const FOLDER = 0o700;
const OWNER = 0o700;
const OTHERS = 0o077;
/** Keys of secrets that the attempt has read, one JSON text a line. */
const SECRETS = 'secrets.jsonl';

/** Folders of the attempts that this process makes. */
const ours = new Set<string>();

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
    this.#events = openSync(join(directory, 'events.jsonl'), 'a', FILE);
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
    return join(this.directory, 'logs', `${fileName(task)}.log`);
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
    appendFileSync(join(this.directory, SECRETS), `${JSON.stringify(key)}\n`, { mode: FILE });
  }

  writeDefinition(text: string): void {
    writeFileSync(join(this.directory, 'definition.json'), text, { mode: FILE });
  }

  end(status: RunStatus, error?: string): void {
    ours.delete(this.directory);
    closeSync(this.#events);
    const ended = new Date().toISOString();
    this.#writeMeta({ ...this.meta, status, ended, ...(error === undefined ? {} : { error }) });
  }

  #appendOutput(event: RunEvent & { type: 'task-output' }): Pointer {
    const { text, ...rest } = event;
    const path = this.logFile(event.task);
    if (!this.#hasLogs) {
      mkdirSync(join(this.directory, 'logs'), { recursive: true, mode: FOLDER });
      this.#hasLogs = true;
    }
    const bytes = Buffer.from(text);
    const at = this.#logSizes.get(path) ?? sizeOf(path);
    appendFileSync(path, bytes, { mode: FILE });
    this.#logSizes.set(path, at + bytes.length);
    return { ...rest, at, bytes: bytes.length };
  }

  #writeMeta(meta: AttemptMeta): void {
    const path = join(this.directory, 'meta.json');
    writeFileSync(`${path}.tmp`, JSON.stringify(meta), { mode: FILE });
    renameSync(`${path}.tmp`, path);
  }
}

/** A task-output event as it is in events.jsonl: its text is in the task's log. */
interface Pointer {
  readonly type: 'task-output';
  readonly time: string;
  readonly task: string;
  readonly at: number;
  readonly bytes: number;
}

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
  let id = (numbers(attempts).at(-1) ?? 0) + 1;
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
    ...(began === undefined ? {} : { process: began }),
  };
  return new Attempt(join(attempts, String(id)), meta);
}

function sessionOf(attempts: string, run: NewAttempt): number {
  let last = 0;
  // Newest first: mostly the session is that of the attempt before.
  for (const id of numbers(attempts).reverse()) {
    const one = readAttempt(join(attempts, String(id)));
    if (one?.workflow === run.workflow && one.session_time === run.session_time) return one.session;
    last = Math.max(last, one?.session ?? 0);
  }
  return last + 1;
}

/** Attempts by number; one whose meta.json cannot be read is left out. */
export function listAttempts(folder: string): AttemptInfo[] {
  const attempts = join(folder, 'attempts');
  return numbers(attempts).flatMap((id) => readAttempt(join(attempts, String(id))) ?? []);
}

export function readAttempt(directory: string): AttemptInfo | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(join(directory, 'meta.json'), 'utf8'));
    if (!hasFields(found, META)) return undefined;
    const { status, pid, process: began, ...meta } = found as unknown as AttemptMeta;
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

/** The events of an attempt, with the tasks' output. Lines that are no event (a torn last one) are passed over. */
export async function* readEvents(directory: string): AsyncGenerator<RunEvent> {
  const path = join(directory, 'events.jsonl');
  if (!existsSync(path)) return;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
    const event = parseEvent(line);
    if (event !== undefined) yield event.type === 'task-output' ? withText(directory, event) : event;
  }
}

function withText(directory: string, pointer: Pointer): RunEvent {
  const { at, bytes, ...event } = pointer;
  return { ...event, text: readAt(join(directory, 'logs', `${fileName(event.task)}.log`), at, bytes) };
}

type Fields = { readonly [field: string]: 'string' | 'number' | 'object' };

/** What readers rely on; the file may be damaged, or another version's. */
const META: Fields = {
  attempt: 'number',
  session: 'number',
  workflow: 'string',
  session_time: 'string',
  params: 'object',
  started: 'string',
  pid: 'number',
};

const EVENTS: { readonly [type: string]: Fields } = {
  'run-started': { workflow: 'string', session_time: 'string', attempt: 'number' },
  notice: { message: 'string' },
  'task-started': { task: 'string', operator: 'string', try: 'number' },
  'task-output': { task: 'string', at: 'number', bytes: 'number' },
  'task-retrying': { task: 'string', seconds: 'number', message: 'string' },
  'task-succeeded': { task: 'string', seconds: 'number' },
  'task-failed': { task: 'string', seconds: 'number', error: 'string', message: 'string' },
  'run-ended': { status: 'string', seconds: 'number' },
};

function hasFields(value: unknown, fields: Fields): value is { readonly [field: string]: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as { readonly [field: string]: unknown };
  return Object.entries(fields).every(([name, type]) => typeof given[name] === type && given[name] !== null);
}

function parseEvent(line: string): Exclude<RunEvent, { type: 'task-output' }> | Pointer | undefined {
  try {
    const event: unknown = JSON.parse(line);
    if (!hasFields(event, { type: 'string', time: 'string' })) return undefined;
    const fields = Object.hasOwn(EVENTS, String(event.type)) ? EVENTS[String(event.type)] : undefined;
    return fields !== undefined && hasFields(event, fields) ? (event as unknown as RunEvent & Pointer) : undefined;
  } catch {
    return undefined;
  }
}

function readAt(path: string, at: number, bytes: number): string {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(file, buffer, 0, bytes, at)).toString('utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

function numbers(attempts: string): number[] {
  if (!existsSync(attempts)) return [];
  const ids = readdirSync(attempts).filter((name) => /^[1-9]\d*$/.test(name));
  return ids.map(Number).sort((a, b) => a - b);
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

/** Keys of the secrets that an attempt has read. */
export function secretsUsed(directory: string): string[] {
  try {
    const lines = readFileSync(join(directory, SECRETS), 'utf8').split('\n');
    return lines.flatMap((line) => (line.endsWith('"') ? [String(JSON.parse(line))] : []));
  } catch {
    return [];
  }
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

function isStillRunning(directory: string, pid: number, began: string | undefined): boolean {
  // In a container every run may have the same process id, or one that something else has now.
  return pid === process.pid ? ours.has(directory) : isRunning(pid, began);
}

/** Of a file, if there is one. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
