/** Runs a workflow of an example here, as it would be deployed, and counts. */
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { readParameters } from '../../lib/cloud/session-defaults.ts';
import { compile } from '../../lib/compiler/compile.ts';
import { loadProject } from '../../lib/language/project.ts';
import type { Mapping } from '../../lib/language/workflow.ts';
import { Run } from '../../lib/local/run/run.ts';
import { runHost } from '../../lib/local/start/run-host.ts';
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

/** The parameters of a workflow, from the example's folder and name. */
const GIVEN: { readonly [workflow: string]: (servers: Servers) => Mapping } = {
  'operator-guide/error_mail': ({ mailPort }) => ({ smtp_host: '127.0.0.1', smtp_port: mailPort }),
  'operator-guide/error_slack': ({ web }) => ({ slack_url: web }),
  // As its caller does.
  'project/ingest': () => ({ products: ['apples', 'pears'] }),
};
/** Files of parameters that a workflow's comment says to give. */
const FILES: { readonly [workflow: string]: readonly string[] } = {
  'operator-guide/ingest': ['config/params.yml'],
};
const SECRETS = ['report.webhook', 'td.apikey'];

interface Servers {
  /** Answers 200; also what every secret says. */
  readonly web: string;
  /** Takes every mail. */
  readonly mailPort: number;
}

/** Every workflow of a folder, by name. `install_package` wants the package index. */
export async function countExamples(folder: string): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'trowel-bench-'));
  const web = createServer((_, response) => void response.end('ok'));
  const post = new SMTPServer({
    authOptional: true,
    logger: false,
    onData: (mail, _, done) => mail.resume().on('end', done),
  });
  try {
    const servers = { web: `http://127.0.0.1:${await portOf(web)}/`, mailPort: await portOf(post) };
    const dir = join(home, basename(folder));
    cpSync(folder, dir, { recursive: true, filter: (path) => !/[\\/](\.trowel|data)$/.test(path) });
    const secrets = join(home, 'config', 'digdag', 'secrets');
    mkdirSync(secrets, { recursive: true });
    for (const key of SECRETS) writeFileSync(join(secrets, key), servers.web);
    const env = { ...process.env, XDG_CONFIG_HOME: join(home, 'config') };
    const names = readdirSync(dir).flatMap((file) => (file.endsWith('.dig') ? [file.slice(0, -'.dig'.length)] : []));
    const rows: Row[] = [];
    for (const name of names.sort()) rows.push(await countOne(dir, name, servers, env));
    return rows;
  } finally {
    post.close();
    web.close();
    web.closeAllConnections();
    rmSync(home, { recursive: true, force: true });
  }
}

async function portOf(server: Server | SMTPServer): Promise<number> {
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return (listening.address() as AddressInfo).port;
}

async function countOne(dir: string, name: string, servers: Servers, env: NodeJS.ProcessEnv): Promise<Row> {
  const shown = `${basename(dir)}/${name}`;
  const project = await loadProject(dir);
  const { config } = project;
  for (const each of project.workflowNames()) project.workflow(each);
  const { workflows } = project;
  const workflow = workflows.get(name);
  const compiled = workflow && compile(workflow, { workflows, timezone: config.timezone, target: 'aws' }).compiled;
  if (workflow === undefined || compiled === undefined) throw new Error(`${name} cannot be deployed`);
  const counter = new Counter();
  const run = new Run({
    ...runHost(project, {}, { env }),
    workflow: name,
    compiled,
    sessionTime: '2030-01-31T00:00:00+00:00',
    params: { ...readParameters(dir, [...config.params, ...(FILES[shown] ?? [])]).params, ...GIVEN[shown]?.(servers) },
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
  return { name: shown, status, tasks: counter.containers, trowel: counter, plain };
}
