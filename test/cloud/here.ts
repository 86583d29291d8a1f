/** Runs of the examples here, by the real command line, and how they are compared with runs there. */
import { cp, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { type Result, trowel } from '../lib/cli/run-cli.ts';
import type { Cloud } from './aws/cloud.ts';
import { ROOT } from './aws/deploy.ts';
import { containerLogs, type Ended, results } from './aws/run.ts';

export const EXAMPLES = join(ROOT, 'examples');

export interface Local extends Result {
  readonly project: string;
  readonly results: { readonly [path: string]: unknown };
  /** By task. */
  readonly logs: { readonly [task: string]: string };
  /** Of the run, if it failed. */
  readonly message: string | undefined;
}

export interface HereOptions {
  readonly args?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  readonly secrets?: { readonly [key: string]: string };
}

/** A run of a copy of the example in `folder`. */
export async function here(
  folder: string,
  example: string,
  workflow: string,
  options: HereOptions = {},
): Promise<Local> {
  const project = await mkdtemp(join(folder, `${example}-`));
  const filter = (path: string): boolean => !/[\\/](\.trowel|__pycache__|data)$/.test(path);
  await cp(join(EXAMPLES, example), project, { recursive: true, filter });
  const env = { XDG_CONFIG_HOME: `${project}-config`, ...options.env };
  for (const [key, value] of Object.entries(options.secrets ?? {})) {
    const set = await trowel(['secrets', '--local', '--set', `${key}=${value}`], { cwd: project, env });
    expect(set.code, set.stderr).toBe(0);
  }
  const ran = await trowel(['run', workflow, ...(options.args ?? [])], { cwd: project, env });
  const attempt = join(project, '.trowel', 'attempts', '1');
  const events = (await readFile(join(attempt, 'events.jsonl'), 'utf8')).trim().split('\n');
  const ended = events.map((line) => JSON.parse(line)).find(({ type }) => type === 'run-ended');
  return {
    ...ran,
    project,
    message: ended?.message,
    results: Object.fromEntries(
      (await files(join(attempt, 'results'))).map(([path, text]) => [path, JSON.parse(text)]),
    ),
    logs: Object.fromEntries(
      (await files(join(attempt, 'logs'))).map(([name, text]) => [name.replace(/\.log$/, ''), text]),
    ),
  };
}

async function files(folder: string): Promise<[path: string, text: string][]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  return Promise.all(paths.map(async (path) => [path.slice(folder.length + 1), await readFile(path, 'utf8')]));
}

/**
 * Whether a run there has given what the same run here gave: its end and message, what each task was given, read and stored, by value or by
 * hash, and what each printed.
 */
export async function expectSame(cloud: Cloud, example: string, there: Ended, local: Local): Promise<void> {
  const failed = local.code !== 0;
  expect(there, there.cause).toMatchObject({ status: failed ? 'FAILED' : 'SUCCEEDED' });
  if (failed) {
    const { message } = JSON.parse(there.cause ?? '{}') as { readonly message?: string };
    expect(textOf(cloud, message ?? '')).toBe(textOf(cloud, local.message ?? '', local.project));
  }
  expect(comparable(await results(cloud, there), failed)).toEqual(comparable(local.results, failed));
  // The execution ends before the container does, and its last lines come later still.
  const printed = await vi.waitFor(
    async () => {
      const logs = await containerLogs(cloud, example, there);
      for (const [task, text] of Object.entries(logs))
        expect(lines(textOf(cloud, text)), task).toEqual(lines(textOf(cloud, local.logs[task] ?? '', local.project)));
      return logs;
    },
    { timeout: 60_000, interval: cloud.small ? 100 : 3000 },
  );
  const said = Object.entries(local.logs).flatMap(([task, text]) =>
    task in printed ? [] : [textOf(cloud, text.replace(/\n$/, ''), local.project)],
  );
  expect(
    echoed(there)
      .map((text) => textOf(cloud, text))
      .sort(),
  ).toEqual(said.sort());
}

/** CloudWatch keeps no empty lines. */
function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/**
 * Without the folder of the project, which is another in a container; and without the carets under a line of a traceback, where the Python
 * of an account's image may be older than 3.11, which began with them.
 */
export function textOf(cloud: Cloud, text: string, project?: string): string {
  const known = project === undefined ? text : text.replaceAll(project, 'PROJECT');
  const placeless = known.replaceAll(/\/[\w./-]*\/trowel-\w+\/project\b/g, 'PROJECT');
  return cloud.small ? placeless : placeless.replaceAll(/^ *[~^]+\n/gm, '');
}

/**
 * Times differ. So does the hash of what a handler of errors has seen, for it has seen the folder in the traceback: what it made of that is
 * compared by the test.
 */
function comparable(value: unknown, failed: boolean): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, each) => {
      if (key === 'seconds') return 0;
      if (key === 'seen' && failed) return '';
      // Of each secret its version there, a salted hash of its value here.
      return key === 'secrets' ? Object.keys(each as object) : each;
    }),
  );
}

/** Texts that echo> made, from the history. */
function echoed({ events }: Ended): string[] {
  return events.flatMap(({ taskSucceededEventDetails: details }) => {
    const { Payload } = JSON.parse(details?.output ?? '{}') as { readonly Payload?: { readonly text?: string } };
    return Payload?.text === undefined ? [] : [Payload.text];
  });
}
