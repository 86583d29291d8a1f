import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { TROWEL } from '../trowel.ts';

/** case.yaml beside the files of a project. */
interface Fault {
  readonly about: string;
  /** The `python3` of the tasks has numpy, pandas, polars and pyarrow. */
  readonly data?: boolean;
  readonly secrets?: { readonly [key: string]: string };
  /** What two servers answer, by path; workflows get their ports as the parameters `port` and `other`. `PORT` and `OTHER` in an answer are these. */
  readonly answers?: { readonly [path: string]: Answer };
  /** Run one after the other in the same folder. */
  readonly steps: readonly Step[];
  /** Neither printed by any step, nor in any file below .trowel, but for results and values. */
  readonly never?: readonly string[];
  /** Requests that the servers got, as `port|other METHOD path headers body`. */
  readonly sent_has?: readonly string[];
  readonly sent_lacks?: readonly string[];
  /** In no request to the server `other`. */
  readonly other_lacks?: readonly string[];
  /** Files below .trowel are readable by their owner alone. */
  readonly private?: boolean;
}

interface Answer {
  readonly status?: number;
  readonly location?: string;
  readonly body?: string;
}

interface Step {
  readonly args: readonly string[];
  /** 0 where absent. */
  readonly exit?: number;
  /** The whole standard output. */
  readonly out?: string;
  /** The number of its lines. */
  readonly lines?: number;
  /** In standard output or standard error. */
  readonly has?: readonly string[];
  readonly lacks?: readonly string[];
}

/** Runs the case in a copy of its folder. */
export async function runFault(folder: string): Promise<void> {
  const fault = parse(await readFile(join(folder, 'case.yaml'), 'utf8')) as Fault;
  const box = await mkdtemp(join(tmpdir(), 'fault-'));
  const requests: string[] = [];
  const servers = fault.answers === undefined ? [] : await serve(fault.answers, requests);
  try {
    const cwd = join(box, 'project');
    await cp(folder, cwd, { recursive: true });
    await rm(join(cwd, 'case.yaml'));
    const env = environment(box, fault.data === true);
    const secrets = Object.entries(fault.secrets ?? {}).map(([key, value]) => `${key}=${value}`);
    if (secrets.length > 0) await trowel(['secrets', '--local', '--set', ...secrets], cwd, env);
    const ports = ['port', 'other']
      .slice(0, servers.length)
      .flatMap((name, at) => ['-p', `${name}=${port(servers[at])}`]);
    let printed = '';
    for (const step of fault.steps) {
      const seen = await trowel([...step.args, ...(step.args[0] === 'run' ? ports : [])], cwd, env);
      printed += seen.text;
      expectStep(step, seen, fault.about);
    }
    await expectNever(fault.never ?? [], printed, join(cwd, '.trowel'));
    if (fault.private === true) expect(await readableByOthers(join(cwd, '.trowel'))).toEqual([]);
    for (const text of fault.sent_has ?? []) expect(requests.join('\n')).toContain(text);
    for (const text of fault.sent_lacks ?? []) expect(requests.join('\n')).not.toContain(text);
    const other = requests.filter((request) => request.startsWith('other ')).join('\n');
    for (const text of fault.other_lacks ?? []) expect(other).not.toContain(text);
  } finally {
    for (const server of servers) server.close();
    await rm(box, { recursive: true, force: true });
  }
}

interface Seen {
  readonly exit: number;
  readonly stdout: string;
  readonly text: string;
}

function expectStep({ args, exit = 0, out, lines, has = [], lacks = [] }: Step, seen: Seen, about: string): void {
  const told = `${about}\n$ trowel ${args.join(' ')}\n${seen.text}`;
  expect(seen.exit, told).toBe(exit);
  if (out !== undefined) expect(seen.stdout, told).toBe(out);
  if (lines !== undefined) expect(seen.stdout.split('\n').length - 1, about).toBe(lines);
  for (const text of has) expect(seen.text, about).toContain(text);
  for (const text of lacks) expect(seen.text, about).not.toContain(text);
}

/** With settings, secrets and caches of its own. */
function environment(home: string, data: boolean): NodeJS.ProcessEnv {
  const { NO_COLOR: _n, FORCE_COLOR: _f, CI: _c, ...rest } = process.env;
  const own = { HOME: home, XDG_CONFIG_HOME: join(home, 'config'), XDG_CACHE_HOME: join(home, 'cache') };
  const bin = dirname(process.env.TROWEL_MOTO_PYTHON!);
  return { ...rest, ...own, ...(data ? { PATH: `${bin}${delimiter}${process.env.PATH}` } : {}) };
}

function trowel(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Seen> {
  return new Promise((resolve) => {
    const options = { cwd, env, maxBuffer: 1e8 };
    execFile(process.execPath, [TROWEL, ...args], options, (error, stdout, stderr) => {
      resolve({ exit: error === null ? 0 : Number(error.code ?? -1), stdout, text: stdout + stderr });
    }).stdin?.end();
  });
}

async function expectNever(texts: readonly string[], printed: string, history: string): Promise<void> {
  for (const text of texts) {
    expect(printed).not.toContain(text);
    for (const path of await readdir(history, { recursive: true })) {
      if (/\/(?:results|values)\//.test(path) || !(await stat(join(history, path))).isFile()) continue;
      expect(await readFile(join(history, path), 'utf8'), path).not.toContain(text);
    }
  }
}

async function readableByOthers(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const path of await readdir(folder, { recursive: true })) {
    if (((await stat(join(folder, path))).mode & 0o077) !== 0) found.push(path);
  }
  return found;
}

async function serve(answers: { readonly [path: string]: Answer }, requests: string[]): Promise<Server[]> {
  const servers: Server[] = [];
  const filled = (text: string): string =>
    text.replaceAll('PORT', String(port(servers[0]))).replaceAll('OTHER', String(port(servers[1])));
  for (const name of ['port', 'other']) {
    const server = createServer(async (request, response) => {
      const body: Buffer[] = [];
      for await (const part of request) body.push(part);
      requests.push(
        [name, request.method, request.url, JSON.stringify(request.headers), Buffer.concat(body).toString()].join(' '),
      );
      const { status = 200, location, body: text = '' } = answers[request.url ?? ''] ?? {};
      response.writeHead(status, location === undefined ? {} : { location: filled(location) });
      response.end(filled(text));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
  }
  return servers;
}

function port(server: Server | undefined): number {
  const address = server?.address() as AddressInfo | undefined;
  return address?.port ?? 0;
}
