/**
 * Tasks that name an image (`docker: {image: …}`), in a container engine of this machine where trowel.yml says so (`containers`). To the
 * pool a container is one more interpreter: one for each image, there for the whole run, with a worker in it that forks a child for
 * each task. The project, the history and the runner are mounted where they lie here, so that a path means the same on both sides. The
 * options are digdag's, and as there the container has the user that its image names, and nothing of this machine's environment.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { present } from '../../asl/present.ts';
import { capture } from '../../host/capture.ts';
import type { Mapping, Value } from '../../language/workflow.ts';
import { onPath } from '../../python/environment.ts';
import { WorkerLost } from './worker.ts';

/** `containers` of trowel.yml; `debug`: a debugger is attached, which reaches tasks outside of containers only. */
export type ContainerUse = 'never' | 'auto' | 'always' | 'debug';

export interface ContainerOptions {
  readonly use: ContainerUse;
  readonly project: string;
  /** Folder that holds the trowel_task package. */
  readonly packageFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly notice: (message: string) => void;
}

/** A command that is used like `python3`, and what messages call it. */
export interface Interpreter {
  readonly python: readonly string[];
  readonly shown: string;
}

const ENGINES = ['docker', 'podman'];
const LAST_LINES = 8;

export class Containers {
  readonly #options: ContainerOptions;
  readonly #known = new Map<string, Promise<Interpreter>>();
  #told = false;

  constructor(options: ContainerOptions) {
    this.#options = options;
  }

  /**
   * The interpreter in the task's image; undefined where the task runs in the Python of this machine, which the first such task reports.
   * `folder`: where the run's history is. Rejects with WorkerLost where the image cannot be had.
   */
  async interpreter(docker: Mapping, python: readonly string[], folder: string): Promise<Interpreter | undefined> {
    const { image } = docker;
    if (typeof image !== 'string' || image === '') return undefined;
    const engine = this.#engine(docker);
    if (engine === undefined) {
      this.#tellUnused(image, docker);
      return undefined;
    }
    const key = JSON.stringify([engine, docker, python, folder]);
    const known = this.#known.get(key) ?? this.#prepare(engine, image, docker, python, folder);
    this.#known.set(key, known);
    return known;
  }

  #engine(docker: Mapping): string | undefined {
    const { use, env } = this.#options;
    if (use === 'never' || use === 'debug') return undefined;
    const candidates = enginesFor(docker);
    const found = candidates.find((name) => (name.includes('/') ? existsSync(name) : onPath(name, env)));
    if (found !== undefined || use === 'auto') return found;
    const message = `There is no container engine (${candidates.join(', ')}) on PATH, and trowel.yml says \`containers: always\``;
    throw new WorkerLost(message, true);
  }

  #tellUnused(image: string, docker: Mapping): void {
    if (this.#told) return;
    this.#told = true;
    const why = {
      never: '`containers: auto` in trowel.yml runs them in their images.',
      debug: 'A debugger reaches no task in a container.',
      auto: `There is no ${enginesFor(docker).join(' or ')} on PATH.`,
      always: '',
    }[this.#options.use];
    this.#options.notice(
      `The image ${image} is not used: tasks with \`docker:\` run in the Python of this machine. ${why}`,
    );
  }

  async #prepare(
    engine: string,
    image: string,
    docker: Mapping,
    python: readonly string[],
    folder: string,
  ): Promise<Interpreter> {
    const build = texts(docker.build);
    const ready = build.length > 0 ? await this.#build(engine, image, build, docker) : image;
    if (build.length === 0 && docker.pull_always === true) {
      this.#options.notice(`Pulling the image ${image}`);
      await this.#engineCommand([engine, 'pull', image], `The image ${image} cannot be pulled`);
    }
    this.#options.notice(`Starting a container of ${image} (${engine})`);
    return {
      python: [engine, ...this.#runArguments(docker, folder), ready, ...python],
      shown: `in the image ${image}`,
    };
  }

  #runArguments(docker: Mapping, folder: string): string[] {
    const { project, packageFolder } = this.#options;
    const label = docker.selinux === true ? ',z' : '';
    const writable = isWithin(project, folder) ? [project] : [project, folder];
    return [
      'run',
      ...texts(docker.run_options),
      ...['--rm', '-i'],
      ...writable.flatMap((path) => ['-v', `${path}:${path}:rw${label}`]),
      ...['-v', `${packageFolder}:${packageFolder}:ro${label}`],
      ...['-w', project],
      ...['-e', `PYTHONPATH=${packageFolder}`],
      // The image's user may be another one than the project's.
      ...['-e', 'PYTHONDONTWRITEBYTECODE=1'],
    ];
  }

  /** The image with digdag's `build:` lines run on top of it, under a name made from both: the engine keeps it for the next run. */
  async #build(engine: string, image: string, lines: readonly string[], docker: Mapping): Promise<string> {
    const dockerfile = [
      `FROM ${image}`,
      ...lines.flatMap((line) => line.trim().split('\n')).map((line) => `RUN ${line}`),
    ];
    const text = `${dockerfile.join('\n')}\n`;
    const name = `trowel-build:${createHash('sha256').update(`${this.#options.project}\n${text}`).digest('hex').slice(0, 20)}`;
    this.#options.notice(`Building an image on ${image}`);
    const context = mkdtempSync(join(tmpdir(), 'trowel-build-'));
    try {
      const command = [engine, 'build', ...texts(docker.build_options), '-f', '-', '-t', name, context];
      await this.#engineCommand(command, `The image on ${image} cannot be built`, text);
    } finally {
      rmSync(context, { recursive: true, force: true });
    }
    return name;
  }

  async #engineCommand(command: readonly string[], failure: string, input?: string): Promise<void> {
    const { env, signal, project } = this.#options;
    const done = await capture(command, { env, signal, cwd: project, ...present({ input }) });
    if (done.code === 0) return;
    const said = done.output.trim().split('\n').slice(-LAST_LINES).join('\n');
    throw new WorkerLost(`${failure} (${command.slice(0, 2).join(' ')} ended with code ${done.code})\n${said}`, true);
  }
}

function enginesFor(docker: Mapping): readonly string[] {
  return typeof docker.docker === 'string' && docker.docker !== '' ? [docker.docker] : ENGINES;
}

function texts(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isWithin(folder: string, path: string): boolean {
  return !relative(folder, path).startsWith('..');
}
