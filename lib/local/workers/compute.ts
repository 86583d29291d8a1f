import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import type { Beside, Job } from '../../contract/assignment.ts';
import { ERRORS, type Failure, TrowelError } from '../../contract/errors.ts';
import type { Report } from '../../contract/report.ts';
import type { Compute, Started } from '../../functions/launch/compute.ts';
import type { Mapping } from '../../language/workflow.ts';
import { EnvironmentError, type PythonHost } from './python-host.ts';
import { WorkerLost } from './worker.ts';
import type { SubtaskEvent, TaskResult } from './worker-messages.ts';

export interface ComputeOptions {
  readonly python: Pick<PythonHost, 'run'>;
  /** Where the run's history is. */
  readonly folder: string;
  /** Tells the state that waits; a token that nobody waits for any more is no error. */
  readonly tokens: {
    succeed(token: string, result: Mapping): void;
    fail(token: string, error: string, cause: string): void;
    /** The task is still at work. */
    beat(token: string): void;
  };
  /** The value of a secret, or undefined. */
  readonly secret: (key: string) => Promise<string | undefined>;
  /** Values of all secrets that the run has read. */
  readonly hidden: () => readonly string[];
  /** Hides secrets in a text. */
  readonly mask: (text: string) => string;
  /** Output of a task, or of a dynamic one; reading on waits for it. */
  readonly onOutput: (task: string, text: string) => Promise<void> | undefined;
  /** What a task reports; the same. */
  readonly onReport?: (task: string, report: Report) => Promise<void> | undefined;
  readonly onSubtask: (event: SubtaskEvent) => void;
  /** The function of a task returned a dict, and stored nothing of it. */
  readonly onReturned?: (fn: string) => void;
  /** Questions of the runner (docs/protocol.md, `call`). */
  readonly onCall: (fn: string, payload: Mapping) => Promise<unknown>;
  /** Where a task's log will be; absent where none is kept. */
  readonly logFile?: (task: string) => string | undefined;
  /** Full name of the task that runs under a debugger, and how. */
  readonly debug?: { readonly task: string; readonly how: Json };
}

/** Milliseconds between heartbeats: of a worker that dies the end is heard, so the state need not wait for a silence. */
const BEAT = 1_000;
/** Characters of a Failure as JSON: Step Functions keeps 32,768 of a cause. */
const LONGEST_CAUSE = 32_000;

/** Tasks in Python workers of this machine. */
export class LocalCompute implements Compute {
  readonly #options: ComputeOptions;
  readonly #jobs = new Map<string, { readonly controller: AbortController; readonly ended: Promise<void> }>();

  constructor(options: ComputeOptions) {
    this.#options = options;
  }

  async offer(): Promise<boolean> {
    return false;
  }

  async start(job: Job): Promise<Started> {
    if (this.#jobs.has(job.id)) return {};
    if (job.beside !== undefined) throw new TrowelError(ERRORS.badInput, needsDeploy(job.beside));
    const controller = new AbortController();
    const ended = this.#run(job, controller.signal).finally(() => this.#jobs.delete(job.id));
    this.#jobs.set(job.id, { controller, ended });
    return {};
  }

  async stop(id: string): Promise<void> {
    this.#jobs.get(id)?.controller.abort();
  }

  /** When the task is over and its state has the answer. */
  async ended(id: string): Promise<void> {
    await this.#jobs.get(id)?.ended;
  }

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    const { assignment, token } = job;
    const { python, folder, tokens, onOutput, onReport, onSubtask, onReturned, onCall, hidden, debug } = this.#options;
    const beats = setInterval(() => tokens.beat(token), BEAT);
    beats.unref();
    try {
      const secrets = await this.#secretsOf(job);
      const { result } = await python.run(
        {
          id: job.id,
          assignment,
          secrets,
          hide: hidden().filter((value) => !Object.values(secrets).includes(value)),
          ...present({ debug: debug !== undefined && debug.task === assignment.task ? debug.how : undefined }),
        },
        {
          log: (text, task) => onOutput(task ?? assignment.task, text),
          report: (report) => onReport?.(assignment.task, report),
          event: onSubtask,
          call: onCall,
        },
        {
          folder,
          signal,
          ...present({ python: assignment.python, docker: job.docker }),
        },
      );
      if (result.ok && result.returned !== undefined) onReturned?.(result.returned);
      if (result.ok) tokens.succeed(token, result.s === undefined ? { stored: result.stored ?? {} } : { s: result.s });
      else this.#fail(job, result.error);
    } catch (error) {
      this.#fail(job, { name: nameOf(error), message: (error as Error).message });
    } finally {
      clearInterval(beats);
    }
  }

  #fail(job: Job, error: Extract<TaskResult, { ok: false }>['error']): void {
    const { task } = job.assignment;
    const { logFile, mask } = this.#options;
    const log = logFile?.(task);
    const failure: Failure = {
      message: mask(error.message),
      ...present({ stacktrace: error.stacktrace === undefined ? undefined : mask(error.stacktrace), log }),
      task,
      ...present({ exit: error.exit }),
    };
    // A worker that was lost twice: the machine's tries of lost tasks, minutes apart, are meant for containers on AWS.
    const name = error.name === ERRORS.taskLost ? ERRORS.taskFailed : error.name;
    this.#options.tokens.fail(job.token, name, causeText(failure));
  }

  async #secretsOf(job: Job): Promise<{ [key: string]: string }> {
    const values: { [key: string]: string } = {};
    for (const key of job.secrets) {
      const value = await this.#options.secret(key);
      if (value !== undefined) values[key] = value;
    }
    return values;
  }
}

function needsDeploy({ image }: Beside): string {
  return `This task needs a second container (${image}), which only a deployed workflow has: deploy the project, and start it with trowel start`;
}

function nameOf(error: unknown): string {
  if (error instanceof EnvironmentError) return ENVIRONMENT;
  if (error instanceof WorkerLost) return error.early ? ENVIRONMENT : ERRORS.taskLost;
  // E.g. a result that is too large: no retry of the machinery would help.
  return ERRORS.taskFailed;
}

/** Python could not be started at all: trying again is of no use, and the command line exits with 4. */
export const ENVIRONMENT = 'Trowel.Environment';

/** The failure as JSON that fits a cause: of what is too long the beginning of a message and the end of a traceback remain. */
export function causeText(failure: Failure): string {
  const whole = JSON.stringify(failure);
  if (whole.length <= LONGEST_CAUSE) return whole;
  // A character may need six in JSON.
  for (let kept = 12_000; ; kept = Math.floor(kept / 2)) {
    const { message, stacktrace } = failure;
    const text = JSON.stringify({
      ...failure,
      message: message.length > kept ? `${message.slice(0, kept)} …` : message,
      ...present({ stacktrace: stacktrace?.slice(-kept) }),
    });
    if (text.length <= LONGEST_CAUSE) return text;
  }
}
