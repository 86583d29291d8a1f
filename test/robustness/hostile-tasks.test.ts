import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../lib/events/run-event.ts';
import { project } from '../lib/cli/run-cli.ts';
import { type Ended, endsOf, eventsOf, left, logOf, marked, read, start, trowel, until } from './cli.ts';

/** Functions that end well, whatever they do on their way: each stores its name at its end. */
const ENDS_WELL: { readonly [name: string]: string } = {
  writes_no_utf8: 'os.write(1, b"caf\\xe9 \\xff\\xfe \\xed\\xa0\\x80\\n")',
  closes_stdout: 'os.close(1)',
  closes_its_streams: 'sys.stdout.close(); sys.stderr.close(); sys.stdin.close()',
  closes_every_descriptor: 'os.closerange(0, 4096)',
  reuses_every_descriptor: 'os.closerange(0, 4096); kept = [open("reused", "w") for _ in range(20)]',
  writes_into_every_descriptor: 'spray(b"5\\n")',
  writes_a_false_outcome: 'spray(b"[]\\n"); spray(b\'{"ok": true, "result": 5}\\n\'); spray(b\'{"ok": 0}\')',
  forks_a_daemon: 'daemon(lambda: time.sleep(600))',
  forks_a_stubborn_daemon: 'daemon(lambda: (ignore(), time.sleep(600)))',
  forks_a_daemon_that_executes: 'daemon(lambda: os.execve("/bin/sleep", [os.environ["ROBUST_MARK"], "600"], {}))',
  forks_a_daemon_that_holds_no_pipe:
    'daemon(lambda: (os.closerange(0, 4096), os.chdir("/"), os.execve("/bin/sleep", [os.environ["ROBUST_MARK"], "600"], {})))',
  forks_and_both_return: 'os.fork()',
  leaves_a_child_that_ignores_signals: `subprocess.Popen(["sh", "-c", "trap '' TERM HUP INT; while :; do sleep 1; done"])`,
  leaves_a_pipeline: 'subprocess.Popen("setsid nohup sleep 600 | cat > /dev/null &", shell=True).wait()',
  prints_a_long_line: 'sys.stdout.write("y" * 10_000_000 + "\\n")',
  fills_stderr: 'for _ in range(20): sys.stderr.write(("e" * 99 + "\\n") * 10_000)',
  fills_stdout_from_threads: 'together(lambda n: [print(str(n) * 99) for _ in range(500)])',
  changes_cwd: 'os.chdir("/")',
  deletes_its_cwd: 'os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")',
  deletes_its_scratch: 'shutil.rmtree(os.environ["PIP_TARGET"])',
  ignores_signals: 'ignore()',
  raises_in_a_thread: 'together(lambda n: 1 / 0)',
  prints_control_characters: String.raw`print("a\0b \x1b[31mred\x1b[0m \x1b]0;title\x07 \r\x1b[2Kerased \x9b31m \u2028")`,
  clears_its_environment: 'os.environ.clear()',
  changes_its_umask: 'os.umask(0o077)',
  replaces_sys: 'sys.stdout = sys.stderr = None; sys.modules.pop("json", None); sys.path.clear()',
  recurses_within_bounds: 'sys.setrecursionlimit(50)',
};

/** Functions that fail, and what their error says. */
const FAILS: { readonly [name: string]: readonly [code: string, message: string] } = {
  dies_by_sigkill: [
    'os.kill(os.getpid(), signal.SIGKILL)',
    'the task was killed by signal 9 (SIGKILL), perhaps out of memory',
  ],
  dies_of_a_crash: ['ctypes.string_at(0)', 'the task was killed by signal 11 (SIGSEGV)'],
  dies_with_its_group: [
    'os.killpg(0, signal.SIGKILL)',
    'the task was killed by signal 9 (SIGKILL), perhaps out of memory',
  ],
  dies_by_abort: ['os.abort()', 'the task was killed by signal 6 (SIGABRT)'],
  exits_without_a_result: ['os._exit(0)', 'the task ended without a result (exit code 0)'],
  exits_with_a_code: ['os._exit(7)', 'the task ended without a result (exit code 7)'],
  becomes_another_program: ['os.execv("/bin/true", ["true"])', 'the task ended without a result (exit code 0)'],
  forks_and_the_parent_leaves: ['os.fork() and os._exit(0)', 'the task ended without a result (exit code 0)'],
  recurses: ['recurse()', 'maximum recursion depth exceeded'],
  has_no_memory: ['resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); bytearray(1 << 32)', 'MemoryError'],
  has_no_descriptors: [
    'resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12)); kept = [open("/dev/null") for _ in range(20)]',
    'Too many open files',
  ],
  fails_with_control_characters: [String.raw`raise ValueError("a\0b \x1b[2J\x1b]0;title\x07")`, 'ValueError'],
  fails_with_no_text: ['raise Wordless()', 'the text of this Wordless could not be made'],
  fails_with_a_long_text: ['raise ValueError("z" * 5_000_000)', 'shortened, the whole text is in the log'],
  stores_what_is_no_json: ['digdag.env.store({"x": object()})', 'object'],
};

const CODE = `
import ctypes, os, resource, shutil, signal, subprocess, sys, threading, time
import digdag

class Wordless(Exception):
    def __str__(self):
        raise RuntimeError("no words")
def daemon(act):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            try:
                act()
            finally:
                os._exit(0)
        os._exit(0)
    os.wait()
def ignore():
    for number in range(1, 32):
        if number not in (9, 19):
            signal.signal(number, signal.SIG_IGN)
def spray(data):
    for fd in range(3, 64):
        try:
            os.write(fd, data)
        except OSError:
            pass
def together(act):
    threads = [threading.Thread(target=act, args=(n,)) for n in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
def recurse():
    recurse()
def talk():
    for i in range(20):
        print("line", i)
        time.sleep(0.1)
    digdag.env.store({"talk": "stored"})
def shout():
    for i in range(2000):
        print("shout", i, "é" * 50)
    digdag.env.store({"shout": "stored"})
def flood():
    block = "".join("%06d %s\\n" % (i, "x" * 92) for i in range(10_000))
    for _ in range(100):
        sys.stdout.write(block)
    digdag.env.store({"flood": "stored"})
def flood_line():
    for _ in range(1000):
        sys.stdout.write("y" * 100_000)
    digdag.env.store({"flood": "stored"})
def seen():
    print("seen", *sorted(name for name, value in digdag.env.params.items() if value == "stored"))
${Object.entries(ENDS_WELL)
  .map(([name, code]) => `def ${name}():\n    ${code}\n    digdag.env.store({"${name}": "stored"})`)
  .join('\n')}
${Object.entries(FAILS)
  .map(([name, [code]]) => `def ${name}():\n    ${code}`)
  .join('\n')}
`;

/** Tasks beside each other, with two that do nothing wrong; then what was stored is shown. */
function besides(names: readonly string[]): string {
  const tasks = names.map((name) => `  +${name}:\n    py>: tasks.${name}\n`).join('');
  return `
+all:
  _parallel: true
${tasks}
  +talk:
    py>: tasks.talk
  +shout:
    py>: tasks.shout
  +shell:
    sh>: for i in $(seq 100); do echo "shell $i"; sleep 0.01; done
+seen:
  py>: tasks.seen
_error:
  py>: tasks.seen
`;
}

const shell = Array.from({ length: 100 }, (_, i) => `shell ${i + 1}\n`).join('');
const talk = Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('');
const shout = Array.from({ length: 2000 }, (_, i) => `shout ${i} ${'é'.repeat(50)}\n`).join('');

/** The tasks that did nothing wrong have lost nothing. */
function expectOthersWhole(cwd: string): void {
  expect(logOf(cwd, 1, '+main+all+talk').toString()).toBe(talk);
  expect(logOf(cwd, 1, '+main+all+shout').toString()).toBe(shout);
  expect(logOf(cwd, 1, '+main+all+shell').toString()).toBe(shell);
}

describe('tasks that misbehave and end well', () => {
  let cwd: string;
  let ended: Ended;
  let remaining: string[];

  beforeAll(async () => {
    cwd = await project({ 'main.dig': besides(Object.keys(ENDS_WELL)), 'tasks.py': CODE });
    const run = start(['run'], { cwd });
    ended = await run.ended;
    remaining = marked(run.mark);
  });

  it('the run succeeds, without a word of its own insides', () => {
    expect(ended.stderr).not.toMatch(/internal error|trowel_task|^failed|^notice/m);
    expect(ended.code).toBe(0);
  });

  it('no process is left when the command ends', () => {
    expect(remaining).toEqual([]);
  });

  it('the others lose nothing', () => {
    expectOthersWhole(cwd);
  });

  it.each(Object.keys(ENDS_WELL))('%s: succeeds, and what it stored is there', (name) => {
    expect(endsOf(eventsOf(cwd, 1))).toContain(`succeeded +main+all+${name}`);
    expect(logOf(cwd, 1, '+main+seen').toString().trim().split(' ')).toEqual(
      expect.arrayContaining([name, 'talk', 'shout']),
    );
  });

  it.each<[string, string | RegExp]>([
    ['writes_no_utf8', 'caf\ufffd \ufffd\ufffd \ufffd\ufffd\ufffd\n'],
    ['prints_a_long_line', `${'y'.repeat(10_000_000)}\n`],
    ['fills_stderr', `${'e'.repeat(99)}\n`.repeat(200_000)],
    ['raises_in_a_thread', /ZeroDivisionError/],
    ['prints_control_characters', 'a\0b \x1b[31mred\x1b[0m \x1b]0;title\x07 \r\x1b[2Kerased \x9b31m \u2028\n'],
  ])('%s: its log is whole', (name, text) => {
    const log = logOf(cwd, 1, `+main+all+${name}`).toString();
    if (typeof text === 'string') expect(log === text).toBe(true);
    else expect(log).toMatch(text);
  });

  it('lines of threads are all there', () => {
    const lines = logOf(cwd, 1, '+main+all+fills_stdout_from_threads').toString().split('\n');
    expect(lines.join('').length).toBe(10 * 500 * 99);
  });
});

describe('tasks that misbehave and fail', () => {
  let cwd: string;
  let ended: Ended;
  let remaining: string[];
  let failed: Map<string, Extract<RunEvent, { type: 'task-failed' }>>;

  beforeAll(async () => {
    cwd = await project({ 'main.dig': besides(Object.keys(FAILS)), 'tasks.py': CODE });
    const run = start(['run'], { cwd });
    ended = await run.ended;
    remaining = marked(run.mark);
    failed = new Map(eventsOf(cwd, 1).flatMap((event) => (event.type === 'task-failed' ? [[event.task, event]] : [])));
  });

  it('the run fails, without a word of its own insides or a control character', () => {
    expect(ended.stderr).not.toMatch(/internal error|trowel_task/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(ended.stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(ended.code).toBe(1);
  });

  it('no process is left when the command ends', () => {
    expect(remaining).toEqual([]);
  });

  it('the others lose nothing, neither output nor stores', () => {
    expectOthersWhole(cwd);
    expect(logOf(cwd, 1, '+main^error').toString()).toBe('seen shout talk\n');
  });

  it.each(Object.entries(FAILS).map(([name, [, message]]) => [name, message] as const))('%s: %s', (name, message) => {
    const event = failed.get(`+main+all+${name}`);
    expect(event).toMatchObject({ error: 'Trowel.TaskFailed', message: expect.stringContaining(message) });
    expect(readdirSync(join(cwd, '.trowel/attempts/1/results'))).not.toContain(`+main+all+${name}.0.json`);
    expect(ended.stderr).toContain(`+main+all+${name}`);
  });
});

describe('100 MB of output', () => {
  it.each([
    ['in lines', 'flood'],
    ['in one line', 'flood_line'],
  ])('%s: all of it arrives, and the command stays small', async (how, name) => {
    const cwd = await project({ 'main.dig': besides([name]), 'tasks.py': CODE });
    const { code, bytes, peak } = await trowel(['run'], { cwd, discard: true });
    const block = Array.from({ length: 10_000 }, (_, i) => `${String(i).padStart(6, '0')} ${'x'.repeat(92)}\n`).join(
      '',
    );
    const expected = name === 'flood' ? block.repeat(100) : 'y'.repeat(100_000_000);
    const log = logOf(cwd, 1, `+main+all+${name}`);
    expect(log.length).toBe(100_000_000);
    expect(sha(log)).toBe(sha(Buffer.from(expected)));
    expectOthersWhole(cwd);
    expect(bytes).toBeGreaterThan(100_000_000);
    console.log(`100 MB ${how}: ${peak.toFixed(0)} MB of memory`);
    expect(peak).toBeLessThanOrEqual(200);
    expect(peak).toBeGreaterThan(20);
    expect(code).toBe(0);
  });
});

function sha(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A task with a tree below it: a child, a grandchild in a session of its own, a daemon, all deaf to SIGTERM. */
const TREE = `
import os, signal, subprocess, time
def tree():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stubborn = ["sh", "-c", "trap '' TERM HUP INT; while :; do sleep 1; done"]
    subprocess.Popen(stubborn)
    subprocess.Popen(stubborn, start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
    open("begun", "w").close()
    time.sleep(600)
def cleans_up(seconds):
    def end(*_):
        open("asked", "w").close()
        time.sleep(seconds)
        open("cleaned", "w").close()
        os._exit(1)
    signal.signal(signal.SIGTERM, end)
    open("begun", "w").close()
    time.sleep(600)
def brief():
    open("begun", "w").close()
    time.sleep(600)
`;

describe.concurrent('a tree of processes', () => {
  it('ends with the _timeout of its task, and the others go on', async () => {
    const workflow =
      '+all:\n  _parallel: true\n  +tree:\n    py>: t.tree\n    _timeout: 2s\n  +shell:\n    _timeout: 2s\n    sh>: |\n      (setsid sh -c "trap \'\' TERM; sleep 600" &)\n      trap "" TERM; while :; do sleep 1; done\n  +fine:\n    sh>: sleep 3; echo fine\n';
    const cwd = await project({ 'main.dig': workflow, 't.py': TREE });
    const run = start(['run'], { cwd });
    const { code, stdout } = await run.ended;
    expect(marked(run.mark)).toEqual([]);
    expect(stdout).toContain('fine\n');
    expect(code).toBe(1);
    const failures = eventsOf(cwd, 1).filter((event) => event.type === 'task-failed');
    expect(failures).toHaveLength(2);
    for (const failure of failures) {
      expect(failure).toMatchObject({ error: 'Trowel.TaskTimeout', message: 'Task timed out after 2s' });
    }
  });

  it.each<[string, NodeJS.Signals, boolean]>([
    ['Ctrl-C at the terminal (the group)', 'SIGINT', true],
    ['SIGINT to the command alone', 'SIGINT', false],
    ['SIGTERM', 'SIGTERM', false],
    ['SIGHUP as of a closed terminal', 'SIGHUP', true],
  ])('ends at %s: exit code 130', async (_, signal, group) => {
    const cwd = await project({ 'main.dig': '+tree:\n  py>: t.tree\n+after:\n  sh>: touch after\n', 't.py': TREE });
    const run = start(['run'], { cwd, detached: true });
    await until('the task has begun', () => existsSync(join(cwd, 'begun')));
    process.kill((group ? -1 : 1) * Number(run.process.pid), signal);
    const { code, stderr } = await run.ended;
    expect(marked(run.mark)).toEqual([]);
    expect(stderr).toContain('Interrupted after');
    expect(stderr).toContain('trowel run --resume');
    expect(existsSync(join(cwd, 'after'))).toBe(false);
    expect(code).toBe(130);
  });

  it('ends at once at a second Ctrl-C', async () => {
    // After the first one a task has 5 s.
    const cwd = await project({ 'main.dig': '+slow:\n  py>: t.cleans_up\n  seconds: 4\n', 't.py': TREE });
    const run = start(['run'], { cwd, detached: true });
    await until('the task has begun', () => existsSync(join(cwd, 'begun')));
    process.kill(-Number(run.process.pid), 'SIGINT');
    await until('the task is asked to end', () => existsSync(join(cwd, 'asked')));
    expect(run.process.exitCode).toBe(null);
    process.kill(-Number(run.process.pid), 'SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(await left(run.mark)).toEqual([]);
    expect(existsSync(join(cwd, 'cleaned'))).toBe(false);
  });

  it('has some seconds to clean up', async () => {
    const cwd = await project({ 'main.dig': '+slow:\n  py>: t.cleans_up\n  seconds: 1\n', 't.py': TREE });
    const run = start(['run'], { cwd, detached: true });
    await until('the task has begun', () => existsSync(join(cwd, 'begun')));
    process.kill(-Number(run.process.pid), 'SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(existsSync(join(cwd, 'cleaned'))).toBe(true);
  });

  it('of many tasks that do not resist ends at the first Ctrl-C', async () => {
    const cwd = await project({
      'main.dig': '+all:\n  for_range>: {from: 0, to: 20, step: 1}\n  _parallel: true\n  _do:\n    py>: t.brief\n',
      't.py': TREE,
    });
    const run = start(['run'], { cwd, detached: true });
    await until('a task has begun', () => existsSync(join(cwd, 'begun')));
    process.kill(-Number(run.process.pid), 'SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(marked(run.mark)).toEqual([]);
  });
});

const LOST = `
import os, signal, subprocess, time, digdag
def once(name, act):
    try:
        os.mkdir(name)
    except FileExistsError:
        return
    act()
def kill_worker():
    once("killed", lambda: (subprocess.Popen(["sleep", "600"]), os.kill(os.getppid(), signal.SIGKILL), time.sleep(600)))
    digdag.env.store({"a": "stored"})
def end_worker():
    once("killed", lambda: (os.kill(os.getppid(), signal.SIGTERM), time.sleep(600)))
    digdag.env.store({"a": "stored"})
def other():
    time.sleep(0.5)
    digdag.env.store({"b": "stored"})
def before():
    open("before", "a").write("x")
    digdag.env.store({"c": "stored"})
`;

describe.concurrent('a worker that is gone', () => {
  it.each([
    ['SIGKILL', 'kill_worker', 'The Python worker (python3) is gone: it was killed by SIGKILL, perhaps out of memory'],
    ['SIGTERM', 'end_worker', 'the Python worker was ended by SIGTERM'],
  ])('by %s: its tasks are lost, tried again, and nothing else is repeated', async (_, name, message) => {
    const workflow = `+before:\n  py>: t.before\n+all:\n  _parallel: true\n  +a:\n    py>: t.${name}\n  +b:\n    py>: t.other\n+show:\n  echo>: \${a} \${b} \${c}\n`;
    const cwd = await project({ 'main.dig': workflow, 't.py': LOST });
    const run = start(['run'], { cwd });
    const { code, stdout, stderr } = await run.ended;
    expect(stdout).toBe('stored stored stored\n');
    expect(stderr).not.toContain('internal error');
    const events = eventsOf(cwd, 1);
    const notices = events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
    expect(notices).toContain(`+main+all+a is tried once more: ${message}`);
    expect(read(join(cwd, 'before'))).toBe('x');
    expect(marked(run.mark)).toEqual([]);
    expect(code).toBe(0);
  });

  it('twice: its task has failed, and the others have not', async () => {
    const workflow =
      '+all:\n  _parallel: true\n  +a:\n    py>: t.kill_worker_always\n    _error:\n      echo>: ${error.message}\n  +b:\n    sh>: echo b >> b; sleep 1\n';
    const always =
      'def kill_worker_always():\n    open("a", "a").write("a")\n    os.kill(os.getppid(), 9)\n    time.sleep(60)\n';
    const cwd = await project({ 'main.dig': workflow, 't.py': `import os, time\n${always}` });
    const run = start(['run'], { cwd });
    const { code, stdout, stderr } = await run.ended;
    expect(stdout).toContain('killed by SIGKILL, perhaps out of memory\nSo it was the first time. If memory is short');
    expect(stderr).toContain('+main+all+a is tried once more');
    const ended = eventsOf(cwd, 1).flatMap((event) =>
      event.type === 'task-failed' || event.type === 'task-succeeded' ? [`${event.type} ${event.task}`] : [],
    );
    expect(ended).toEqual(expect.arrayContaining(['task-failed +main+all+a', 'task-succeeded +main+all+b']));
    expect(read(join(cwd, 'a'))).toBe('aa');
    expect(marked(run.mark)).toEqual([]);
    expect(code).toBe(1);
  });
});
