import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { present } from '../../asl/present.ts';
import { ERRORS } from '../../contract/errors.ts';
import { pythonPackageFolder } from '../../host/package-folder.ts';
import type { Diagnostic } from '../../language/diagnostic.ts';
import type { Mapping } from '../../language/workflow.ts';
import { type Environment, isPrepared, type PythonSettings, prepareEnvironment } from '../../python/environment.ts';
import { Containers, type ContainerUse } from './containers.ts';
import { type Finished, type Start, type TaskHandlers, WorkerLost } from './worker.ts';
import { type PoolOptions, WorkerPool } from './worker-pool.ts';

export interface PythonHostOptions {
  /** The project's folder. */
  readonly project: string;
  readonly python?: PythonSettings & { readonly preload?: readonly string[] };
  readonly maxTasks?: number;
  /** For a debugger on the terminal. */
  readonly foreground?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly packageFolder?: string;
  /** Whether images that tasks name are used; absent: they are not looked at. */
  readonly containers?: ContainerUse;
}

export interface TaskPlace {
  /** The interpreter of this task only. */
  readonly python?: readonly string[];
  /** Its `docker:`. */
  readonly docker?: Mapping;
  /** Where the run's history is. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

/** The machine or the project cannot give what the Python tasks need: exit code 4. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super([diagnostic.message, ...diagnostic.notes].join('\n'));
    this.diagnostic = diagnostic;
  }
}

/**
 * The Python side of a run: its environment and workers, made when a task first needs them. `warm` ahead of that hides the start
 * of the interpreter.
 */
export class PythonHost {
  /** Where notices go; the run sets it. */
  onNotice: (message: string) => void = () => {};
  readonly #options: PythonHostOptions;
  readonly #stop = new AbortController();
  readonly #containers: Containers | undefined;
  #pool: Promise<WorkerPool> | undefined;

  constructor(options: PythonHostOptions) {
    this.#options = options;
    const { containers: use, project, packageFolder = pythonPackageFolder(), env = process.env } = options;
    const notice = (message: string): void => this.onNotice(message);
    if (use === undefined) return;
    this.#containers = new Containers({ use, project, packageFolder, env, signal: this.#stop.signal, notice });
  }

  /** Starts the worker now, unless its environment is still to be made. */
  warm(): void {
    if (isPrepared(this.#request())) this.pool().catch(() => {});
  }

  /** Rejects with EnvironmentError. */
  pool(): Promise<WorkerPool> {
    this.#pool ??= this.#open();
    return this.#pool;
  }

  /**
   * Runs a task, in a container of its image where that is wanted; once more, at once, where the worker was lost, in a worker of
   * its own: what took the first along, often too little memory, may have been another task. Rejects with EnvironmentError, WorkerLost or the signal's reason.
   */
  async run(start: Start, handlers: TaskHandlers, place: TaskPlace): Promise<Finished> {
    const { python, docker, folder, signal } = place;
    const pool = await this.pool();
    const inside = docker && (await this.#containers?.interpreter(docker, python ?? ['python3'], folder));
    if (inside !== undefined) makeFolders(start);
    const own = inside ?? (python === undefined ? {} : { python });
    const options = { ...own, ...present({ signal }) };
    const lost = await pool.run(start, handlers, options).catch((error: unknown) => {
      if (error instanceof WorkerLost && !error.early) return error;
      throw error;
    });
    const why = lossOf(lost);
    if (why === undefined || signal?.aborted || this.#stop.signal.aborted) return settled(lost);
    this.onNotice(`${start.assignment.task} is tried once more: ${why}`);
    return pool.run(start, handlers, { ...options, alone: true }).catch((error: unknown) => {
      throw error instanceof WorkerLost ? new WorkerLost(`${error.message}${TWICE}`, error.early) : error;
    });
  }

  /** Ends every task, with so many seconds between the two signals, and every worker. */
  async stop(grace: number): Promise<void> {
    this.#stop.abort();
    await this.#pool?.then((pool) => pool.stop(grace)).catch(() => {});
  }

  /** At once. */
  destroy(): void {
    this.#stop.abort();
    void this.#pool?.then((pool) => pool.destroy()).catch(() => {});
  }

  async #open(): Promise<WorkerPool> {
    const { project, python, maxTasks, foreground, packageFolder } = this.#options;
    const environment: Environment = await prepareEnvironment(this.#request());
    if (!environment.ok) throw new EnvironmentError(environment.diagnostic);
    this.#stop.signal.throwIfAborted();
    const options: PoolOptions = {
      python: environment.python,
      env: environment.env,
      packageFolder: packageFolder ?? pythonPackageFolder(),
      cwd: project,
      preload: python?.preload ?? [],
      onStderr: (text) => this.onNotice(text.trimEnd()),
      ...present({ maxTasks, foreground }),
    };
    const pool = new WorkerPool(options);
    pool.warm().catch(() => {});
    return pool;
  }

  #request(): Parameters<typeof prepareEnvironment>[0] {
    const { project, python, env } = this.#options;
    return {
      project,
      notice: (message) => this.onNotice(message),
      signal: this.#stop.signal,
      ...present({ python, env }),
    };
  }
}

const TWICE =
  '\nSo it was the first time. If memory is short: fewer tasks at once (_parallel: {limit: N}, or --max-task-threads N), or less in memory in the task';

/** Why a task was lost, or undefined: the worker is gone, or says itself that it was ended. */
function lossOf(outcome: Finished | WorkerLost): string | undefined {
  if (outcome instanceof WorkerLost) return outcome.message;
  const { result } = outcome;
  return !result.ok && result.error.name === ERRORS.taskLost ? result.error.message : undefined;
}

function settled(outcome: Finished | WorkerLost): Finished {
  if (outcome instanceof WorkerLost) throw outcome;
  return outcome;
}

/** Folders that a container would make as its own user, often root, and that tasks of this user write into too. */
function makeFolders({ assignment }: Start): void {
  mkdirSync(dirname(assignment.result), { recursive: true });
  mkdirSync(join(assignment.root, 'values'), { recursive: true });
}
