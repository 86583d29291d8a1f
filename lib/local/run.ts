/**
 * A run here: the compiled machine in lib/engine, its functions in this process, its Python tasks in workers. Whoever shows it
 * reads RunEvents; everything they hold has been masked, and is on disk before it is seen.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, StateMachine } from '../asl/types.ts';
import { ERRORS, TrowelError } from '../contract/errors.ts';
import { failureOf } from '../contract/failure.ts';
import type { LaunchPayload, Payload } from '../contract/payload.ts';
import { rootsOf, type Values, valuesIn } from '../contract/values.ts';
import { TaskError } from '../engine/errors.ts';
import { execute } from '../engine/execution.ts';
import { TaskTokens } from '../engine/task-tokens.ts';
import type { Call, Invoke, Outcome } from '../engine/types.ts';
import { EventQueue } from '../events/event-queue.ts';
import type { RunEvent } from '../events/run-event.ts';
import { TaskEvents } from '../events/task-events.ts';
import { codeUnchanged } from '../functions/launch/code.ts';
import { launch } from '../functions/launch/core.ts';
import { resolveMentioned, seeingKeys } from '../functions/launch/references.ts';
import { projectFiles } from '../functions/project-files.ts';
import { functionOf, makesTasks } from '../language/operators.ts';
import { holdsPrefix } from '../language/value-form.ts';
import type { Mapping } from '../language/workflow.ts';
import { Executions } from './executions.ts';
import { type LocalFunction, localInvoke } from './functions.ts';
import type { Attempt } from './history/attempt.ts';
import { resumeChain } from './history/attempts.ts';
import { createAttempt } from './history/create-attempt.ts';
import { HistoryError } from './history/history-error.ts';
import { recorded } from './recorded.ts';
import { readRecord } from './results.ts';
import type { Compiled, RunOptions, RunResult } from './run-options.ts';
import { RunSecrets } from './run-secrets.ts';
import { anew, isWithin, nothingTaken, takenAnswer } from './taken.ts';
import { valueFiles } from './values.ts';
import { ENVIRONMENT, LocalCompute } from './workers/compute.ts';
import type { SubtaskEvent } from './workers/worker-messages.ts';

/** Seconds between SIGTERM and SIGKILL when a run is stopped. */
const GRACE = 5;

export class Run implements AsyncIterable<RunEvent> {
  /** When everything has ended: tasks' processes, workers, files. Never rejects for what a user did. */
  readonly result: Promise<RunResult>;
  readonly #options: RunOptions;
  readonly #queue = new EventQueue();
  readonly #secrets: RunSecrets;
  readonly #stop = new AbortController();
  readonly #attempt: Attempt;
  readonly #root: string;
  readonly #began = Date.now();
  readonly #tokens = new TaskTokens();
  readonly #compute: LocalCompute;
  readonly #natives: { readonly [name: string]: LocalFunction };
  readonly #invoke: Invoke;
  readonly #tables = new Map<string, Compiled>();
  /** Functions whose lost return value was reported. */
  readonly #told = new Set<string>();
  readonly #resume: readonly string[];
  #broken: HistoryError | undefined;
  #children = 0;
  #over = false;

  constructor(options: RunOptions) {
    this.#options = options;
    const { resume, historyFolder } = options;
    const folder = historyFolder ?? mkdtempSync(join(tmpdir(), 'trowel-'));
    this.#attempt = createAttempt(folder, {
      workflow: options.workflow,
      session_time: resume?.session_time ?? options.sessionTime,
      params: resume?.params ?? options.params,
      ...(resume === undefined ? {} : { resumes: resume.attempt }),
    });
    this.#root = this.#attempt.directory;
    this.#secrets = new RunSecrets(options.secrets, this.#attempt);
    const { meta } = this.#attempt;
    this.#resume = resume === undefined || historyFolder === undefined ? [] : resumeChain(historyFolder, resume);
    this.#emit({
      type: 'run-started',
      time: meta.started,
      workflow: meta.workflow,
      session_time: meta.session_time,
      attempt: meta.attempt,
      session: meta.session,
      directory: historyFolder === undefined ? '' : this.#root,
      ...(meta.resumes === undefined ? {} : { resumes: meta.resumes }),
    });
    this.#compute = this.#makeCompute(folder);
    this.#natives = this.#functions();
    this.#invoke = this.#makeInvoke();
    options.python.onNotice = (message) => this.notice(message);
    const { signal } = options;
    const stop = (): void => this.#stop.abort(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    this.result = this.#run(folder).finally(() => {
      signal?.removeEventListener('abort', stop);
      this.#queue.close();
    });
    this.result.catch(() => {});
  }

  [Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    return this.#queue[Symbol.asyncIterator]();
  }

  /** Without grace, for a second Ctrl-C. */
  kill(): void {
    this.#stop.abort();
    this.#options.python.destroy();
  }

  /** Tells the readers something, e.g. how an environment is being made. */
  notice(message: string): void {
    this.#emit({ type: 'notice', time: new Date().toISOString(), message });
  }

  async #run(folder: string): Promise<RunResult> {
    const { compiled, historyFolder, python } = this.#options;
    const { meta } = this.#attempt;
    if (historyFolder !== undefined) {
      const { machine, nested } = compiled;
      const definition = JSON.stringify(Object.keys(nested).length === 0 ? machine : { machine, nested });
      this.#write(() => this.#attempt.writeDefinition(definition));
    }
    let outcome: Outcome;
    try {
      await this.#secrets.hideThoseOf(this.#resume);
      const input = {
        session_time: meta.session_time,
        params: meta.params,
        ...(holdsPrefix(meta.params) && { encoded: true }),
        session_id: meta.session,
        attempt_id: meta.attempt,
        root: this.#root,
        ...(this.#resume.length === 0 ? {} : { resume_from: [...this.#resume] }),
        ...(this.#options.rerunChanged ? { rerun_changed: true } : {}),
      };
      outcome = await this.#execute(compiled, compiled.machine, `attempt-${meta.attempt}`, input, this.#stop.signal);
    } finally {
      // Also whatever a task left behind; and a worker whose run is over has nothing to finish.
      const grace = this.#stop.signal.aborted ? GRACE : 0;
      await python.stop(grace);
    }
    const result = this.#end(outcome);
    if (historyFolder === undefined) rmSync(folder, { recursive: true, force: true });
    return result;
  }

  #end(outcome: Outcome): RunResult {
    const { status, ...why } = this.#ending(outcome);
    const seconds = (Date.now() - this.#began) / 1000;
    this.#emit({ type: 'run-ended', time: new Date().toISOString(), status, seconds, ...why });
    this.#over = true;
    this.#write(() => this.#attempt.end(status, why.error));
    return { status, ...why, ...(this.#options.historyFolder === undefined ? {} : { directory: this.#root }) };
  }

  #ending(outcome: Outcome): Pick<RunResult, 'status' | 'error' | 'message'> {
    if (this.#broken !== undefined) return { status: 'failed', error: ENVIRONMENT, message: this.#broken.message };
    if (outcome.status === 'SUCCEEDED') return { status: 'succeeded' };
    if (this.#stop.signal.aborted) return { status: 'interrupted' };
    const { name, message } = failureOf({ Error: outcome.error, Cause: outcome.cause });
    return { status: 'failed', error: name, message: this.#secrets.masker.mask(message) };
  }

  /** Runs a machine and reports its events. */
  async #execute(
    compiled: Compiled,
    machine: StateMachine,
    name: string,
    input: Json,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { clock } = this.#options;
    this.#tables.set(name, compiled);
    const execution = execute(machine, {
      input,
      name,
      invoke: this.#invoke,
      tokens: this.#tokens,
      signal,
      ...(clock === undefined ? {} : { clock }),
    });
    const translator = new TaskEvents(compiled.tasks, (task) => this.#logFile(task));
    for await (const event of execution) {
      this.#options.onHistory?.(event);
      for (const told of translator.translate(event)) this.#emit(told);
      // A reader that is behind holds the machine up, as it does the tasks.
      const room = this.#queue.room();
      if (room !== undefined) await room;
    }
    this.#tables.delete(name);
    return execution.outcome;
  }

  #emit(event: RunEvent): void {
    // What comes too late, from a request that nobody waits for, is lost.
    if (this.#over) return;
    const masked = this.#secrets.masker.maskAll(event);
    this.#write(() => this.#attempt.append(masked));
    this.#queue.push(masked);
  }

  /** A run whose history cannot be written ends: its tasks would have to be done again. */
  #write(write: () => void): void {
    if (this.#broken !== undefined) return;
    try {
      write();
    } catch (error) {
      this.#broken = new HistoryError(this.#root, error);
      const { message } = this.#broken;
      this.#queue.push({ type: 'notice', time: new Date().toISOString(), message: `${message}. The run ends` });
      this.#stop.abort();
    }
  }

  #print(task: string, text: string): Promise<void> | undefined {
    if (text !== '') this.#emit({ type: 'task-output', time: new Date().toISOString(), task, text });
    return this.#queue.room();
  }

  #logFile(task: string): string | undefined {
    // As the events that its output came by.
    const name = this.#secrets.masker.mask(task);
    return this.#options.historyFolder === undefined ? undefined : this.#attempt.logFileIfAny(name);
  }

  #makeCompute(folder: string): LocalCompute {
    const { python, debug } = this.#options;
    return new LocalCompute({
      python,
      folder,
      tokens: {
        succeed: (token, result) => this.#tell(() => this.#tokens.sendTaskSuccess(token, result as Json)),
        beat: (token) => this.#tell(() => this.#tokens.sendTaskHeartbeat(token)),
        fail: (token, error, cause) =>
          this.#tell(() => this.#tokens.sendTaskFailure(token, { error: error.slice(0, 256), cause })),
      },
      secret: (key) => this.#secrets.get(key),
      hidden: () => this.#secrets.masker.values,
      mask: (text) => this.#secrets.masker.mask(text),
      onOutput: (task, text) => this.#print(task, text),
      onSubtask: (event) => this.#subtask(event),
      onReturned: (fn) => this.#returned(fn),
      onCall: (fn, payload) => this.#question(fn, payload),
      logFile: (task) => this.#logFile(task),
      ...(debug === undefined ? {} : { debug }),
    });
  }

  #makeInvoke(): Invoke {
    const { aws } = this.#options;
    const taskError = (name: string, cause: string): Error => new TaskError(name, this.#secrets.masker.mask(cause));
    const executions = new Executions((machine, child) => this.#child(machine, child), taskError);
    const functions: { [name: string]: LocalFunction } = {
      ...this.#natives,
      launch: (payload, call) => this.#launch(payload, call),
    };
    return localInvoke({ functions, executions, taskError, ...(aws === undefined ? {} : { aws }) });
  }

  /** Those of lambdas/, with values by reference read for them, and with what a resumed attempt already did not done again. */
  #functions(): { [name: string]: LocalFunction } {
    const given = this.#options.functions({
      secret: (key, shown) => this.#secrets.get(key, shown),
      print: (task, text) => void this.#print(task, text),
      notice: (message) => this.notice(message),
      execute: (compiled, input, signal) => {
        this.#children += 1;
        return this.#execute(compiled, compiled.machine, `part-${this.#children}`, input, signal);
      },
    });
    const functions: { [name: string]: LocalFunction } = {};
    for (const [name, fn] of Object.entries(given)) {
      const resolved: LocalFunction = async (payload, call) => fn(await withValues(payload), call);
      functions[name] =
        name === 'session'
          ? fn
          : name === 'evaluate'
            ? resolved
            : this.#orTaken(recorded(resolved, (key, like) => this.#secrets.version(key, like)));
    }
    return functions;
  }

  async #launch(given: Json, call: Call): Promise<Json> {
    const payload = given as unknown as LaunchPayload;
    const { render, secrets, secretCommand, taskTimeout, pickle = false } = this.#options;
    const { only } = this.#options;
    if (only !== undefined && !isWithin(payload.t, only)) {
      const answer = await this.#taken(payload);
      this.#tell(() => this.#tokens.sendTaskSuccess(payload.token, answer));
      return {};
    }
    const launched = await launch(only === undefined ? payload : anew(payload), {
      render,
      compute: this.#compute,
      results: readRecord,
      values: valuesOf(payload),
      attemptVariables,
      codeUnchanged: (assignment, sha256) => codeUnchanged(projectFiles(this.#options.project), assignment, sha256),
      missingSecrets: (keys) => secrets.missing(keys),
      secretVersion: (key, like) => this.#secrets.version(key, like),
      ...(secretCommand === undefined ? {} : { secretCommand }),
      ...(taskTimeout === undefined ? {} : { defaultTimeout: taskTimeout }),
      pickle,
    });
    if ('replayed' in launched) {
      this.#tell(() => this.#tokens.sendTaskSuccess(payload.token, launched.replayed as unknown as Json));
    } else {
      const { signal } = call;
      const stop = (): void => void this.#compute.stop(launched.started);
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
      void this.#compute.ended(launched.started).then(() => signal.removeEventListener('abort', stop));
    }
    return {};
  }

  /** With `only`: that of another task is not called. */
  #orTaken(fn: LocalFunction): LocalFunction {
    const { only } = this.#options;
    if (only === undefined) return fn;
    return (given, call) => {
      const payload = given as unknown as Payload;
      return isWithin(payload.t, only) ? fn(anew(payload) as unknown as Json, call) : this.#taken(payload);
    };
  }

  async #taken(payload: Payload): Promise<Json> {
    const answer = await takenAnswer(payload);
    if (answer !== undefined) return answer;
    this.notice(`${payload.t} has no result in attempt ${this.#attempt.meta.resumes}: what it stores is missing`);
    return nothingTaken(payload);
  }

  /** A state that has ended in the meantime needs no answer. */
  #tell(send: () => void): void {
    try {
      send();
    } catch (error) {
      if ((error as Error).name === 'InvalidOutput') throw error;
    }
  }

  #child(
    name: string,
    child: { readonly name: string; readonly input: Json; readonly signal: AbortSignal; readonly caller: string },
  ): Promise<Outcome> | undefined {
    const { compiled, required } = this.#options;
    const caller = this.#tables.get(child.caller) ?? compiled;
    const nested = caller.nested[name];
    if (nested !== undefined) return this.#execute(caller, nested, child.name, child.input, child.signal);
    if (required === undefined) return undefined;
    return this.#require(name, required, child);
  }

  /** A workflow that require> names: its own session, its files below those of this attempt. */
  async #require(
    name: string,
    required: (workflow: string) => Promise<Compiled | undefined>,
    child: { readonly name: string; readonly input: Json; readonly signal: AbortSignal },
  ): Promise<Outcome> {
    const other = await required(name);
    if (other === undefined) {
      throw new TaskError(
        'StepFunctions.StateMachineDoesNotExistException',
        `There is no workflow '${name}' in this project`,
      );
    }
    this.#children += 1;
    const { meta } = this.#attempt;
    const below = (root: string): string => join(root, 'required', child.name);
    const input = {
      ...(child.input as { readonly [key: string]: Json }),
      session_id: meta.session + this.#children,
      attempt_id: meta.attempt,
      root: below(this.#root),
      ...(this.#resume.length === 0 ? {} : { resume_from: this.#resume.map(below) }),
    };
    return this.#execute(other, other.machine, child.name, input, child.signal);
  }

  /** digdag drops what a function returns without a word. */
  #returned(fn: string): void {
    if (this.#told.has(fn)) return;
    this.#told.add(fn);
    this.notice(
      `${fn} returns a dict, and a return value goes nowhere. To hand it to the tasks that follow: digdag.env.store({…})`,
    );
  }

  #subtask(event: SubtaskEvent): void {
    const time = new Date().toISOString();
    const { task, operator } = event;
    const seconds = event.seconds ?? 0;
    if (event.state === 'started') this.#emit({ type: 'task-started', time, task, operator, try: 1 });
    else if (event.state === 'succeeded') this.#emit({ type: 'task-succeeded', time, task, seconds });
    else {
      const { name: error = 'Trowel.TaskFailed', message = '', stacktrace } = event.error ?? {};
      const log = this.#logFile(task);
      this.#emit({
        type: 'task-failed',
        time,
        task,
        seconds,
        error,
        message,
        ...(stacktrace === undefined ? {} : { stacktrace }),
        ...(log === undefined ? {} : { log }),
      });
    }
  }

  /** Questions of a Python task about its dynamic subtasks: `evaluate` their templates, or `run` one of another operator. */
  async #question(fn: string, payload: Mapping): Promise<unknown> {
    const operator = String(payload.op);
    // What generates tasks of its own is compiled as a machine (fragments.ts).
    const own = makesTasks(operator) ? undefined : functionOf(operator);
    const answer = this.#natives[fn === 'run' ? (own ?? 'run') : fn];
    if (answer === undefined) {
      throw new TrowelError(ERRORS.badInput, `add_subtask cannot make a task of ${operator}> here`);
    }
    const call = { arguments: {}, stateName: '', retryCount: 0, executionArn: '', executionName: '' };
    return answer(payload as Json, { ...call, resource: '', signal: this.#stop.signal });
  }
}

/** Starts a run at once. Iterate it for its events. */
export function startRun(options: RunOptions): Run {
  return new Run(options);
}

/** An attempt's folder ends with its number; those of workflows that it required lie below. */
function attemptVariables(root: string): Mapping | undefined {
  const id = /(?:^|[\\/])attempts[\\/](\d+)(?:[\\/]|$)/.exec(root)?.[1];
  return id === undefined ? undefined : { attempt_id: Number(id) };
}

async function withValues(given: Json): Promise<Json> {
  const payload = given as unknown as Payload;
  if (!Array.isArray(payload?.l)) return given;
  const seen = await resolveMentioned(payload.l, seeingKeys(payload), valuesOf(payload));
  return seen === payload.l ? given : ({ ...payload, seen } as unknown as Json);
}

function valuesOf(payload: Pick<Payload, 'b'>): Values {
  return valuesIn(valueFiles, rootsOf(payload));
}
