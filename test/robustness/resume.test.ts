import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from '../lib/cli/run-cli.ts';
import { first } from '../thorough.ts';
import { attemptFolder, endsOf, eventsOf, left, read, start, trowel, until } from './cli.ts';

/** Each task tells the file `ran` its name. `fail_NAME` among the files of the project makes one fail. */
const TASKS = `
import digdag, os, time
def ran(name):
    with open("ran", "a") as file:
        file.write(name + " ")
    if os.path.exists("fail_" + name):
        raise RuntimeError("no " + name)
def load(rows=3):
    ran("load")
    digdag.env.store({"rows": int(rows)})
def train(rows):
    ran("train")
    digdag.env.store({"model": rows * 2})
def other():
    ran("other")
def report(model):
    ran("report")
    print("model", model)
def item(n):
    ran("item%s" % n)
    digdag.env.store({"sum": digdag.env.params.get("sum", 0) + int(n)})
def slow():
    ran("slow")
    time.sleep(600)
`;

const MAIN = `
+load:
  py>: tasks.load
+both:
  _parallel: true
  +train:
    py>: tasks.train
  +other:
    py>: tasks.other
+report:
  py>: tasks.report
`;

const files = { 'main.dig': MAIN, 'tasks.py': TASKS };

/** What ran since the last look, in the order of the alphabet where tasks are parallel. */
function ran(cwd: string): string {
  const names = read(join(cwd, 'ran')).trim().split(' ');
  rmSync(join(cwd, 'ran'), { force: true });
  return names.sort().join(' ');
}

function fail(cwd: string, name: string): void {
  writeFileSync(join(cwd, `fail_${name}`), '');
}

function mend(cwd: string, name: string): void {
  rmSync(join(cwd, `fail_${name}`));
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

describe.concurrent('a failed run that is resumed', () => {
  it('runs only the failed task and what follows, once its code is mended', async () => {
    const cwd = await project({ ...files, 'tasks.py': TASKS.replace('rows * 2', 'rows / 0') });
    const failed = await trowel(['run'], { cwd });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('ZeroDivisionError');
    expect(failed.stderr).toContain('trowel run --resume');
    expect(ran(cwd)).toBe('load other train');
    edit(join(cwd, 'tasks.py'), 'rows / 0', 'rows * 2');
    const { code, stdout } = await trowel(['run', '--resume'], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'model 6\n' });
    expect(ran(cwd)).toBe('report train');
    expect(endsOf(eventsOf(cwd, 2))).toEqual([
      'succeeded +main+both+train',
      'succeeded +main+report',
      'succeeded again +main+both+other',
      'succeeded again +main+load',
    ]);
  });

  it('with --rerun-changed repeats also what depends on code that was changed', async () => {
    const cwd = await project({
      ...files,
      'main.dig': `${MAIN}+end:\n  py>: more.end\n`,
      'more.py': 'def end():\n  1 / 0\n',
    });
    expect((await trowel(['run'], { cwd })).code).toBe(1);
    expect(ran(cwd)).toBe('load other report train');
    writeFileSync(join(cwd, 'more.py'), 'def end():\n  pass\n');
    edit(join(cwd, 'tasks.py'), 'rows * 2', 'rows * 3');
    const { stdout, code } = await trowel(['run', '--resume', '--rerun-changed'], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'model 9\n' });
    expect(ran(cwd)).toBe('load other report train');
  });

  it('hands on what a task stores now, also past tasks that are not repeated', async () => {
    const inner = '  py>: tasks.';
    const workflow = `+load:\n${inner}load\n  rows: 3\n+other:\n${inner}other\n+group:\n  +other:\n  ${inner}other\n+train:\n${inner}train\n+report:\n${inner}report\n`;
    const cwd = await project({ ...files, 'main.dig': workflow });
    fail(cwd, 'train');
    await trowel(['run'], { cwd });
    mend(cwd, 'train');
    ran(cwd);
    edit(join(cwd, 'main.dig'), 'rows: 3', 'rows: 5');
    expect(await trowel(['run', '--resume'], { cwd })).toMatchObject({ code: 0, stdout: 'model 10\n' });
    expect(ran(cwd)).toBe('load report train');
  });

  it('goes on from one resumed attempt to the next', async () => {
    const cwd = await project(files);
    for (const [name, expected] of [
      ['load', 'load'],
      ['train', 'load other train'],
      ['report', 'report train'],
      ['', 'report'],
    ] as const) {
      if (name !== '') fail(cwd, name);
      const { code } = await trowel(['run', ...(name === 'load' ? [] : ['--resume'])], { cwd });
      expect(code).toBe(name === '' ? 0 : 1);
      expect(ran(cwd)).toBe(expected);
      if (name !== '') mend(cwd, name);
    }
    expect(endsOf(eventsOf(cwd, 4))).toEqual([
      'succeeded +main+report',
      'succeeded again +main+both+other',
      'succeeded again +main+both+train',
      'succeeded again +main+load',
    ]);
  });

  it.each<[string, string, string, string]>([
    [
      'a key of a task that has succeeded',
      '  py>: tasks.load\n',
      '  py>: tasks.load\n  rows: 5\n',
      'load report train',
    ],
    ['a task that others do not read', '    py>: tasks.other\n', '    py>: tasks.other\n    more: 1\n', 'other report'],
    ['a new task before', '+load:\n', '+new:\n  py>: tasks.other\n+load:\n', 'other report'],
    ['nothing but a comment', '+load:\n', '# a comment\n+load:\n', 'report'],
    ['a name', '  +other:\n', '  +another:\n', 'other report'],
    ['a parameter that nobody has read', '+load:\n', '_export: {unread: 1}\n+load:\n', 'report'],
  ])('runs what a change of the workflow concerns: %s', async (_, from, to, expected) => {
    const cwd = await project(files);
    fail(cwd, 'report');
    expect((await trowel(['run'], { cwd })).code).toBe(1);
    ran(cwd);
    mend(cwd, 'report');
    edit(join(cwd, 'main.dig'), from, to);
    expect((await trowel(['run', '--resume'], { cwd })).code).toBe(0);
    expect(ran(cwd)).toBe(expected);
  });

  it('in a loop, a retried group and a parallel loop repeats only what failed', async () => {
    const cwd = await project({
      'main.dig': `
+loop:
  for_each>: {n: [1, 2, 3, 4]}
  _do:
    +one:
      py>: tasks.item
+parallel:
  _retry: 1
  +all:
    for_each>: {n: [5, 6, 7]}
    _parallel: true
    _do:
      py>: tasks.item
+sum:
  echo>: sum \${sum}
`,
      'tasks.py': TASKS,
    });
    fail(cwd, 'item3');
    expect((await trowel(['run'], { cwd })).code).toBe(1);
    expect(ran(cwd)).toBe('item1 item2 item3');
    mend(cwd, 'item3');
    fail(cwd, 'item6');
    expect((await trowel(['run', '--resume'], { cwd })).code).toBe(1);
    expect(ran(cwd)).toBe('item3 item4 item5 item5 item6 item6 item7 item7');
    mend(cwd, 'item6');
    const { code, stdout } = await trowel(['run', '--resume'], { cwd });
    // The first try of the group is what it was, but for its failed task.
    expect(ran(cwd)).toBe('item6');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^sum \d+\n$/) });
  });

  it('runs a task again whose record is damaged', async () => {
    const cwd = await project(files);
    fail(cwd, 'report');
    await trowel(['run'], { cwd });
    ran(cwd);
    mend(cwd, 'report');
    const results = join(attemptFolder(cwd, 1), 'results');
    const damage = ['{"v":1,"task":"+main+load","keys":', '{"v":1,"task":"+main+load"}', '[]'];
    for (const [index, text] of damage.entries()) {
      const task = ['+main+load', '+main+both+train', '+main+both+other'][index];
      writeFileSync(join(results, `${task}.0.json`), text);
    }
    expect((await trowel(['run', '--resume'], { cwd })).code).toBe(0);
    expect(ran(cwd)).toBe('load other report train');
  });
});

describe.concurrent('the history', () => {
  it('has nothing to resume while the last attempt is running', async () => {
    const cwd = await project({ 'main.dig': '+slow:\n  py>: tasks.slow\n', 'tasks.py': TASKS });
    const run = start(['run'], { cwd });
    await until('it runs', () => read(join(cwd, 'ran')) !== '');
    const second = await trowel(['run', '--resume'], { cwd });
    expect(second).toMatchObject({
      code: 2,
      stderr: 'error: there is nothing to resume\n  The last attempt of main, 1, is running\n',
    });
    run.process.kill('SIGKILL');
    await run.ended;
    expect(await left(run.mark)).toEqual([]);
    expect((await trowel(['sessions'], { cwd })).stdout).toContain('killed');
  });

  it('takes an attempt for killed though its process id is in use again', async () => {
    const cwd = await project(files);
    fail(cwd, 'report');
    await trowel(['run'], { cwd });
    ran(cwd);
    mend(cwd, 'report');
    const path = join(attemptFolder(cwd, 1), 'meta.json');
    const { status, ended, error, ...meta } = JSON.parse(read(path));
    writeFileSync(path, JSON.stringify({ ...meta, pid: process.pid }));
    const { code, stderr } = await trowel(['run', '--resume'], { cwd });
    expect(`${code} ${stderr}`).toContain('attempt 2, continues 1');
    expect(ran(cwd)).toBe('report');
    expect([status, error]).toEqual(['failed', 'Trowel.TaskFailed']);
  });

  it('numbers runs that begin at once', async () => {
    const cwd = await project({ 'main.dig': '+a:\n  sh>: sleep 0.5; echo $attempt_id\n' });
    const runs = await Promise.all([1, 2, 3, 4].map(() => trowel(['run'], { cwd })));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(runs.map(({ stdout }) => stdout).sort()).toEqual(['1\n', '2\n', '3\n', '4\n']);
    for (const attempt of [1, 2, 3, 4]) {
      expect(endsOf(eventsOf(cwd, attempt))).toEqual(['succeeded +main+a']);
    }
    const listed = await trowel(['sessions', '--json'], { cwd });
    const attempts = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(attempts.map(({ session }) => session)).toEqual([1, 1, 1, 1]);
  });

  const DAMAGE: readonly [string, (folder: string) => void][] = [
    ['a torn line', (folder) => appendFileSync(join(folder, 'events.jsonl'), '{"type":"task-succ')],
    ['no events', (folder) => rmSync(join(folder, 'events.jsonl'))],
    ['no definition', (folder) => rmSync(join(folder, 'definition.json'))],
    [
      'a meta.json of other types',
      (folder) =>
        writeFileSync(
          join(folder, 'meta.json'),
          '{"attempt":"1","workflow":5,"session_time":[],"params":7,"resumes":"x","started":0,"pid":"y","session":null}',
        ),
    ],
    [
      'bytes that are no text',
      (folder) => writeFileSync(join(folder, 'events.jsonl'), Buffer.from([0xff, 0, 0xfe, 10, 200, 10])),
    ],
    [
      'lines that are JSON and no events',
      (folder) => writeFileSync(join(folder, 'events.jsonl'), 'null\n5\n[]\n{}\n"x"\n{"type":"task-output"}\n'),
    ],
    [
      'an event of a later version',
      (folder) =>
        appendFileSync(join(folder, 'events.jsonl'), '{"type":"new","time":"2030-01-01T00:00:00Z","task":"+x"}\n'),
    ],
    ['an empty meta.json', (folder) => writeFileSync(join(folder, 'meta.json'), '')],
    ['a meta.json that is none', (folder) => writeFileSync(join(folder, 'meta.json'), '5')],
    [
      'a meta.json without what is needed',
      (folder) => writeFileSync(join(folder, 'meta.json'), '{"attempt":1,"workflow":"main"}'),
    ],
    [
      'a file in the place of a folder',
      (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
      },
    ],
  ];

  it.each(first(4, DAMAGE))('that is damaged (%s) stops nothing', async (_, damage) => {
    const cwd = await project(files);
    fail(cwd, 'train');
    await trowel(['run'], { cwd });
    damage(attemptFolder(cwd, 1));
    for (const args of [['log'], ['log', '1'], ['sessions'], ['sessions', '--json'], ['run', '--resume']]) {
      const { code, stderr } = await trowel(args, { cwd });
      expect(`${args.join(' ')}: ${code} ${stderr}`).not.toMatch(/internal error|TypeError|SyntaxError|at .*\.js:\d/);
      expect([0, 1, 2]).toContain(code);
    }
    mend(cwd, 'train');
    expect((await trowel(['run', '-t', '2031-01-01'], { cwd })).code).toBe(0);
  });
});
