import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Assignment } from '../../../../lib/contract/assignment.ts';
import type { Report } from '../../../../lib/contract/report.ts';
import { pythonPackageFolder } from '../../../../lib/host/package-folder.ts';
import { WorkerPool } from '../../../../lib/local/workers/worker-pool.ts';
import { sequence } from '../machines.ts';
import { eventually, isRunning, runIn } from '../project.ts';
import { temporary } from '../temporary.ts';

const TASKS = `
import os, signal, sys, time
def kill_worker():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(5)
def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)
def leave():
    os._exit(0)
def flood(mb):
    line = "x" * 1023 + "\\n"
    for _ in range(mb * 1024):
        sys.stdout.write(line)
def bad_text():
    os.write(1, b"caf\\xe9 \\xff\\n")
def close():
    os.close(1)
def daemon():
    if os.fork() == 0:
        os.setsid()
        open("daemon", "w").write(str(os.getpid()))
        time.sleep(60)
    while not os.path.exists("daemon"): time.sleep(0.01)
def hold():
    open("pid", "w").write(str(os.getpid()))
    time.sleep(60)
def wait_for_go():
    while not os.path.exists("go"): time.sleep(0.01)
    kill_self()
def fine():
    print("fine")
`;

async function poolIn(project: string, preload: readonly string[] = []): Promise<WorkerPool> {
  const pool = new WorkerPool({ python: ['python3'], cwd: project, preload, packageFolder: pythonPackageFolder() });
  onTestFinished(() => pool.stop(0));
  return pool;
}

function start(id: string, command: string, params = {}) {
  const assignment: Assignment = {
    v: 1,
    task: `+main+${id}`,
    operator: 'py',
    params: { 'py>': command, _command: command, ...params },
    keys: ['py>'],
    env: {},
    secrets_map: {},
    secret_texts: { env: {} },
    layers: [],
    merge: 0,
    builtins: { vars: {}, attempt: { root: '', workflow: 'main' } },
    root: '',
    result: '',
    frames: [],
  };
  return { id, assignment, secrets: {} };
}

const quiet = { log: () => undefined };

/** A stand-in for an adapter, which a preloaded module adds to the runner. */
const ADAPTED = {
  'paths.py':
    'import os, trowel_task.adapters as room\nroom.__path__.append(os.path.join(os.path.dirname(__file__), "standins"))\n',
  'standins/standin.py': `
def run(host):
    started = host.python()
    host.report("asset", {"key": "a", "token": "hush-hush"})
    ended = started.wait()
    host.report("ended", ended.exit, "warning")
    host.fail("the script was killed", ended.exit)
`,
};

describe('a worker', () => {
  it('passes on what an adapter reports at once, whatever becomes of user code', async () => {
    const project = await temporary({ 'tasks.py': TASKS, ...ADAPTED });
    const pool = await poolIn(project, ['paths']);
    const { id, assignment } = start('a', 'tasks.wait_for_go');
    const reports: Report[] = [];
    const run = pool.run(
      { id, assignment: { ...assignment, adapter: 'standin' }, secrets: { k: 'hush-hush' } },
      {
        ...quiet,
        report: (report) => {
          reports.push(report);
          // The task ends only when somebody has heard it.
          if (report.kind === 'asset') writeFileSync(join(project, 'go'), '');
          return undefined;
        },
      },
    );
    expect((await run).result).toMatchObject({ ok: false, error: { message: 'the script was killed', exit: 137 } });
    expect(reports).toEqual([
      { kind: 'asset', level: 'info', data: { key: 'a', token: '***' } },
      { kind: 'ended', level: 'warning', data: 137 },
    ]);
  });

  it('that dies loses its tasks, and the next task gets another', async () => {
    const pool = await poolIn(await temporary({ 'tasks.py': TASKS }));
    const other = pool.run(start('b', 'tasks.hold'), quiet);
    const lost = { name: 'WorkerLost', early: false, message: expect.stringContaining('killed by SIGKILL') };
    await Promise.all([
      expect(other).rejects.toMatchObject(lost),
      expect(pool.run(start('a', 'tasks.kill_worker'), quiet)).rejects.toMatchObject(lost),
    ]);
    expect((await pool.run(start('c', 'tasks.fine'), quiet)).result.ok).toBe(true);
  });

  it('that cannot start says why, once and for all', async () => {
    const pool = await poolIn(await temporary());
    const options = { python: ['/nowhere/python'] };
    for (const id of ['a', 'b']) {
      await expect(pool.run(start(id, 'tasks.fine'), quiet, options)).rejects.toMatchObject({
        early: true,
        message: 'Python cannot be started (/nowhere/python): there is no command /nowhere/python',
      });
    }
  });

  it('is there once for each interpreter', async () => {
    const pool = await poolIn(await temporary({ 'tasks.py': TASKS }));
    const seen: number[] = [];
    for (const python of [['python3'], ['env', 'python3'], ['python3']]) {
      const code = start(python.join(), 'os.getppid');
      await pool.run(code, { ...quiet, started: (pid) => void seen.push(Number(parentOf(pid))) }, { python });
    }
    expect(seen[0]).toBe(seen[2]);
    expect(seen[1]).not.toBe(seen[0]);
  });

  it('waits with 100 MB of output until it is read', async () => {
    const pool = await poolIn(await temporary({ 'tasks.py': TASKS }));
    let bytes = 0;
    let open = 0;
    let most = 0;
    const log = (text: string): Promise<void> => {
      bytes += text.length;
      open += 1;
      most = Math.max(most, open);
      return new Promise((resolve) =>
        setImmediate(() => {
          open -= 1;
          resolve();
        }),
      );
    };
    const { result } = await pool.run(start('a', 'tasks.flood', { mb: 100 }), { log });
    expect(result.ok).toBe(true);
    expect(bytes).toBe(100 * 1024 * 1024);
    expect(most).toBe(1);
  });

  function parentOf(pid: number): string | undefined {
    return /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  }
});

describe('a task that misbehaves', () => {
  it.each<[string, string, unknown]>([
    [
      'dies by SIGKILL',
      'kill_self',
      { ok: false, error: { name: 'Trowel.TaskFailed', message: expect.stringContaining('SIGKILL') } },
    ],
    ['exits without a result', 'leave', { ok: false, error: { name: 'Trowel.TaskFailed' } }],
    ['closes its output', 'close', { ok: true }],
    ['writes what is no text', 'bad_text', { ok: true }],
  ])('%s: a clear result, and the others go on', async (_, name, result) => {
    const pool = await poolIn(await temporary({ 'tasks.py': TASKS }));
    const [ended, other] = await Promise.all([
      pool.run(start('a', `tasks.${name}`), quiet),
      pool.run(start('b', 'tasks.fine'), quiet),
    ]);
    expect(ended.result).toMatchObject(result as object);
    expect(other.result.ok).toBe(true);
  });

  it('leaves no daemon behind', async () => {
    const project = await temporary({ 'tasks.py': TASKS });
    const task = { name: '+main+a', op: 'py', keys: { 'py>': 'tasks.daemon', _command: 'tasks.daemon' } };
    expect((await runIn(project, sequence([task]))).result.status).toBe('succeeded');
    const pid = Number(readFileSync(join(project, 'daemon'), 'utf8'));
    expect(await eventually(async () => !(await isRunning(pid)))).toBe(true);
  });
});

it('SIGKILL of the host ends tasks and worker', async () => {
  const project = await temporary({ 'tasks.py': TASKS });
  const code = `
    import { WorkerPool } from ${JSON.stringify(join(process.cwd(), 'lib/local/workers/worker-pool.ts'))};
    const pool = new WorkerPool(${JSON.stringify({ python: ['python3'], cwd: project, packageFolder: pythonPackageFolder() })});
    pool.run(${JSON.stringify(start('a', 'tasks.hold'))}, { log: () => undefined, started: (pid) => console.log(pid) });`;
  const host = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
  const pid = join(project, 'pid');
  expect(await eventually(() => existsSync(pid) && readFileSync(pid, 'utf8') !== '')).toBe(true);
  const task = Number(readFileSync(pid, 'utf8'));
  const worker = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${task}/stat`, 'utf8'))?.[1]);
  host.kill('SIGKILL');
  expect(await eventually(async () => !(await isRunning(task)) && !(await isRunning(worker)))).toBe(true);
});
