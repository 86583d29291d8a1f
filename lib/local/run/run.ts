/**
 * A run here: the compiled machine in lib/engine, its functions in this process, its Python tasks in workers. Whoever shows it
 * reads RunEvents; everything they hold has been masked, and is on disk before it is seen.
 */
import { present } from '../../asl/present.ts';
import { failureOf } from '../../contract/failure.ts';
import { TaskError } from '../../engine/errors.ts';
import type { Invoke, Outcome } from '../../engine/types.ts';
import type { RunEvent } from '../../events/run-event.ts';
import { Executions } from '../functions/executions.ts';
import { localInvoke } from '../functions/invoke.ts';
import { ENVIRONMENT } from '../workers/compute.ts';
import { RunAttempt } from './run-attempt.ts';
import { runCompute } from './run-compute.ts';
import { RunEvents } from './run-events.ts';
import { answerTask, type Functions, runFunctions } from './run-functions.ts';
import { launchHere } from './run-launch.ts';
import { RunMachines } from './run-machines.ts';
import type { RunOptions, RunResult } from './run-options.ts';
import type { RunParts } from './run-parts.ts';
import { RunSecrets } from './run-secrets.ts';
import { RunTokens } from './run-tokens.ts';

/** Seconds between SIGTERM and SIGKILL when a run is stopped. */
const GRACE = 5;

export class Run implements AsyncIterable<RunEvent> {
  /** When everything has ended: tasks' processes, workers, files. Never rejects for what a user did. */
  readonly result: Promise<RunResult>;
  readonly #options: RunOptions;
  readonly #attempt: RunAttempt;
  readonly #secrets: RunSecrets;
  readonly #events: RunEvents;
  readonly #machines: RunMachines;
  readonly #stop = new AbortController();
  readonly #began = Date.now();

  constructor(options: RunOptions) {
    this.#options = options;
    this.#attempt = new RunAttempt(options);
    this.#secrets = new RunSecrets(options.secrets, this.#attempt.record);
    this.#events = new RunEvents(this.#attempt, this.#secrets, () => this.#stop.abort());
    this.#events.emit(this.#attempt.started());
    this.#machines = this.#makeMachines();
    options.python.onNotice = (message) => this.notice(message);
    const { signal } = options;
    const stop = (): void => this.#stop.abort(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    this.result = this.#run().finally(() => {
      signal?.removeEventListener('abort', stop);
      this.#events.close();
    });
    this.result.catch(() => {});
  }

  [Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    return this.#events[Symbol.asyncIterator]();
  }

  /** Without grace, for a second Ctrl-C. */
  kill(): void {
    this.#stop.abort();
    this.#options.python.destroy();
  }

  /** Shows the readers something, e.g. how an environment is being made. */
  notice(message: string): void {
    this.#events.notice(message);
  }

  #makeMachines(): RunMachines {
    const parts: RunParts = {
      options: this.#options,
      attempt: this.#attempt,
      secrets: this.#secrets,
      events: this.#events,
      tokens: new RunTokens(),
      signal: this.#stop.signal,
      missing: (task) => {
        const { resumes } = this.#attempt.meta;
        this.notice(`${task} has no result in attempt ${resumes}: what it stores is missing`);
      },
    };
    const machines = new RunMachines(parts, (call) => invoke(call));
    const functions = runFunctions(parts, machines);
    const invoke = makeInvoke(parts, machines, functions);
    return machines;
  }

  async #run(): Promise<RunResult> {
    const { compiled, python } = this.#options;
    if (this.#attempt.kept) this.#events.write(() => this.#attempt.writeDefinition(compiled));
    let outcome: Outcome;
    try {
      await this.#secrets.hideThoseOf(this.#attempt.resumed);
      outcome = await this.#machines.main();
    } finally {
      // Also whatever a task left behind; and a worker whose run is over has nothing to finish.
      const grace = this.#stop.signal.aborted ? GRACE : 0;
      await python.stop(grace);
    }
    const result = this.#end(outcome);
    this.#attempt.removeUnlessKept();
    return result;
  }

  #end(outcome: Outcome): RunResult {
    const { status, ...why } = this.#ending(outcome);
    const seconds = (Date.now() - this.#began) / 1000;
    this.#events.end({ type: 'run-ended', time: new Date().toISOString(), status, seconds, ...why });
    this.#events.write(() => this.#attempt.end(status, why.error));
    return { status, ...why, ...(this.#attempt.kept && { directory: this.#attempt.root }) };
  }

  #ending(outcome: Outcome): Pick<RunResult, 'status' | 'error' | 'message'> {
    const { broken } = this.#events;
    if (broken !== undefined) return { status: 'failed', error: ENVIRONMENT, message: broken.message };
    if (outcome.status === 'SUCCEEDED') return { status: 'succeeded' };
    if (this.#stop.signal.aborted) return { status: 'interrupted' };
    const { name, message } = failureOf({ Error: outcome.error, Cause: outcome.cause });
    return { status: 'failed', error: name, message: this.#secrets.masker.mask(message) };
  }
}

/** What the Task states of the run's machines reach. */
function makeInvoke(parts: RunParts, machines: RunMachines, functions: Functions): Invoke {
  const { options, secrets, signal } = parts;
  const { aws } = options;
  const compute = runCompute(parts, (name, payload) => answerTask(functions, name, payload, signal));
  const taskError = (name: string, cause: string): Error => new TaskError(name, secrets.masker.mask(cause));
  return localInvoke({
    functions: { ...functions, launch: launchHere(parts, compute) },
    executions: new Executions((machine, child) => machines.child(machine, child), taskError),
    taskError,
    ...present({ aws }),
  });
}
