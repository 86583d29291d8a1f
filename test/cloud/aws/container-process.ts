/**
 * A container, played by processes of this machine: the deployed command in an empty folder, with nothing of this environment but PATH. Its
 * image is this machine's python3; processor, memory and disk are not limited. All its processes are known by a variable of theirs, whatever
 * process groups they make, so that none outlives it, as in a container.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export interface ContainerCommand {
  readonly argv: readonly string[];
  readonly env: { readonly [name: string]: string };
  /** `NAME=VALUE` that no other container has. */
  readonly mark: string;
  readonly line: (text: string) => void;
  /** Where it starts. Default: an empty folder. */
  readonly cwd?: string;
}

export class ContainerProcess {
  readonly #mark: string;
  readonly #child: ChildProcess;
  /** The exit code as Docker says it: 128 and the signal. Every process is gone by then, and every line was given. */
  readonly exit: Promise<number>;

  constructor({ argv, env, mark, line, cwd }: ContainerCommand) {
    this.#mark = mark;
    const folder = mkdtempSync(join(tmpdir(), 'trowel-container-'));
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    const [name = '', value = ''] = mark.split(/=(.*)/s);
    const [command = '', ...args] = argv;
    this.#child = spawn(command, args, {
      cwd: cwd ?? folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: temporary, ...env, [name]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { stdout, stderr } = this.#child;
    const read = [stdout, stderr].map(async (stream) => {
      if (stream === null) return;
      for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) line(text);
    });
    const ended = new Promise<number>((resolve) => {
      this.#child.on('exit', (code, signal) => resolve(code ?? 128 + (SIGNALS[signal ?? ''] ?? 0)));
      this.#child.on('error', (error) => {
        line(`${command}: ${error.message}`);
        resolve(127);
      });
    });
    this.exit = ended.then(async (code) => {
      await endAll(mark);
      await Promise.allSettled(read);
      rmSync(folder, { recursive: true, force: true });
      return code;
    });
  }

  /** To the first process alone, as Docker does. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  async kill(): Promise<void> {
    // The first process first: what it would do about the death of the others, it does not.
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    await endAll(this.#mark);
  }
}

const SIGNALS: { readonly [name: string]: number } = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Ids of processes that have the variable. Linux alone; elsewhere a process that leaves its group is not found. */
export function processesWith(mark: string): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.filter((name) => /^\d+$/.test(name) && hasVariable(name, mark)).map(Number);
}

function hasVariable(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
  } catch {
    return false;
  }
}

async function endAll(mark: string): Promise<void> {
  for (let found = processesWith(mark); found.length > 0; found = processesWith(mark)) {
    for (const pid of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    }
    await delay(5);
  }
}
