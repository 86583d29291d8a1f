/**
 * The bundled command line as a process that can be measured and killed. Every process that it starts inherits a mark in its
 * environment, and what a task starts without its environment carries it as its name, so that nothing can be left behind unseen.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileName } from '../../lib/contract/names.ts';
import type { RunEvent } from '../../lib/events/run-event.ts';
import { cleanEnv } from '../lib/cli/run-cli.ts';
import { TROWEL } from '../trowel.ts';

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Bytes of standard output, also where its text was not kept. */
  readonly bytes: number;
  /** MB of memory at most (VmHWM). */
  readonly peak: number;
  readonly seconds: number;
}

export interface Started {
  readonly process: ChildProcess;
  readonly mark: string;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** In a process group of its own, as a terminal starts it. */
  readonly detached?: boolean;
  /** Standard output is only counted. */
  readonly discard?: boolean;
}

export function start(args: readonly string[], options: StartOptions): Started {
  const { cwd, env, detached = false, discard = false } = options;
  const mark = `mark-${randomBytes(6).toString('hex')}`;
  const began = Date.now();
  const child = spawn(process.execPath, [TROWEL, ...args], {
    cwd,
    env: cleanEnv(cwd, { ROBUST_MARK: mark, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  });
  const texts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let bytes = 0;
  child.stdout.on('data', (part: Buffer) => {
    bytes += part.length;
    if (!discard) texts.stdout.push(part);
  });
  child.stderr.on('data', (part: Buffer) => texts.stderr.push(part));
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, highWater(child.pid));
  }, 50);
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => {
      clearInterval(watch);
      const [stdout = '', stderr = ''] = [texts.stdout, texts.stderr].map((parts) => Buffer.concat(parts).toString());
      resolve({ code, stdout, stderr, bytes, peak, seconds: (Date.now() - began) / 1000 });
    }),
  );
  return { process: child, mark, ended };
}

/** Runs it to its end. */
export function trowel(args: readonly string[], options: StartOptions): Promise<Ended> {
  return start(args, options).ended;
}

function highWater(pid: number | undefined): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** Command lines of the processes that carry the mark, zombies excepted. */
export function marked(mark: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || !`${read(`/proc/${pid}/environ`)}${read(`/proc/${pid}/cmdline`)}`.includes(mark))
      return [];
    const stat = read(`/proc/${pid}/stat`);
    return stat === '' || /\) [ZX] /.test(stat) ? [] : [`${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`];
  });
}

/** What is still there when some seconds have passed; empty as soon as nothing is. */
export async function left(mark: string, seconds = 60): Promise<string[]> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(25)) {
    if (marked(mark).length === 0) return [];
  }
  return marked(mark);
}

export async function until(what: string, condition: () => boolean, seconds = 120): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(25)) if (condition()) return;
  throw new Error(`Not within ${seconds} s: ${what}`);
}

export function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function attemptFolder(project: string, attempt: number): string {
  return join(project, '.trowel', 'attempts', String(attempt));
}

export function logOf(project: string, attempt: number, task: string): Buffer {
  return readFileSync(join(attemptFolder(project, attempt), 'logs', `${fileName(task)}.log`));
}

/** The events of an attempt as they stand in its file, a torn line left out. */
export function eventsOf(project: string, attempt: number): RunEvent[] {
  return read(join(attemptFolder(project, attempt), 'events.jsonl'))
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as RunEvent];
      } catch {
        return [];
      }
    });
}

/** `succeeded +main+a`, sorted. */
export function endsOf(events: readonly RunEvent[]): string[] {
  return events
    .flatMap((event) =>
      event.type === 'task-succeeded' || event.type === 'task-failed'
        ? [`${event.type.slice(5)}${'replayed' in event ? ' again' : ''} ${event.task}`]
        : [],
    )
    .sort();
}
