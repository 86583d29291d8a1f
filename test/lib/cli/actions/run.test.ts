import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TROWEL } from '../../../trowel.ts';
import { cleanEnv, project, trowel } from '../run-cli.ts';

const TASKS = `
import os
def show(**params):
    print("region", params.get("region"), params.get("db"))
def boom():
    if not os.path.exists("mended"):
        raise KeyError("no lamps")
    print("mended")
`;

const MAIN = `
+hello:
  echo>: 'hello \${typeof region == "undefined" ? "nobody" : region}'
+show:
  py>: tasks.show
+last:
  sh>: echo last
`;

const FAILING = `
+first:
  sh>: echo first
+second:
  py>: tasks.boom
+third:
  echo>: third
`;

const files = { 'main.dig': MAIN, 'bad.dig': FAILING, 'tasks.py': TASKS };

describe('trowel run', () => {
  it('prints what the workflow says on standard output, the rest on standard error', async () => {
    const cwd = await project(files);
    const { code, stdout, stderr } = await trowel(['run', 'main.dig', '-p', 'region=eu', '-p', 'db.host=x'], { cwd });
    expect(stdout).toBe("hello eu\nregion eu {'host': 'x'}\nlast\n");
    expect(stderr).toMatch(/^main {2}session .*attempt 1\n/);
    expect(stderr).toMatch(/^ok {6}\+main\+show/m);
    expect(stderr).toMatch(/\nSuccess in [\d.]+ s: 3 tasks done\.\n {2}logs and values: \.trowel\/attempts\/1\n$/);
    expect(code).toBe(0);
  });

  it('hands over what Python has: dates, sets, Decimals; by pickle only where trowel.yml says so', async () => {
    const tasks = `
import datetime, decimal, digdag
class Model: k = 3
def put():
    digdag.env.store(day=datetime.date(2024, 2, 29), price=decimal.Decimal("1.10"), tags={"b", "a"})
def model():
    digdag.env.store(model=Model())
def get(day, price, tags):
    print(repr(day), repr(price), sorted(tags))
def use(model):
    print(model.k)
`;
    const cwd = await project({
      'main.dig':
        '+put: {py>: t.put}\n+get: {py>: t.get}\n+show: {echo>: "${day} ${price} ${tags}"}\n+sh: {sh>: echo $day}\n',
      'model.dig': '+put: {py>: t.model}\n+use: {py>: t.use}\n',
      't.py': tasks,
    });
    const { code, stdout } = await trowel(['run', 'main.dig'], { cwd });
    const seen = '2024-02-29 1.10 ["a","b"]\n2024-02-29\n';
    expect([code, stdout]).toEqual([0, `datetime.date(2024, 2, 29) Decimal('1.10') ['a', 'b']\n${seen}`]);
    const refused = await trowel(['run', 'model.dig'], { cwd });
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(
      "'model' cannot be stored: it is of type t.Model: store a dict of its content, or",
    );
    expect(refused.stdout).toContain('let trowel.yml say `values: {pickle: true}`');
    writeFileSync(join(cwd, 'trowel.yml'), 'values: {pickle: true}\n');
    const kept = await trowel(['run', 'model.dig'], { cwd });
    expect([kept.code, kept.stdout]).toEqual([0, '3\n']);
  });

  it('explains a failure, and resumes it with the command it names', async () => {
    const cwd = await project(files);
    const failed = await trowel(['run', 'bad'], { cwd });
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain('first\n');
    for (const part of [
      '+bad+second failed after',
      'no lamps',
      'KeyError',
      'log: .trowel/attempts/1/logs/+bad+second.log',
      'continue where it stopped: trowel run bad --resume\n',
    ]) {
      expect(failed.stderr).toContain(part);
    }
    // One traceback, where the task's output is.
    expect((failed.stdout + failed.stderr).split('tasks.py", line 7, in boom')).toHaveLength(2);
    expect(failed.stderr).not.toContain('trowel_task');

    const env = { npm_command: 'exec' };
    expect((await trowel(['run', 'bad', '--project', '.'], { cwd, env })).stderr).toContain(
      'continue where it stopped: npx trowel run bad --project . --resume\n',
    );
    mkdirSync(join(cwd, 'mended'));
    const resumed = await trowel(['run', 'bad', '--resume'], { cwd });
    expect(resumed).toMatchObject({ code: 0, stdout: 'mended\nthird\n' });
    expect(resumed.stderr).toContain('attempt 3, continues 2');
    expect(resumed.stderr).toMatch(/^kept {4}\+bad\+first$/m);
    expect(await trowel(['run', 'bad', '--resume'], { cwd })).toMatchObject({
      code: 2,
      stderr: 'error: there is nothing to resume\n  The last attempt of bad, 3, is succeeded\n',
    });
  });

  it('stops before anything runs if the workflow is invalid', async () => {
    const cwd = await project({ 'main.dig': '+a:\n  echo>: a\n+b:\n  ech>: b\n+c: 5\n' });
    const { code, stdout, stderr } = await trowel(['run', 'main'], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('main.dig:4:3 error unknown-operator: There is no operator ech>\n    4 |   ech>: b\n');
    expect(stderr).toContain("= Did you mean 'echo>'?");
    expect(stderr).toContain('main.dig:5:5 error task-not-mapping');
    expect(stderr).toContain('2 errors\n');
  });

  it('needs Python only for what needs it: exit code 4', async () => {
    const cwd = await project({ ...files, 'echo.dig': '+a:\n  echo>: alone\n' });
    mkdirSync(join(cwd, 'empty'));
    const env = { PATH: join(cwd, 'empty') };
    expect(await trowel(['run', 'echo'], { cwd, env })).toMatchObject({ code: 0, stdout: 'alone\n' });
    const { code, stdout, stderr } = await trowel(['run', 'main'], { cwd, env });
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^error: .*python3/i);
  });

  it.each<[string[], string]>([
    [['main', '+show', '-p', 'region=us'], 'region us None\n'],
    [['main', '--start', '+last'], 'last\n'],
    [['main', '--goal', '+hello'], 'hello nobody\n'],
    [['main', '--end', '+last', '--start', '+show', '-P', 'params.yml'], 'region 7 None\n'],
    [['main', '-P', 'params.yml', '-p', 'region=cli', '-g', '+hello'], 'hello cli\n'],
    [['main', '--dry-run'], ''],
    [['main', '+hello', '-t', '2030-01-31', '-a', '--max-task-threads', '1'], 'hello nobody\n'],
  ])('run %j', async (args, expected) => {
    const cwd = await project({ ...files, 'params.yml': 'region: 7\n' });
    expect(await trowel(['run', ...args], { cwd })).toMatchObject({ code: 0, stdout: expected });
  });

  it.each([
    [['main', '+nothing'], "Task pattern '+nothing' doesn't match with any tasks"],
    [['main', '--resume'], 'No attempt of main is recorded'],
    [['main', '--resume', '--no-save'], '--no-save does not keep'],
    [['main', '--session', 'someday'], '--session someday'],
    [['main', '--session', 'schedule'], 'schedule is not set'],
    [['main', '--timezone', 'Mars/Olympus'], 'no such time zone'],
    [['main', '--debug', '+shw'], "Did you mean '+show'?"],
    [['main', '--rerun-changed'], '--rerun-changed needs --resume'],
    [['main', '--debug-port', '5678'], '--debug-port needs --debug'],
  ])('run %j is a usage error', async (args, message) => {
    const { code, stdout, stderr } = await trowel(['run', ...args], { cwd: await project(files) });
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('takes parameters from the files that trowel.yml names, below -P and -p', async () => {
    const cwd = await project({
      'main.dig': '+a:\n  echo>: ${a} ${b} ${c.d} ${c.e}\n',
      'trowel.yml': 'params: [one.yml, two.yml]\n',
      'one.yml': 'a: one\nb: one\nc: {d: one, e: one}\n',
      'two.yml': 'b: two\nc: {e: two}\n',
      'three.json': '{"c": {"e": [3]}}',
    });
    expect((await trowel(['run'], { cwd })).stdout).toBe('one two one two\n');
    expect((await trowel(['run', '-P', 'three.json', '-p', 'a=p'], { cwd })).stdout).toBe('p two one [3]\n');
  });

  it('keeps no history with --no-save, and elsewhere with --save', async () => {
    const cwd = await project(files);
    const { stderr } = await trowel(['run', 'bad', '--no-save'], { cwd });
    expect(stderr).not.toContain('--resume');
    expect(existsSync(join(cwd, '.trowel'))).toBe(false);
    const saved = await trowel(['run', 'bad', '--save', 'kept', '-O', 'task logs'], { cwd });
    expect(saved.stderr).toContain('trowel run bad --save kept --resume\n');
    expect(existsSync(join(cwd, 'kept', 'attempts', '1', 'events.jsonl'))).toBe(true);
    expect(readFileSync(join(cwd, 'task logs', '+bad+first.log'), 'utf8')).toBe('first\n');
  });

  it('shows what tasks see with -E, without running them with -dE', async () => {
    const cwd = await project(files);
    const { stdout, stderr } = await trowel(['run', 'main', '-dE', '-p', 'region=eu'], { cwd });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^notice {2}\+main\+show sees\n(?: {2}.*\n)* {2}region: eu\n/m);
    expect(existsSync(join(cwd, '.trowel'))).toBe(false);
  });

  it('names the session that it takes over from the last attempt', async () => {
    const cwd = await project(files);
    await trowel(['run', 'main', '+hello', '--session', '2030-01-31'], { cwd });
    const { stderr } = await trowel(['run', 'main', '+hello'], { cwd });
    expect(stderr.split('\n')[0]).toMatch(
      /^main {2}session 2030-01-31T00:00:00\+00:00 {2}attempt 2 {2}session as in the last attempt; for \d{4}-\d\d-\d\d: --session daily$/,
    );
    const fresh = await trowel(['run', 'main', '+hello', '--session', 'daily'], { cwd });
    expect(fresh.stderr).not.toContain('--session');
  });

  it('says once that what a function returns goes nowhere', async () => {
    const cwd = await project({
      'main.dig': '+each:\n  for_each>: {n: [1, 2, 3]}\n  _do:\n    py>: t.f\n+last:\n  py>: t.g\n',
      't.py': 'def f(n):\n  return {"n": n}\ndef g():\n  return 5\n',
    });
    const { stderr, code } = await trowel(['run'], { cwd });
    expect(stderr.match(/^notice .*/gm)).toEqual([
      'notice  t.f returns a dict, and a return value goes nowhere. To hand it to the tasks that follow: digdag.env.store({…})',
    ]);
    expect(code).toBe(0);
  });

  it('has the command that sets a missing secret in its message', async () => {
    const cwd = await project({ 'p/main.dig': '+a:\n  sh>: echo $KEY\n  _env: {KEY: "${secret:my.key}"}\n' });
    const { code, stderr } = await trowel(['run', 'p/main.dig'], { cwd });
    expect(stderr).toContain('trowel secrets --local --set my.key --project p');
    expect(code).toBe(1);
  });

  it.each([
    [{}, false],
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('colours with %j: %s', async (env, colored) => {
    const { stderr } = await trowel(['run', 'bad', '+first'], { cwd: await project(files), env });
    expect(stderr.includes('\u001b[')).toBe(colored);
    const off = await trowel(['run', 'bad', '+first', '--no-color'], { cwd: await project(files), env });
    expect(off.stderr).not.toContain('\u001b[');
  });

  it('goes on when its reader has seen enough', async () => {
    const cwd = await project({
      'main.dig': '+a:\n  sh>: for i in $(seq 3000); do echo line $i of many; done\n+b:\n  sh>: touch done\n',
    });
    const child = spawn(process.execPath, [TROWEL, 'run'], {
      cwd,
      env: cleanEnv(cwd),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.once('data', () => child.stdout.destroy());
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(stderr).toContain('Success in');
    expect(code).toBe(0);
    expect(existsSync(join(cwd, 'done'))).toBe(true);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends its tasks at %s: exit code 130', async (signal) => {
    const cwd = await project({ 'main.dig': '+a:\n  sh>: echo $$ > pid; sleep 60\n' });
    const child = spawn(process.execPath, [TROWEL, 'run'], {
      cwd,
      env: cleanEnv(cwd),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    await appears(join(cwd, 'pid'));
    child.kill(signal);
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(stderr).toContain('Interrupted after');
    expect(stderr).toContain('trowel run --resume');
    expect(code).toBe(130);
    expect(isAlive(cwd)).toBe(false);
  });

  it('ends at once at the second Ctrl-C', async () => {
    const stubborn =
      'import os, signal, time\ndef f():\n  signal.signal(signal.SIGTERM, lambda *_: open("asked", "w").write("yes"))\n';
    const cwd = await project({
      'main.dig': '+a:\n  py>: t.f\n',
      't.py': `${stubborn}  open("pid", "w").write(str(os.getpid()))\n  time.sleep(60)\n`,
    });
    const child = spawn(process.execPath, [TROWEL, 'run'], { cwd, env: cleanEnv(cwd), stdio: 'ignore' });
    await appears(join(cwd, 'pid'));
    child.kill('SIGINT');
    await appears(join(cwd, 'asked'));
    expect(child.exitCode).toBe(null);
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
    await expect.poll(() => isAlive(cwd)).toBe(false);
  });
});

async function appears(path: string): Promise<void> {
  await expect.poll(() => existsSync(path) && readFileSync(path, 'utf8') !== '').toBe(true);
}

/** Whether the process that wrote its id to `pid` is there. */
function isAlive(cwd: string): boolean {
  try {
    process.kill(Number(readFileSync(join(cwd, 'pid'), 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}
