import { type ChildProcess, spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { createInterface } from 'node:readline';
import { present } from '../asl/present.ts';
import type { Installed, Outline } from '../compiler/python/outline.ts';
import { pythonPackageFolder } from '../host/package-folder.ts';

/** The first answer of `python -m trowel_task lookup`. */
export interface About {
  readonly version: string;
  readonly identity: string;
  /** Modules of the standard library. */
  readonly standard: readonly string[];
  /** Folders of installed packages. */
  readonly sites: readonly string[];
}

export interface FoundModules {
  readonly found: { readonly [name: string]: Installed | null };
  /** The requirements and what they need, normalised, as far as it is installed. */
  readonly closure: readonly string[];
  /** Requirements that are not installed. */
  readonly missing: readonly string[];
}

/** Characters that are kept of standard error. */
const LONGEST_ERRORS = 10_000;

/** The one Python process of a `trowel check`; started when something is asked. */
export class LookupProcess {
  readonly #start: () => ChildProcess;
  #child: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;
  #errors = '';
  #closed: Promise<unknown> | undefined;
  #about: Promise<About> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(command: string, folder: string, env: NodeJS.ProcessEnv) {
    const path = [pythonPackageFolder(), ...(env.PYTHONPATH ? [env.PYTHONPATH] : [])].join(delimiter);
    this.#start = () =>
      spawn(command, ['-m', 'trowel_task', 'lookup'], {
        cwd: folder,
        env: { ...env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: env.PYTHONDONTWRITEBYTECODE ?? '' },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
  }

  /** Rejects where the command is no Python that can be used. */
  about(): Promise<About> {
    this.#about ??= this.#open();
    return this.#about;
  }

  outlines(files: readonly string[]): Promise<readonly Outline[]> {
    return this.#ask<{ outlines: readonly Outline[] }>({ do: 'outline', files }).then(({ outlines }) => outlines);
  }

  find(names: readonly string[], requirements: readonly string[], site: string | undefined): Promise<FoundModules> {
    return this.#ask({ do: 'find', names, requirements, ...present({ site }) });
  }

  /** Its standard error, after it has ended. */
  get errors(): string {
    return this.#errors;
  }

  close(): void {
    this.#child?.stdin?.end();
    this.#child?.kill();
  }

  #open(): Promise<About> {
    const child = this.#start();
    this.#child = child;
    this.#closed = new Promise((resolve) => child.once('close', resolve));
    child.stdin?.on('error', () => {});
    child.stderr?.on('data', (data: Buffer) => {
      this.#errors = (this.#errors + data).slice(-LONGEST_ERRORS);
    });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    return Promise.race([failed, this.#line<About>()]);
  }

  /** One question at a time. */
  #ask<T>(question: unknown): Promise<T> {
    const answered = this.#last.then(async () => {
      await this.about();
      this.#child?.stdin?.write(`${JSON.stringify(question)}\n`);
      return this.#line<T>();
    });
    this.#last = answered.catch(() => {});
    return answered;
  }

  async #line<T>(): Promise<T> {
    const { value, done } = (await this.#lines?.next()) ?? { done: true, value: undefined };
    if (done || typeof value !== 'string') {
      await this.#closed;
      throw new Error('Python ended without an answer');
    }
    return JSON.parse(value) as T;
  }
}
