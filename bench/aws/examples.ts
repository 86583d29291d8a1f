/** Runs a workflow of an example here, as it would be deployed, and counts. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pythonOf, startLocalRun } from '../../lib/cli/local-run.ts';
import { readParameters } from '../../lib/cloud/session-defaults.ts';
import { compile } from '../../lib/compiler/compile.ts';
import { loadProject } from '../../lib/language/project.ts';
import { Counter, type Counts } from './count.ts';
import { Plain } from './plain.ts';

export interface Row {
  readonly name: string;
  readonly status: string;
  /** Of Python and shell. */
  readonly tasks: number;
  readonly trowel: Counts;
  readonly plain: Counts;
}

/** Secrets that examples name get the address of a server here, which answers 200. */
export async function countExamples(folder: string, only: readonly string[]): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'trowel-bench-'));
  const server = createServer((_, response) => void response.end('ok')).listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  try {
    const dir = join(home, basename(folder));
    cpSync(folder, dir, { recursive: true });
    const secrets = join(home, 'config', 'digdag', 'secrets');
    mkdirSync(secrets, { recursive: true });
    for (const key of ['report.webhook', 'slack.webhook', 'api.key']) {
      writeFileSync(join(secrets, key), `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    }
    const rows: Row[] = [];
    for (const name of only)
      rows.push(await countOne(dir, name, { ...process.env, XDG_CONFIG_HOME: join(home, 'config') }));
    return rows;
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(home, { recursive: true, force: true });
  }
}

async function countOne(dir: string, name: string, env: NodeJS.ProcessEnv): Promise<Row> {
  const project = await loadProject(dir);
  const { config } = project;
  for (const each of project.workflowNames()) project.workflow(each);
  const { workflows } = project;
  const workflow = workflows.get(name);
  const compiled = workflow && compile(workflow, { workflows, timezone: config.timezone, target: 'aws' }).compiled;
  if (workflow === undefined || compiled === undefined) throw new Error(`${name} cannot be deployed`);
  const counter = new Counter();
  const python = pythonOf({ project, env, foreground: false, debugging: false, dryRun: false });
  const run = startLocalRun({
    ...{ project, workflow: name, compiled, rerunChanged: false, dryRun: false, env, python },
    required: async () => undefined,
    sessionTime: '2030-01-31T00:00:00+00:00',
    params: readParameters(dir, config.params).params,
    secretCommand: (key) => key,
    signal: new AbortController().signal,
    onHistory: counter.add,
  });
  const started = new Set<string>();
  const failed = new Set<string>();
  for await (const event of run) {
    if (event.type === 'task-started') started.add(event.task);
    if (event.type === 'task-succeeded') failed.delete(event.task);
    if (event.type === 'task-failed') failed.add(event.task);
  }
  const { status } = await run.result;
  // Full names begin with the workflow's; iterations lie below `^sub`.
  const rounds = (path: string) => {
    const below = `+${name}${path}^sub`;
    const names = [...started].filter((task) => task.startsWith(`${below}+`));
    return new Set(names.map((task) => task.slice(below.length).split(/(?<!^)\+|\^/)[0])).size;
  };
  const plain = await new Plain(workflows, { rounds, failed: (path) => failed.has(`+${name}${path}`) }).count({
    ...workflow,
    root: { ...workflow.root, name: '' },
  });
  return { name: `${basename(dir)}/${name}`, status, tasks: counter.containers, trowel: counter, plain };
}
