import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project, trowel } from '../run-cli.ts';

interface Found {
  readonly code: string;
  readonly severity: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly notes: readonly string[];
}

async function check(cwd: string, ...args: string[]): Promise<readonly Found[]> {
  const { stdout, stderr } = await trowel(['check', '--format', 'json', ...args], { cwd });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** `file:line:column code`, in order. */
async function places(files: { readonly [path: string]: string }, ...args: string[]): Promise<readonly string[]> {
  const found = await check(await project(files), ...args);
  return found.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`);
}

/** A task a line, so that the line says which: `+tN: {…}`. */
function dig(...tasks: readonly string[]): string {
  return tasks.map((task, at) => `+t${at + 1}: {${task}}\n`).join('');
}

const MODULE = `
import dataclasses
import functools
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import overload

from tasks.base import Base, helper as aliased, timed
from tasks.more import *


def f(name):
    pass


def g(name="nobody", *, deep=1):
    pass


def needs_two(first, /, second, *rest, third, **kwargs):
    pass


g2 = g
made = functools.partial(f, "x")
anonymous = lambda width: width


@timed
def measured(height):
    pass


@unknown_decorator
def decorated(a, b, c):
    pass


@functools.lru_cache(maxsize=None)
def cached(key):
    pass


@overload
def typed(a: int) -> int: ...
@overload
def typed(a: str) -> str: ...
def typed(a, b=None):
    pass


try:
    from quick import fast
except ImportError:
    def fast(x=1):
        pass


class Job:
    def __init__(self, table, mode="w"):
        pass

    def __own(self):
        pass

    def run(self, since):
        pass

    @staticmethod
    def still(a):
        pass

    @classmethod
    def make(cls, b):
        pass

    class Inner:
        def go(self, deep):
            pass


class Derived(Base):
    def work(self):
        self.inherited(1)


@dataclass
class Config:
    source: str
    target: str = "out"
    tags: list = field(default_factory=list)
    hidden: int = field(init=False)

    def run(self):
        pass


class Plain:
    def other(self):
        pass


async def later():
    pass


def rows():
    yield 1
`;
const FILES = {
  'tasks/__init__.py': '',
  'tasks/a.py': MODULE,
  'tasks/base.py': `
import functools


class Base:
    def __init__(self, size):
        pass

    def inherited(self, depth):
        pass


def helper(count):
    pass


def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper
`,
  'tasks/more.py': '__all__ = ["starred"]\n\n\ndef starred(tail):\n    pass\n\n\ndef not_exported():\n    pass\n',
  'tasks/made.py': 'def __getattr__(name):\n    return print\n',
  // A star brings the function of the module's own name.
  'tasks/part/__init__.py': 'from .part import *\n',
  'tasks/part/part.py': 'def part():\n    pass\n',
  'tasks/later_all.py': 'from tasks.hidden import *\n',
  'tasks/hidden.py': '__all__ = []\n__all__.append("_hidden")\ndef _hidden():\n    pass\n',
  'tasks/patched.py': 'class C:\n    pass\nC.more = lambda self: None\n',
  'tasks/set.py': 'setattr(__import__("sys").modules[__name__], "f", print)\n',
  'tasks/late.py': 'for each in ("x", "y"):\n    globals()[each] = print\n',
};

describe('the function of a py>', () => {
  it('is looked up, and what is not there is an error at its name', async () => {
    const found = await places({
      ...FILES,
      'main.dig': dig(
        'py>: tasks.b.f',
        'py>: tasks.a.ff',
        'py>: taks.a.f',
        'py>: tasks.a.Job.nothing',
        'py>: tasks.a.Plain',
        'py>: tasks.a',
        'py>: f',
        'py>: "tasks.a:f"',
        'py>: "tasks/a.f"',
        'py>: tasks.a.not_exported',
        'py>: tasks.a.f.',
        '_type: py, _command: tasks.a.nope',
      ),
    });
    const at = Array.from(
      { length: 12 },
      (_, line) => `main.dig:${line + 1}:${[7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9][line]}`,
    );
    expect(found.map((each) => each.replace(/:\d+ /, ' '))).toEqual(
      at.map((each) => `${each.replace(/:\d+$/, '')} python-not-found`),
    );
  });

  it('says what was meant', async () => {
    const found = await check(
      await project({
        ...FILES,
        'main.dig': dig(
          'py>: tasks.a.meassured',
          'py>: taks.a.f',
          'py>: "tasks/a.py:f"',
          'py>: tasks.a',
          'py>: tasks.a.Job.rum',
          'py>: tasks/a.py',
        ),
      }),
    );
    expect(found.map(({ notes }) => notes[0])).toEqual([
      "Did you mean 'measured'?",
      "Did you mean 'tasks'?",
      'Write `py>: tasks.a.f`.',
      expect.stringContaining('tasks.a.f,'),
      "Did you mean 'run'?",
      "'tasks.a' is a module, not a function.",
    ]);
  });

  it('may be found in ways that no text shows: then nothing is said', async () => {
    const silent = [
      'py>: tasks.a.g',
      'py>: tasks.a.g2',
      'py>: tasks.a.made',
      'py>: tasks.a.decorated',
      'py>: tasks.a.fast',
      'py>: tasks.a.typed, a: 1',
      'py>: tasks.a.aliased, count: 1',
      'py>: tasks.a.starred, tail: 1',
      'py>: tasks.made.whatever',
      'py>: tasks.late.x',
      'py>: tasks.patched.C.more',
      'py>: tasks.set.f',
      'py>: tasks.part.part',
      'py>: tasks.later_all._hidden',
      'py>: tasks.a.Job._Job__own, table: t',
      'py>: os.getcwd',
      'py>: "${which}", which: tasks.a.f',
      'py>: tasks.a.Job, table: t, since: now',
      'py>: tasks.a.Job.still, table: t, a: 1',
      'py>: tasks.a.Job.make, table: t, b: 1',
      'py>: tasks.a.Job.Inner.go, deep: 1',
      'py>: tasks.a.Derived.work, size: 1',
      'py>: tasks.a.Derived.inherited, size: 1, depth: 1',
      'py>: tasks.a.Config, source: s',
      'py>: tasks.a.needs_two, first: 1, second: 2, third: 3, anything: 4',
      'py>: tasks.a.g, nmae: 1, deep: "${nmae}"',
      '_type: py, script: "print(1)"',
    ].map((task) => task.replace('"${which}", which: tasks.a.f', 'tasks.a.f, name: 1'));
    expect(await places({ ...FILES, 'main.dig': dig(...silent) })).toEqual([]);
  });

  it('may come from folders that are added when it runs', async () => {
    const files = {
      'lib/sub.py': 'import over_there\ndef f():\n    pass\n',
      'tasks.py': 'import sys\nsys.path.append("lib")\nimport sub\nfrom bag.inner import x\ndef f():\n    pass\n',
      'bag.py': '__path__ = []\n',
      'main.dig': dig('py>: tasks.f'),
    };
    expect(await places(files)).toEqual([]);
    const named = { ...files, 'main.dig': dig('py>: sub.f', 'py>: sub.f, _env: {PYTHONPATH: lib}') };
    expect(await places(named)).toEqual([]);
  });

  it('that runs nothing when it is called is a warning', async () => {
    const files = { ...FILES, 'main.dig': dig('py>: tasks.a.later', 'py>: tasks.a.rows') };
    expect(await places(files)).toEqual(['main.dig:1:12 python-not-run', 'main.dig:2:12 python-not-run']);
  });

  it('is looked for in the folder of a workflow that is called', async () => {
    const files = {
      'main.dig': '+x: {call>: sub/part}\n',
      'sub/part.dig': '+y: {py>: here.f}\n+z: {py>: there.f}\n',
      'sub/here.py': 'def f():\n    pass\n',
      'there.py': 'def f():\n    pass\n',
    };
    expect(await places(files)).toEqual(['sub/part.dig:2:11 python-not-found']);
  });

  it('may be written by an earlier task, or be in an image: then it is a warning', async () => {
    const found = await check(
      await project({
        'tasks/__init__.py': '',
        'main.dig':
          '+make: {sh>: "python3 generate.py > tasks/made.py"}\n+use: {py>: tasks.made.f}\n+other: {py>: theirs.f, docker: {image: x}}\n+third: {py>: theirs.g}\n',
      }),
    );
    expect(found.map(({ line, code, severity }) => [line, code, severity])).toEqual([
      [2, 'python-not-found', 'warning'],
      [3, 'python-not-found', 'warning'],
      [4, 'python-not-found', 'error'],
    ]);
  });

  it('does not hinder another workflow', async () => {
    const cwd = await project({ 'main.dig': '+a: {echo>: hi}\n', 'other.dig': '+a: {py>: no.where}\n' });
    expect((await trowel(['check'], { cwd })).code).toBe(1);
    expect(await trowel(['run', 'main.dig'], { cwd })).toMatchObject({ code: 0 });
  });
});

describe('arguments', () => {
  it('that nothing gives, and keys that are none, are warnings', async () => {
    const found = await check(
      await project({
        ...FILES,
        'main.dig': dig(
          'py>: tasks.a.f',
          'py>: tasks.a.g, nmae: 3',
          'py>: tasks.a.f, nmae: 3',
          'py>: tasks.a.g, dep: 3',
          'py>: tasks.a.needs_two, first: 1',
          'py>: tasks.a.Job, table: t',
          'py>: tasks.a.Job.still, a: 1',
          'py>: tasks.a.Derived.work',
          'py>: tasks.a.Config',
          'py>: tasks.a.measured',
          'py>: tasks.a.cached',
          'py>: tasks.a.anonymous',
          'py>: tasks.a.starred',
        ),
      }),
    );
    expect(found.map(({ line, code, message }) => `${line} ${code} ${/`\w+`(?=,|$)/.exec(message)?.[0]}`)).toEqual([
      '1 python-argument `name`',
      '2 python-argument `nmae`',
      '3 python-argument `nmae`',
      '4 python-argument `dep`',
      '5 python-argument `second`',
      '5 python-argument `third`',
      '6 python-argument `since`',
      '7 python-argument `table`',
      '8 python-argument `size`',
      '9 python-argument `source`',
      '10 python-argument `height`',
      '11 python-argument `key`',
      '12 python-argument `width`',
      '13 python-argument `tail`',
    ]);
    expect(found[1]).toMatchObject({ column: 23, notes: ["Did you mean 'name'?"] });
    expect(found[2]?.notes).toEqual(["Did you mean 'name'?", expect.stringContaining('`f` needs the argument `name`')]);
  });

  it('come from exports, stores, parameters, sessions, loops, defaults and callers', async () => {
    const tasks = {
      'tasks.py':
        'import digdag\n\n\ndef f(name):\n    pass\n\n\ndef put():\n    digdag.env.store({"name": 1}, other=2)\n\n\ndef today(session_date):\n    pass\n',
      'plain.py': 'def f(name):\n    pass\n',
      'any.py': 'import digdag\n\n\ndef put(values={}):\n    digdag.env.store(values)\n',
    };
    const f = '+f: {py>: plain.f}\n';
    // Each a workflow of its own, and how many arguments nothing gives in it.
    const workflows: { readonly [what: string]: readonly [string, number] } = {
      nothing: [f, 1],
      an_export: [`_export: {name: x}\n${f}`, 0],
      an_export_elsewhere: [`+g: {_export: {name: x}, +h: {echo>: hi}}\n${f}`, 1],
      a_store: [`+s: {py>: tasks.put}\n${f}`, 0],
      a_store_after_it: [`${f}+s: {py>: tasks.put}\n`, 1],
      a_store_of_who_knows_what: [`+s: {py>: any.put}\n${f}`, 0],
      a_store_in_a_loop: [`+s: {loop>: 2, _do: {py>: tasks.put}}\n${f}`, 0],
      a_variable_of_a_loop: ['+s: {for_each>: {name: [1]}, _do: {py>: plain.f}}\n', 0],
      another_variable_of_a_loop: ['+s: {for_each>: {nom: [1]}, _do: {py>: plain.f}}\n', 1],
      the_session: ['+f: {py>: tasks.today}\n', 0],
      defaults: [`_export: {py: {name: x}}\n${f}`, 0],
      a_caller: ['_export: {name: x}\n+c: {call>: called}\n', 0],
      called: [f, 0],
      another_caller: ['+c: {call>: called_in_vain}\n', 0],
      called_in_vain: [f, 1],
      requires: ['+c: {require>: required, params: {name: x}}\n', 0],
      required: [f, 0],
    };
    const files = Object.fromEntries(Object.entries(workflows).map(([name, [text]]) => [`${name}.dig`, text]));
    const cwd = await project({ ...tasks, ...files });
    const found = await check(cwd);
    expect(found.map(({ code }) => code)).toEqual(found.map(() => 'python-argument'));
    const counted = Object.keys(workflows).map((name) => [
      name,
      found.filter(({ file }) => file === `${name}.dig`).length,
    ]);
    expect(counted).toEqual(Object.entries(workflows).map(([name, [, count]]) => [name, count]));
    expect(await check(cwd, '-p', 'name=x')).toEqual([]);
    await writeFile(join(cwd, 'p.yml'), 'name: x\n');
    expect(await check(cwd, '-P', 'p.yml')).toEqual([]);
    await writeFile(join(cwd, 'trowel.yml'), 'params: p.yml\n');
    expect(await check(cwd)).toEqual([]);
  });
});

describe('the files', () => {
  it('that are no Python are an error at the place in them', async () => {
    const files = {
      'main.dig': dig('py>: one.f', 'py>: two.f', 'py>: three.f'),
      'one.py': '# é\ndef f():\n    x = 1, print("never closed"\n',
      'two.py': 'import broken\n\n\ndef f():\n    pass\n',
      'broken.py': 'return 1\n',
      'three.py': 'def f():\n    import unreadable\n',
      'unreadable.py': 'def:\n',
    };
    const found = await check(await project(files));
    expect(found.map(({ file, line, column, severity }) => [file, line, column, severity])).toEqual([
      ['broken.py', 1, 1, 'error'],
      ['one.py', 3, 17, 'error'],
      ['unreadable.py', 1, 4, 'warning'],
    ]);
    expect(found[1]?.notes).toEqual(['The task at main.dig:1 needs this file.']);
  });

  it('are read and not run, once: what has not changed needs no Python', async () => {
    const cwd = await project({
      ...FILES,
      'main.dig': dig('py>: tasks.a.ff'),
      'tasks/__init__.py': 'open("ran", "w")\n',
    });
    const home = await project();
    const env = { HOME: home, XDG_CACHE_HOME: join(home, 'cache') };
    const first = await trowel(['check', '--format', 'json'], { cwd, env });
    expect(readdirSync(cwd)).not.toContain('ran');
    expect(readdirSync(join(home, 'cache', 'trowel', 'outlines'))).toHaveLength(1);
    const second = await trowel(['check', '--format', 'json'], { cwd, env });
    expect(second).toEqual(first);
    await writeFile(join(cwd, 'tasks', 'a.py'), 'def ff():\n    pass\n');
    expect(JSON.parse((await trowel(['check', '--format', 'json'], { cwd, env })).stdout)).toEqual([]);
    await rm(join(cwd, 'tasks', 'a.py'));
    expect(JSON.parse((await trowel(['check', '--format', 'json'], { cwd, env })).stdout)).toHaveLength(1);
  });

  it('that Python never loads are named', async () => {
    const files = {
      'main.dig': dig('py>: tokenize.main', 'py>: work.f'),
      'tokenize.py': 'def main():\n    pass\n',
      'queue.py': '',
      'work.py': 'from queue import Queue\n\n\ndef f():\n    pass\n',
    };
    expect(await places(files)).toEqual(['main.dig:1:12 python-hidden', 'work.py:1:6 python-hidden']);
  });

  it('import what is there and deployed', async () => {
    const cwd = await project({
      'main.dig': dig('py>: work.f'),
      'work.py': `
import acme_sums
import json, acme_words as words
import acme_missing
from parts import one, absent
from parts.gone import x
try:
    import acme_optional
except ImportError:
    acme_optional = None
if words:
    import acme_sometimes


def f():
    import acme_late
    import digdag
`,
      'parts/__init__.py': 'from . import one\n',
      'parts/one.py': 'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import acme_types\n',
    });
    execFileSync('python3', ['-m', 'venv', '--without-pip', 'venv'], { cwd });
    const [lib = ''] = readdirSync(join(cwd, 'venv', 'lib'));
    const site = join(cwd, 'venv', 'lib', lib, 'site-packages');
    for (const name of ['acme_sums', 'acme_words', 'acme_optional', 'acme_late']) {
      await mkdir(join(site, name));
      await writeFile(join(site, name, '__init__.py'), '');
    }
    await mkdir(join(site, 'Acme_Words-1.0.dist-info'));
    await writeFile(
      join(site, 'Acme_Words-1.0.dist-info', 'METADATA'),
      'Metadata-Version: 2.1\nName: Acme.Words\nVersion: 1.0\n',
    );
    await writeFile(join(site, 'Acme_Words-1.0.dist-info', 'RECORD'), 'acme_words/__init__.py,,\n');
    const PATH = `${join(cwd, 'venv', 'bin')}:${process.env.PATH}`;
    const run = async () => {
      const { stdout } = await trowel(['check', '--format', 'json'], {
        cwd,
        env: { PATH, VIRTUAL_ENV: join(cwd, 'venv') },
      });
      return (JSON.parse(stdout) as readonly Found[]).map(
        ({ file, line, code, message }) => `${file}:${line} ${code} ${/'[\w.]+'/.exec(message)?.[0]}`,
      );
    };
    expect(await run()).toEqual([
      "work.py:2 python-package 'acme_sums'",
      "work.py:3 python-package 'acme_words'",
      "work.py:4 python-package 'acme_missing'",
      "work.py:5 python-not-found 'absent'",
      "work.py:6 python-not-found 'parts.gone'",
      "work.py:16 python-package 'acme_late'",
    ]);
    // With requirements that are not installed yet, what they bring is not known, but for their own names.
    await writeFile(join(cwd, 'requirements.txt'), 'acme.words==1.0\n');
    expect(await run()).toEqual([
      "work.py:2 python-package 'acme_sums'",
      "work.py:5 python-not-found 'absent'",
      "work.py:6 python-not-found 'parts.gone'",
      "work.py:16 python-package 'acme_late'",
    ]);
  });
});

describe('interpreters', () => {
  it('that are not there are named', async () => {
    const files = {
      'main.dig': dig('py>: a.f', 'py>: a.f, python: python2.1', 'py>: a.f, python: [no/such/python, -u]'),
      'a.py': 'def f():\n    pass\n',
    };
    expect(await places(files)).toEqual(['main.dig:2:25 python-version', 'main.dig:3:25 python-version']);
    const cwd = await project(files);
    const { code, stderr } = await trowel(['check'], { cwd, env: { PATH: cwd } });
    expect(stderr).toContain('There is no Python by the command python3 here');
    expect(code).toBe(0);
  });
});

describe('a folder without workflows', () => {
  it('is no success', async () => {
    const { code, stderr, stdout } = await trowel(['check'], { cwd: await project() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('no .dig file in');
    const below = await trowel(['check'], { cwd: await project({ 'sub/x.dig': '+a: {echo>: hi}\n' }) });
    expect(below.code).toBe(2);
    expect(below.stderr).toContain('trowel check sub/x.dig');
  });
});
