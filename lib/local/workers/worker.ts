/**
 * One Python process that runs tasks, each in a child that it forks (docs/protocol.md). It stays for the whole run: a task costs
 * a fork, not an interpreter. It is in a session of its own, so that Ctrl-C at the terminal reaches only the command line, which
 * then ends the tasks in order; and its input ends when this process dies in whatever way, which ends it and all its tasks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { PROTOCOL } from '../../contract/payload.ts';
import { asReport, type Report } from '../../contract/report.ts';
import { seen } from '../../expression/mask.ts';
import type { Mapping } from '../../language/workflow.ts';
import { pythonHint } from '../../python/python-hint.ts';
import type { FromWorker, SubtaskEvent, TaskResult, ToWorker } from './worker-messages.ts';

export interface WorkerOptions {
  /** The interpreter and its first arguments, e.g. `['python3']`. */
  readonly python: readonly string[];
  /** What messages call it, e.g. `in the image python:3.11`; the command, if absent. */
  readonly shown?: string;
  /** Folder that holds the trowel_task package. */
  readonly packageFolder: string;
  /** The project. */
  readonly cwd: string;
  readonly preload?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** In the terminal's session, for a debugger. */
  readonly foreground?: boolean;
  /** Lines of the worker's own standard error, e.g. of a preloaded module. */
  readonly onStderr?: (text: string) => void;
}

export type Start = Omit<Extract<ToWorker, { type: 'start' }>, 'type'>;

export interface TaskHandlers {
  started?(pid: number): void;
  /** Nothing further is read from any task of this worker until it resolves. */
  log(text: string, task?: string): Promise<void> | undefined;
  /** As `log`. */
  report?(report: Report): Promise<void> | undefined;
  event?(event: SubtaskEvent): void;
  /** Answers a question of the runner; a thrown Error's name and message go back. */
  call?(fn: string, payload: Mapping): Promise<unknown>;
}

export interface Finished {
  readonly result: TaskResult;
  readonly seconds: number;
}

/** The worker could not start or is gone. `reason`: what is known, for the user. */
export class WorkerLost extends Error {
  /** It never was ready: it would not start a second time either. */
  readonly early: boolean;

  constructor(message: string, early: boolean) {
    super(message);
    this.name = 'WorkerLost';
    this.early = early;
  }
}

interface Pending {
  readonly handlers: TaskHandlers;
  readonly resolve: (finished: Finished) => void;
  readonly reject: (error: Error) => void;
  /** Of its processes, each the leader of a group. */
  readonly pids: number[];
}

/** Seconds until an interpreter has to be there: also one whose image the container engine fetches first. */
const LONGEST_START = 600;
/** Bytes that are no messages, before it is ready: what Python's site customization prints. */
const MOST_NOISE = 65_536;
const STDERR_KEPT = 4000;
const DRAIN_MS = 1000;

export class Worker {
  /** The interpreter's version, e.g. `3.11.7`, once it is there; rejects with WorkerLost. */
  readonly ready: Promise<string>;
  readonly #process: ChildProcess;
  readonly #pending = new Map<string, Pending>();
  readonly #options: WorkerOptions;
  readonly #exited: Promise<void>;
  readonly #drained: Promise<void>;
  #markReady: (version: string) => void = () => {};
  #markFailed: (error: Error) => void = () => {};
  #isReady = false;
  #gone: WorkerLost | undefined;
  #fatal: string | undefined;
  #stderr = '';
  #noise = 0;
  /** It counts processes as nobody here does: it is in a container. */
  #inside = false;
  readonly #starting: NodeJS.Timeout;
  #stopping = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#markReady = resolve;
      this.#markFailed = reject;
    });
    this.ready.catch(() => {});
    const [command = 'python3', ...first] = options.python;
    const env = options.env ?? process.env;
    this.#process = spawn(command, [...first, '-m', 'trowel_task', 'worker'], {
      cwd: options.cwd,
      env: { ...env, PYTHONPATH: joined(options.packageFolder, env.PYTHONPATH) },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: !options.foreground,
    });
    // Without a reader: EPIPE of a worker that is gone. `close` reports it.
    this.#process.stdin?.on('error', () => {});
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = kept(this.#stderr + text);
      if (this.#isReady) options.onStderr?.(text);
    });
    this.#drained = this.#read().catch((error: Error) => this.#end(error.message));
    this.#exited = new Promise((resolve) => {
      this.#process.once('error', (error: NodeJS.ErrnoException) => {
        this.#end(error.code === 'ENOENT' ? `there is no command ${command}` : error.message);
        resolve();
      });
      this.#process.once('exit', (code, signal) => {
        // Messages that are still in the pipe come first; a task's daemon may hold the pipe open for ever.
        void Promise.race([this.#drained, delay(DRAIN_MS)]).then(() => {
          const memory = signal === 'SIGKILL' ? ', perhaps out of memory' : '';
          this.#end(signal === null ? `it ended with code ${code}` : `it was killed by ${signal}${memory}`);
          resolve();
        });
      });
    });
    this.#starting = setTimeout(
      () => this.#giveUp(`it has not answered within ${LONGEST_START} s`),
      LONGEST_START * 1000,
    );
    this.#send({ type: 'hello', v: PROTOCOL, preload: options.preload ?? [], cwd: options.cwd });
  }

  get alive(): boolean {
    return this.#gone === undefined;
  }

  get wasReady(): boolean {
    return this.#isReady;
  }

  /** Tasks under way. */
  get load(): number {
    return this.#pending.size;
  }

  /** Runs a task. Rejects only with WorkerLost: a task's failure is a result. */
  run(start: Start, handlers: TaskHandlers): Promise<Finished> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      this.#pending.set(start.id, { handlers, resolve, reject, pids: [] });
      this.#send({ type: 'start', ...start });
    });
  }

  /** SIGTERM, after `grace` seconds SIGKILL, to the whole process tree of a task. */
  kill(id: string, grace: number): void {
    if (this.#pending.has(id)) this.#send({ type: 'kill', id, grace });
  }

  /** Ends every task and the worker; resolves when the process is gone. */
  async stop(grace: number): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null || this.#gone !== undefined) return;
    this.#stopping = true;
    // Before it is ready it runs nothing.
    if (!this.#isReady) this.#killGroup();
    // Its input stays open: when that ends, a worker gives its tasks less time.
    this.#send({ type: 'stop', grace });
    const late = setTimeout(() => this.#killGroup(), (grace + 2) * 1000);
    await this.#exited;
    clearTimeout(late);
  }

  /** At once, for a second Ctrl-C. */
  destroy(): void {
    this.#stopping = true;
    this.#send({ type: 'stop', grace: 0 });
    this.#process.stdin?.end();
    setTimeout(() => this.#killGroup(), 2000).unref();
  }

  /** It will never be of use. */
  #giveUp(reason: string): void {
    this.#killGroup();
    this.#end(reason);
    this.#process.stdout?.destroy();
  }

  #killGroup(): void {
    const { pid } = this.#process;
    if (pid === undefined || this.#gone !== undefined) return;
    if (!this.#options.foreground) killGroup(pid);
    else this.#process.kill('SIGKILL');
  }

  #send(message: ToWorker): void {
    const { stdin } = this.#process;
    if (stdin?.writable) stdin.write(`${JSON.stringify(message)}\n`);
  }

  async #read(): Promise<void> {
    const { stdout } = this.#process;
    if (stdout === null) return;
    let rest: Buffer[] = [];
    for await (const chunk of stdout as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        const line = Buffer.concat([...rest, chunk.subarray(from, at)]).toString('utf8');
        rest = [];
        from = at + 1;
        const wait = this.#receive(line);
        if (wait !== undefined) await wait;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
    }
  }

  #receive(line: string): Promise<void> | undefined {
    const message = parsed(line);
    if (!this.#isReady && message?.type !== 'ready') {
      this.#noise += line.length + 1;
      if (this.#noise > MOST_NOISE) this.#giveUp('it is not Python: it does not answer as the runner does');
    }
    if (message === undefined) return undefined;
    if (message.type === 'ready') {
      clearTimeout(this.#starting);
      this.#isReady = true;
      this.#inside = message.pid !== this.#process.pid;
      this.#markReady(message.python);
      return undefined;
    }
    if (message.type === 'fatal') {
      this.#fatal = message.message;
      return undefined;
    }
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return undefined;
    const { handlers } = pending;
    switch (message.type) {
      case 'started':
        pending.pids.push(message.pid);
        handlers.started?.(message.pid);
        return undefined;
      case 'log':
        return handlers.log(message.text, message.task);
      case 'report': {
        const report = asReport(message);
        return report && handlers.report?.(report);
      }
      case 'event':
        handlers.event?.(message);
        return undefined;
      case 'call':
        void this.#answer(message.id, message.call, handlers.call?.(message.fn, message.payload));
        return undefined;
      case 'result':
        this.#pending.delete(message.id);
        pending.resolve({ result: message.result, seconds: message.seconds });
        return undefined;
    }
  }

  async #answer(id: string, call: number, answer: Promise<unknown> | undefined): Promise<void> {
    try {
      if (answer === undefined) throw new Error('This cannot be asked here');
      this.#send({ type: 'reply', id, call, ok: await answer });
    } catch (error) {
      const { name, message } = error as Error;
      this.#send({ type: 'reply', id, call, error: { name, message } });
    }
  }

  #end(reason: string): void {
    if (this.#gone !== undefined) return;
    clearTimeout(this.#starting);
    const hint = this.#isReady ? undefined : pythonHint(this.#stderr);
    const because = this.#fatal ?? hint?.reason ?? reason;
    const shown = hint === undefined ? lastLines(this.#stderr) : `\n${hint.way}`;
    const said = this.#fatal === undefined && !this.#stopping ? shown : '';
    const command = this.#options.shown ?? this.#options.python.join(' ');
    const message = this.#isReady
      ? `The Python worker (${command}) is gone: ${because}${said}`
      : `Python cannot be started (${command}): ${because}${said}`;
    this.#gone = new WorkerLost(message, !this.#isReady);
    this.#markFailed(this.#gone);
    for (const { reject, pids } of this.#pending.values()) {
      // A worker ends its tasks; one that was killed could not, and what they had started would go on.
      for (const pid of this.#inside ? [] : pids) killGroup(pid);
      reject(this.#gone);
    }
    this.#pending.clear();
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function parsed(line: string): FromWorker | undefined {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === 'object' && message !== null && 'type' in message ? (message as FromWorker) : undefined;
  } catch {
    return undefined;
  }
}

function joined(folder: string, others: string | undefined): string {
  return others === undefined || others === '' ? folder : `${folder}:${others}`;
}

/** The last lines, whole: half of a secret would not be recognised. */
function kept(text: string): string {
  if (text.length <= STDERR_KEPT) return text;
  const line = text.indexOf('\n', text.length - STDERR_KEPT) + 1;
  return line === 0 ? seen.mask(text).slice(-STDERR_KEPT) : text.slice(line);
}

/** The end of a traceback is what says something. */
function lastLines(text: string): string {
  const lines = text.trim().split('\n').slice(-3).join('\n');
  return lines === '' ? '' : `\n${lines}`;
}
