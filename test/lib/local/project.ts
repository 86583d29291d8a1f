import { join } from 'node:path';
import type { Json } from '../../../lib/asl/types.ts';
import type { SessionPayload } from '../../../lib/contract/payload.ts';
import type { RunEvent } from '../../../lib/events/run-event.ts';
import { render } from '../../../lib/expression/render.ts';
import { session } from '../../../lib/functions/session/core.ts';
import type { LocalFunction } from '../../../lib/local/functions/invoke.ts';
import { Run } from '../../../lib/local/run/run.ts';
import type { Runnable, RunOptions, RunResult } from '../../../lib/local/run/run-options.ts';
import { SecretStore } from '../../../lib/local/secrets.ts';
import { PythonHost, type PythonHostOptions } from '../../../lib/local/workers/python-host.ts';

export interface Ran {
  readonly result: RunResult;
  readonly events: readonly RunEvent[];
  /** `started +main+a`, in order; no output, no notices. */
  readonly story: readonly string[];
  /** What a task printed. */
  output(task: string): string;
}

export const sessionFunction: LocalFunction = async (payload) =>
  (await session(payload as unknown as SessionPayload)) as unknown as Json;

export interface ProjectRun extends Partial<Omit<RunOptions, 'compiled' | 'project'>> {
  readonly host?: Partial<PythonHostOptions>;
  /** False: no history, as with --no-save. */
  readonly keep?: boolean;
  readonly onRun?: (run: Run) => void;
  /** Told each event as it comes. */
  readonly onEvent?: (event: RunEvent) => void | Promise<void>;
}

/** Runs a machine in a project's folder as the command line does, its history in `.trowel`. */
export async function runIn(project: string, compiled: Runnable, given: ProjectRun = {}): Promise<Ran> {
  const { host, keep = true, onEvent, onRun, ...options } = given;
  const run = new Run({
    project,
    workflow: 'main',
    compiled,
    sessionTime: '2030-01-01T00:00:00+00:00',
    params: {},
    ...(keep ? { historyFolder: join(project, '.trowel') } : {}),
    functions: () => ({ session: sessionFunction }),
    render,
    python: new PythonHost({ project, ...host }),
    secrets: new SecretStore(project, { XDG_CONFIG_HOME: join(project, 'config') }),
    ...options,
  });
  onRun?.(run);
  const events: RunEvent[] = [];
  for await (const event of run) {
    events.push(event);
    await onEvent?.(event);
  }
  const result = await run.result;
  const story = events.flatMap((event) => {
    const told = /^task-(started|retrying|succeeded|failed)$/.exec(event.type)?.[1];
    return told === undefined || !('task' in event)
      ? []
      : [`${told}${'replayed' in event ? ' again' : ''} ${event.task}`];
  });
  const output = (task: string): string =>
    events.flatMap((event) => (event.type === 'task-output' && event.task === task ? [event.text] : [])).join('');
  return { result, events, story, output };
}

/** Whether a process is there and no zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

/** Waits until it holds; false after some seconds. */
export async function eventually(condition: () => boolean | Promise<boolean>, seconds = 60): Promise<boolean> {
  for (let left = seconds * 50; left > 0; left -= 1) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
