import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanEnv, project } from '../lib/cli/run-cli.ts';
import { first } from '../thorough.ts';
import { TROWEL } from '../trowel.ts';
import { type Ended, left, marked, read, start, trowel } from './cli.ts';

const MAIN = '+a:\n  sh>: echo é $WORD\n  WORD: 日本\n+b:\n  py>: t.show\n';
const files = {
  'main.dig': MAIN,
  't.py': 'import digdag\ndef show():\n  print("日本 🎉")\n  digdag.env.store({"x": "é"})\n',
};
const OUTPUT = 'é 日本\n日本 🎉\n';

/** Says something of use and nothing of its own insides. */
function expectClear({ stdout, stderr }: Ended, ...parts: readonly string[]): void {
  expect(`${stdout}${stderr}`).not.toMatch(/internal error|TypeError|at .*\.js:\d|trowel_task/);
  for (const part of parts) expect(stderr).toContain(part);
}

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const root = process.getuid?.() === 0;
// Root may read and write everything, unless it lays this right down.
const MERE = ['--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-dac_override,-dac_read_search'];
const canBeMere = !root || works('setpriv', ...MERE, 'true');

/** The command without root's right to pass over permissions. */
async function mere(args: readonly string[], cwd: string): Promise<Ended> {
  if (!root) return trowel(args, { cwd });
  const began = { stdout: '', stderr: '', code: 0 };
  try {
    began.stdout = execFileSync('setpriv', [...MERE, process.execPath, TROWEL, ...args], {
      cwd,
      env: cleanEnv(cwd),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    Object.assign(began, { stdout, stderr, code: status });
  }
  return { ...began, bytes: 0, peak: 0, seconds: 0 };
}

describe.runIf(canBeMere)('without permission (skipped where setpriv cannot give rights up)', () => {
  it('to write into the project: says so before anything runs, and how to run all the same', async () => {
    const cwd = await project({ 'p/main.dig': MAIN, 'p/t.py': files['t.py'] });
    const folder = join(cwd, 'p');
    chmodSync(folder, 0o555);
    const ended = await mere(['run', 'p/main.dig'], cwd);
    expectClear(ended, 'The history cannot be written to', '.trowel: permission denied', '--save DIR', '--no-save');
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 4, stdout: '' });
    expect(await mere(['run', 'p/main.dig', '--no-save'], cwd)).toMatchObject({ code: 0, stdout: OUTPUT });
    expect(await mere(['run', 'p/main.dig', '--save', join(cwd, 'h')], cwd)).toMatchObject({ code: 0, stdout: OUTPUT });
    chmodSync(folder, 0o755);
  });

  it.each([
    ['the workflow', 'main.dig', ['run', 'main.dig'], 1],
    ['the workflow', 'main.dig', ['check'], 1],
    ['trowel.yml', 'trowel.yml', ['run', 'main.dig'], 1],
    ['what -P names', 'p.yml', ['run', 'main.dig', '-P', 'p.yml'], 2],
    ['the Python code', 't.py', ['run', 'main.dig'], 1],
  ] as const)('to read %s (%s, %j)', async (_, name, args, code) => {
    const cwd = await project({ ...files, 'trowel.yml': '{}\n', 'p.yml': 'a: 1\n' });
    chmodSync(join(cwd, name), 0);
    const ended = await mere(args, cwd);
    expectClear(ended, name);
    expect(ended.code).toBe(code);
  });

  it('to read an earlier attempt: it is passed over', async () => {
    const cwd = await project(files);
    await trowel(['run'], { cwd });
    chmodSync(join(cwd, '.trowel/attempts/1'), 0);
    expect((await mere(['run'], cwd)).code).toBe(0);
    const listed = await mere(['sessions'], cwd);
    expectClear(listed);
    expect(listed.code).toBe(0);
    chmodSync(join(cwd, '.trowel/attempts/1'), 0o755);
  });
});

describe.concurrent('things in the wrong place', () => {
  it.each<[string, (cwd: string) => void, string[], number, string]>([
    ['a folder as trowel.yml', (cwd) => mkdirSync(join(cwd, 'trowel.yml')), ['run', 'main.dig'], 1, 'trowel.yml'],
    ['a folder as a workflow', (cwd) => mkdirSync(join(cwd, 'x.dig')), ['run', 'x.dig'], 1, 'folder'],
    ['a link to nothing', (cwd) => symlinkSync('nowhere', join(cwd, 'y.dig')), ['run', 'y.dig'], 1, 'y'],
    ['a link to itself', (cwd) => symlinkSync('y.dig', join(cwd, 'y.dig')), ['check'], 1, 'y.dig'],
    ['a pipe', (cwd) => execFileSync('mkfifo', [join(cwd, 'z.dig')]), ['check'], 1, 'z.dig'],
    ['a folder as parameters', () => {}, ['run', 'main.dig', '-P', '.'], 2, 'cannot read'],
    ['a file as history', () => {}, ['run', 'main.dig', '--save', 't.py'], 4, 'not a directory'],
    ['a file as folder of logs', () => {}, ['run', 'main.dig', '-O', 't.py'], 4, 't.py'],
    ['a file as project', () => {}, ['run', '--project', 't.py'], 2, 't.py'],
  ])('%s', async (_, prepare, args, code, part) => {
    const cwd = await project(files);
    prepare(cwd);
    const ended = await trowel(args, { cwd });
    expectClear(ended, part);
    expect(ended.code).toBe(code);
  });
});

const mounted: string[] = [];
afterAll(() => {
  for (const folder of mounted) works('umount', folder);
});

/** A file system of so many KB; undefined if it cannot be had. */
function small(folder: string, size: string): boolean {
  mkdirSync(folder);
  if (!works('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder)) return false;
  mounted.push(folder);
  return true;
}

const canMount = await (async () => {
  const folder = join(await project(), 'm');
  const done = small(folder, '100k');
  if (done) works('umount', folder);
  return done;
})();

describe(`a full disk${canMount ? '' : ' (skipped: mount is not permitted here)'}`, () => {
  it.runIf(canMount)('while a task prints: the run ends and says why', async () => {
    const cwd = join(await project(), 'm');
    small(cwd, '400k');
    writeFileSync(
      join(cwd, 'main.dig'),
      '+a:\n  sh>: while :; do echo a line that fills the disk; done\n+b:\n  sh>: echo b\n',
    );
    const run = start(['run'], { cwd, env: { HOME: join(cwd, '..') } });
    const ended = await run.ended;
    expectClear(ended, 'The history cannot be written to', 'no space left on device', 'trowel run --resume');
    expect(ended.code).toBe(4);
    expect(ended.stdout).not.toContain('b\n');
    expect(marked(run.mark)).toEqual([]);
    expect((await trowel(['sessions'], { cwd })).stdout).toContain('killed');
    rmSync(join(cwd, '.trowel'), { recursive: true });
    writeFileSync(join(cwd, 'main.dig'), '+a:\n  echo>: there is space again\n');
    expect(await trowel(['run'], { cwd })).toMatchObject({ code: 0, stdout: 'there is space again\n' });
  });

  it.runIf(canMount)('in TMPDIR: the task fails and says why', async () => {
    const cwd = await project({ 'main.dig': '+a:\n  sh>: echo a\n' });
    const temporary = join(cwd, 'm');
    // Room for one folder: that of the worker.
    small(temporary, '64k,nr_inodes=2');
    const ended = await trowel(['run'], { cwd, env: { TMPDIR: temporary } });
    expectClear(ended, 'No space left on device');
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 1, stdout: '' });
  });

  it.runIf(canMount)('while a task stores: the task fails and says why', async () => {
    const cwd = join(await project(), 'm');
    small(cwd, '400k');
    writeFileSync(join(cwd, 'main.dig'), '+a:\n  py>: t.big\n+b:\n  sh>: echo b\n');
    writeFileSync(join(cwd, 't.py'), 'import digdag\ndef big():\n  digdag.env.store({"x": "y" * 10_000_000})\n');
    const ended = await trowel(['run'], { cwd });
    expectClear(ended, 'No space left on device');
    expect(ended.code).toBe(1);
  });
});

describe.concurrent('an environment', () => {
  const ENVIRONMENTS: readonly [string, NodeJS.ProcessEnv][] = [
    ['without HOME', { HOME: undefined, XDG_CONFIG_HOME: undefined, XDG_CACHE_HOME: undefined }],
    ['with LANG=C', { LANG: 'C', LC_ALL: 'C', PYTHONUTF8: undefined }],
    [
      'in which Python is told to write ASCII',
      { LC_ALL: 'C', PYTHONUTF8: '0', PYTHONCOERCECLOCALE: '0', PYTHONIOENCODING: 'ascii' },
    ],
    ['with a TMPDIR that is not there', { TMPDIR: '/nowhere' }],
    [
      'that is huge',
      Object.fromEntries([
        ...Array.from({ length: 5000 }, (_, i) => [`V${i}`, 'x'.repeat(30)]),
        ['BIG', 'y'.repeat(131_000)],
      ]),
    ],
    [
      'with a HOME that is not there',
      { HOME: '/nowhere/at/all', XDG_CONFIG_HOME: undefined, XDG_CACHE_HOME: undefined },
    ],
    ['with an empty HOME', { HOME: '', XDG_CONFIG_HOME: '', XDG_CACHE_HOME: 'relative' }],
    ['without a locale', { LANG: undefined, LC_ALL: undefined, LC_CTYPE: undefined }],
    ['whose locale is not there', { LANG: 'xx_YY.ISO-8859-1', LC_ALL: 'xx_YY.ISO-8859-1' }],
    ['in which Python is told to optimize and not to buffer', { PYTHONOPTIMIZE: '2', PYTHONUNBUFFERED: '1' }],
    ['with a bad PYTHONPATH', { PYTHONPATH: '/nowhere::/etc/passwd' }],
    ['without TERM and with a strange COLUMNS', { TERM: undefined, COLUMNS: 'x' }],
    ['with NODE_OPTIONS', { NODE_OPTIONS: '--max-old-space-size=100' }],
  ];

  it.each(first(5, ENVIRONMENTS))('%s: text survives', async (_, env) => {
    const cwd = await project(files);
    const ended = await trowel(['run'], { cwd, env });
    expectClear(ended);
    expect(ended).toMatchObject({ code: 0, stdout: OUTPUT });
    expect(read(join(cwd, '.trowel/attempts/1/logs/+main+b.log'))).toBe('日本 🎉\n');
    const log = await trowel(['log'], { cwd, env });
    expect(log).toMatchObject({ code: 0, stdout: OUTPUT });
  });

  it.each<[string, string | undefined, string]>([
    ['there is none', undefined, 'There is no command python3 on PATH'],
    ['it fails', '#!/bin/sh\necho "cannot load libpython" >&2\nexit 127\n', 'cannot load libpython'],
    ['it ends at once', '#!/bin/sh\nexit 0\n', 'Python cannot be started (python3): it ended with code 0'],
    ['it is killed', '#!/bin/sh\nkill -9 $$\n', 'Python cannot be started (python3): it was killed by SIGKILL'],
    ['it is no program', '\u007fELF', 'Python cannot be started (python3)'],
    ['it is something else', '#!/bin/sh\nwhile :; do echo y; done\n', 'does not answer as the runner does'],
  ])('without Python (%s): exit code 4', async (_, script, message) => {
    const cwd = await project(files);
    mkdirSync(join(cwd, 'bin'));
    if (script !== undefined) writeFileSync(join(cwd, 'bin', 'python3'), script, { mode: 0o755 });
    const run = start(['run'], { cwd, env: { PATH: join(cwd, 'bin') } });
    const ended = await run.ended;
    expectClear(ended, message);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 4, stdout: '' });
    expect(await left(run.mark)).toEqual([]);
  });
});

describe.concurrent('a path', () => {
  const long = `${'long folder '.repeat(19)}end`;

  const PATHS = [
    ['with spaces', 'a  folder with spaces'],
    ['with text of other scripts', 'проект 日本 é 🎉'],
    ['with what shells read', `a$b\`c"d'e\\f;&|*?[x]{y}~(z)!#`],
    ['with a line end', 'new\nline'],
    ['with what looks like an option', '-rf'],
    ['with what looks like a template', '${path} %s %2F'],
    [`of ${3 * long.length} characters`, join(long, long, long)],
  ] as const;

  it.each(first(4, PATHS))('%s', async (_, name) => {
    const folder = join(await project(), name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'main.dig'), `${MAIN}+c:\n  py>: t.boom\n`);
    writeFileSync(
      join(folder, 't.py'),
      `${files['t.py']}def boom():\n  print(open(__file__).read()[:13])\n  open("mended")\n`,
    );
    const failed = await trowel(['run'], { cwd: folder });
    expectClear(failed, 'No such file or directory');
    expect({ code: failed.code, stdout: failed.stdout }).toEqual({ code: 1, stdout: expect.stringContaining(OUTPUT) });
    writeFileSync(join(folder, 'mended'), '');
    expect(await trowel(['run', '--resume'], { cwd: folder })).toMatchObject({ code: 0, stdout: 'import digdag\n' });
    const log = await trowel(['log', '1', '+b'], { cwd: folder });
    expect(log).toMatchObject({ code: 0, stdout: '日本 🎉\n' });
  });
});
