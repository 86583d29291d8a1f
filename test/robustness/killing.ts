/**
 * Kills the command line at random moments of a run, resumes the run until it is done, and holds what happened against what is
 * promised: a task whose success is recorded (results/…, written before anybody is told of it) is never run again.
 */
import { appendFileSync, existsSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { fileName } from '../../lib/contract/names.ts';
import { project } from '../lib/cli/run-cli.ts';
import { attemptFolder, eventsOf, left, read, start, trowel } from './cli.ts';

const MAIN = `
timezone: UTC
_export:
  base: 7
+plan:
  py>: tasks.plan
+fetch:
  for_each>: {region: "\${regions}"}
  _parallel: true
  _do:
    +get:
      py>: tasks.get
    +clean:
      sh>: echo "start $task_name $attempt_id" >> journal; sleep 0.1; echo "clean $region" >> cleaned.$region; echo "end $task_name $attempt_id" >> journal
+sum:
  loop>: 4
  _do:
    +add:
      py>: tasks.add
+both:
  _parallel: true
  +left:
    +one:
      py>: tasks.work
    +post:
      http>: \${url}/post
      method: POST
      content: {total: "\${total}", base: "\${base}"}
      store_content: true
    +three:
      py>: tasks.content
  +right:
    +one:
      sh>: echo "start $task_name $attempt_id" >> journal; sleep 0.2; echo "end $task_name $attempt_id" >> journal
    +put:
      http>: \${url}/put/\${total}
      method: PUT
      content: x
    +two:
      py>: tasks.work
+again:
  _retry: 3
  +before:
    py>: tasks.work
  +flaky:
    py>: tasks.flaky
+chosen:
  if>: \${total > 1}
  _do:
    +yes:
      py>: tasks.work
+part:
  call>: part.dig
+other:
  require>: other
+report:
  py>: tasks.report
`;

const TASKS = `
import digdag, json, os, time

class Step:
    """Tells the journal of the start and the end of a task."""
    def __enter__(self):
        self.write("start")
        time.sleep(0.15)
    def __exit__(self, *error):
        if error[0] is None:
            self.write("end")
    def write(self, what):
        with open("journal", "a") as file:
            file.write(f"{what} {digdag.env.params['task_name']} {digdag.env.params['attempt_id']}\\n")

def plan():
    with Step():
        digdag.env.store({"regions": ["eu", "us", "jp"], "total": 0})
def get(region, base):
    with Step():
        print("got", region)
        digdag.env.store({"got": {region: base * len(region)}, "big_" + region: region * 10_000})
def add(total, i):
    with Step():
        digdag.env.store({"total": total + i + 1})
def work(total):
    with Step():
        digdag.env.store({"worked": {digdag.env.params["task_name"]: total}})
def content():
    with Step():
        digdag.env.store({"answer": digdag.env.params["http"]["last_content"]})
def flaky(total):
    with Step():
        with open("tries", "a") as file:
            file.write("x")
        if os.path.getsize("tries") < 3:
            raise RuntimeError("not yet")
        digdag.env.store({"flaky": total})
def report(got, total, worked, answer, flaky):
    with Step():
        bigs = {name: len(digdag.env.params["big_" + name]) for name in got}
        with open("report.json", "w") as file:
            json.dump([got, total, worked, answer, flaky, bigs], file, sort_keys=True)
`;

const FILES = {
  'main.dig': MAIN,
  'part.dig': '+in_part:\n  py>: tasks.work\n+more:\n  sh>: sleep 0.1\n',
  'other.dig': 'timezone: UTC\n+in_other:\n  py>: tasks.work\n  total: 3\n+last:\n  py>: tasks.work\n  total: 4\n',
  'tasks.py': TASKS,
};

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Counts requests by path; answers with the body it got. */
export async function countingServer(): Promise<{ url: string; requests: Map<string, number>; close(): void }> {
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.set(path, (requests.get(path) ?? 0) + 1);
    let body = '';
    request.setEncoding('utf8').on('data', (part) => (body += part));
    request.on('end', () => setTimeout(() => response.end(`got ${body}`), 100));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => server.close(),
  };
}

export interface Tally {
  kills: number;
  /** Kills while a task was under way. */
  hits: number;
  readonly tasks: Set<string>;
  attempts: number;
  runs: number;
}

export const newTally = (): Tally => ({ kills: 0, hits: 0, tasks: new Set(), attempts: 0, runs: 0 });

/** What an undisturbed run leaves: its report. */
export async function undisturbed(): Promise<string> {
  const server = await countingServer();
  const cwd = await project(FILES);
  const { code, stderr } = await trowel(['run', 'main', '-p', `url=${server.url}`], { cwd });
  server.close();
  expect(`${code} ${stderr}`).toMatch(/^0 /);
  return read(join(cwd, 'report.json'));
}

/** One run, killed until at most `kills` are reached, then left alone; returns its report. */
export async function killedRun(tally: Tally, random: () => number, kills: number): Promise<string> {
  const server = await countingServer();
  const cwd = await project(FILES);
  const done = new Map<string, number>();
  const asked = new Map<string, number>();
  try {
    for (;;) {
      const before = attemptsIn(cwd).at(-1) ?? 0;
      const args = ['run', 'main', '-p', `url=${server.url}`, ...(before === 0 ? [] : ['--resume'])];
      const run = start(args, { cwd });
      tally.attempts += 1;
      if (tally.kills < kills) void killLater(run.process, cwd, before, random);
      const { code, stdout, stderr } = await run.ended;
      // What the killed command started ends with it.
      expect(await left(run.mark, 6)).toEqual([]);
      const now = attemptsIn(cwd).at(-1) ?? 0;
      expectNothingRepeated(cwd, now, done, server.requests, asked);
      if (code !== null) {
        // It may have been killed when its success was recorded already, in the moment before its exit.
        const over = before > 0 && stderr.includes(`The last attempt of main, ${before}, is succeeded`);
        if (!over) expect(`${code} ${stdout} ${stderr}`).toMatch(/^0 /);
        expectWhole(cwd, done);
        tally.runs += 1;
        return read(join(cwd, 'report.json'));
      }
      tally.kills += 1;
      const under = now > before ? underWay(cwd, now) : [];
      if (under.length > 0) tally.hits += 1;
      for (const task of under) tally.tasks.add(task);
      if (now > 0 && random() < 0.4) await tear(cwd, now, random);
    }
  } finally {
    server.close();
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** Mostly while tasks run, sometimes before that. */
async function killLater(
  child: { kill(signal: 'SIGKILL'): boolean; exitCode: number | null },
  cwd: string,
  before: number,
  random: () => number,
) {
  const early = random() < 0.1;
  const delay = 20 + random() * (early ? 500 : 1100);
  if (!early) {
    while (child.exitCode === null && !/task-started/.test(read(join(attemptFolder(cwd, before + 1), 'events.jsonl'))))
      await sleep(10);
  }
  await sleep(delay);
  child.kill('SIGKILL');
}

function attemptsIn(cwd: string): number[] {
  const folder = join(cwd, '.trowel', 'attempts');
  return existsSync(folder)
    ? readdirSync(folder)
        .map(Number)
        .sort((a, b) => a - b)
    : [];
}

/** Files of results below an attempt, of required workflows too. */
function recordsOf(cwd: string, attempt: number): string[] {
  const folder = attemptFolder(cwd, attempt);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|\/)results\/.*\.json$/.test(path),
  );
}

function taskOf(record: string): string {
  return (record.split('/').at(-1) ?? '').replace(/\.[\d-]+\.json$/, '');
}

/** Tasks that had begun and not ended when the command was killed. */
function underWay(cwd: string, attempt: number): string[] {
  const open = new Set<string>();
  for (const event of eventsOf(cwd, attempt)) {
    if (event.type === 'task-started') open.add(event.task);
    if (event.type === 'task-succeeded' || event.type === 'task-failed') open.delete(event.task);
  }
  return [...open];
}

function expectNothingRepeated(
  cwd: string,
  attempt: number,
  done: Map<string, number>,
  requests: ReadonlyMap<string, number>,
  asked: Map<string, number>,
): void {
  const records = recordsOf(cwd, attempt);
  // Nobody is told of a success that is not recorded.
  const recorded = new Set([...records, ...done.keys()].map(taskOf));
  for (const event of eventsOf(cwd, attempt)) {
    if (event.type === 'task-succeeded' && !INSTANT.test(event.task)) expect(recorded).toContain(fileName(event.task));
  }
  for (const record of records) {
    // Killed before it had an attempt of its own, the command leaves that of before as it was.
    const by = done.get(record) ?? attempt;
    expect(`${record} recorded by attempt ${by}`).toBe(`${record} recorded by attempt ${attempt}`);
    done.set(record, attempt);
  }
  for (const [path, count] of asked) expect(`${path} ${requests.get(path)}`).toBe(`${path} ${count}`);
  for (const [path, count] of requests) {
    const task = path === '/post' ? '+main+both+left+post' : '+main+both+right+put';
    if (recorded.has(task)) asked.set(path, count);
  }
}

/** Operators that do nothing of their own: they have no record. */
const INSTANT = /\^(?!sub)|\+other$/;

/** The journal of the tasks themselves: none has begun in an attempt after that which has its result. */
function expectWhole(cwd: string, done: ReadonlyMap<string, number>): void {
  const recorded = new Map([...done].map(([path, attempt]) => [taskOf(path), attempt]));
  const ended = new Set<string>();
  for (const line of read(join(cwd, 'journal')).trim().split('\n')) {
    const [what, task = '', attempt] = line.split(' ');
    if (what === 'end') ended.add(task);
    // A retried group begins anew.
    if (task.startsWith('+main+again')) continue;
    const by = recorded.get(fileName(task)) ?? 0;
    expect(`${line}: ${Number(attempt) <= by}, done by ${by}`).toBe(`${line}: true, done by ${by}`);
  }
  expect(ended.size).toBe(22);
}

/** As if the machine had stopped within a write: the last line of the events is not whole. */
async function tear(cwd: string, attempt: number, random: () => number): Promise<void> {
  const path = join(attemptFolder(cwd, attempt), 'events.jsonl');
  if (!existsSync(path)) return;
  const { size } = statSync(path);
  if (random() < 0.5) appendFileSync(path, '{"type":"task-succee');
  else truncateSync(path, Math.max(0, size - 2 - Math.floor(random() * 20)));
  const { code, stderr } = await trowel(['log', String(attempt)], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('internal error') });
}
