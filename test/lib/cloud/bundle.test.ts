import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeBundle } from '../../../lib/cloud/bundle.ts';
import { writeZip } from '../../../lib/cloud/zip.ts';
import { versionsFile, writeVersions } from '../../../lib/host/versions.ts';
import { type PythonSettings, prepareEnvironment } from '../../../lib/python/environment.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'trowel-bundle-'));
/** uv and what it downloads once, whichever cache is under test. */
const TOOLS = {
  ...process.env,
  PATH: `${process.env.PATH}${delimiter}${join(ROOT, 'cache/trowel/uv/bin')}`,
  UV_CACHE_DIR: join(ROOT, 'uv'),
};
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

function project(name: string, files: { readonly [path: string]: string }): string {
  const folder = join(ROOT, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

interface More {
  readonly cache?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly architecture?: 'arm64';
}

function bundle(folder: string, python: PythonSettings = {}, more: More = {}) {
  return makeBundle({
    project: folder,
    python,
    architecture: more.architecture ?? 'x86_64',
    env: { ...TOOLS, XDG_CACHE_HOME: join(ROOT, more.cache ?? 'cache'), ...more.env },
    notice: () => {},
  });
}

async function made(folder: string, python?: PythonSettings, more?: More) {
  const found = await bundle(folder, python, more);
  if (!found.ok) throw new Error(JSON.stringify(found.diagnostic));
  return found;
}

/** What Python's own reader of archives sees: path → mode and time. */
function listed(file: string): { [path: string]: string } {
  const code =
    'import json,sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; ' +
    'print(json.dumps({i.filename: f"{i.external_attr >> 16:o} {i.date_time[0]}" for i in z.infolist()}))';
  return JSON.parse(execFileSync('python3', ['-c', code, file], { encoding: 'utf8', maxBuffer: 1e8 }));
}

/** A wheel of a package with a module and a command. */
async function wheel(folder: string, name: string, version: string, tag = 'py3-none-any'): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const info = `${name}-${version}.dist-info`;
  const texts: { readonly [path: string]: string } = {
    [`${name}.py`]: `VERSION = '${version}'\ndef main(): print(VERSION)\n`,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
    [`${info}/entry_points.txt`]: `[console_scripts]\n${name} = ${name}:main\n`,
    [`${info}/RECORD`]: `${name}.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/entry_points.txt,,\n${info}/RECORD,,\n`,
  };
  await writeZip(
    join(folder, `${name}-${version}-${tag}.whl`),
    Object.entries(texts).map(([path, text]) => ({ path, executable: false, read: async () => Buffer.from(text) })),
  );
}

describe('the bundle', () => {
  it('holds the runner, the project and the packages, without what tools left behind', async () => {
    const folder = project('layout', {
      'main.dig': '+a:\n  py>: tasks.a\n',
      'tasks/__init__.py': 'def a(): pass\n',
      'tasks/__pycache__/x.pyc': 'x',
      'run.sh': '#!/bin/sh\n',
      'größe.txt': 'x',
      '.git/HEAD': 'x',
      '.trowel/attempts/1/events.jsonl': 'x',
      '.env': 'PASSWORD=x',
      'node_modules/a/index.js': 'x',
      'cdk.out/tree.json': 'x',
      'trowel-0.1.0.tgz': 'x',
      '.venv/bin/python': 'x',
    });
    chmodSync(join(folder, 'run.sh'), 0o755);
    symlinkSync('.', join(folder, 'loop'));
    symlinkSync('nowhere', join(folder, 'broken'));
    symlinkSync('main.dig', join(folder, 'link.dig'));
    const { file, sha256 } = await made(folder);
    expect(basename(file)).toBe(`${sha256}.zip`);
    const files = listed(file);
    expect(Object.keys(files).filter((path) => path.startsWith('project/'))).toEqual([
      'project/größe.txt',
      'project/link.dig',
      'project/main.dig',
      'project/run.sh',
      'project/tasks/__init__.py',
    ]);
    expect(files['project/run.sh']).toBe('100755 1980');
    expect(files['project/main.dig']).toBe('100644 1980');
    expect(files).toHaveProperty('trowel_task/__main__.py');
    // The runner needs nothing beyond Python.
    expect(Object.keys(files).filter((path) => path.startsWith('site-packages/'))).toEqual([]);
    expect(Object.keys(files).filter((path) => /__pycache__|\.pyc$/.test(path))).toEqual([]);
  });

  it('is the same, byte for byte, wherever and whenever it is made, and is not made twice', async () => {
    const files = { 'main.dig': '+a:\n  echo>: a\n', 'tasks.py': 'A = 1\n' };
    const one = await made(project('same1', files));
    const folder = project('same2', files);
    utimesSync(join(folder, 'tasks.py'), 1, 1);
    expect(await made(folder, {}, { cache: 'other' })).toMatchObject({ sha256: one.sha256, cached: false });
    expect(await made(folder, {}, { cache: 'other' })).toMatchObject({ sha256: one.sha256, cached: true });
    writeFileSync(join(folder, 'tasks.py'), 'A = 2\n');
    const changed = await made(folder, {}, { cache: 'other' });
    expect(changed.cached).toBe(false);
    expect(changed.sha256).not.toBe(one.sha256);
  });

  it('of several projects may be made at once', async () => {
    const folders = ['a', 'b', 'c'].map((name) =>
      project(`at-once-${name}`, { 'tasks.py': `# ${name}\n`.repeat(1000) }),
    );
    const all = await Promise.all(folders.map((folder) => made(folder, {}, { cache: 'at-once' })));
    expect(all.map(({ sha256 }) => sha256)).toEqual(
      all.map(({ file }) => createHash('sha256').update(readFileSync(file)).digest('hex')),
    );
    expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(3);
  });

  it('installs requirements within the constraints, with commands that find the container’s Python', async () => {
    const wheels = join(ROOT, 'wheels');
    await wheel(wheels, 'mortar', '1.0');
    await wheel(wheels, 'mortar', '2.0');
    const folder = project('constrained', { 'main.dig': '+a:\n  echo>: a\n', 'limits.txt': 'mortar<2\n' });
    const env = { UV_FIND_LINKS: wheels };
    const { file } = await made(folder, { requirements: { lines: ['mortar'] }, constraints: 'limits.txt' }, { env });
    expect(listed(file)).toHaveProperty('site-packages/mortar-1.0.dist-info/METADATA');
    const script = execFileSync('unzip', ['-p', file, 'site-packages/bin/mortar'], { encoding: 'utf8' });
    expect(script.split('\n')[0]).toBe('#!/usr/bin/env python3');
  });

  it.each([
    ['here', 'deployed'],
    ['deployed', 'here'],
  ])('has the versions that were installed first: %s, then %s', async (first) => {
    const wheels = join(ROOT, `wheels-${first}`);
    await wheel(wheels, 'mortar', '1.0');
    const folder = project(`first-${first}`, { 'main.dig': '+a:\n  echo>: a\n', 'requirements.txt': 'mortar\n' });
    const python = { requirements: { file: 'requirements.txt' } };
    const more = { cache: `cache-${first}`, env: { UV_FIND_LINKS: wheels } };
    const cache = join(ROOT, more.cache);
    const env = { ...TOOLS, XDG_CACHE_HOME: cache, ...more.env, PIP_FIND_LINKS: wheels, PIP_NO_INDEX: '1' };
    const here = async (): Promise<string> => {
      const found = await prepareEnvironment({ project: folder, python, env, notice: () => {} });
      if (!found.ok) throw new Error(JSON.stringify(found.diagnostic));
      const [command = '', ...args] = found.python;
      return execFileSync(command, [...args, '-c', 'import mortar; print(mortar.VERSION)'], {
        encoding: 'utf8',
      }).trim();
    };
    const deployed = async (): Promise<string> => {
      const { file, warnings } = await made(folder, python, more);
      expect(warnings).toEqual([]);
      const [name = ''] = Object.keys(listed(file)).filter((path) => /mortar-.*METADATA$/.test(path));
      return /mortar-([\d.]+)\.dist-info/.exec(name)?.[1] ?? name;
    };
    const [one, other] = first === 'here' ? [here, deployed] : [deployed, here];
    expect(await one()).toBe('1.0');
    await wheel(wheels, 'mortar', '2.0');
    expect(await other()).toBe('1.0');
  });

  it('says which versions differ where the containers cannot have those from here', async () => {
    const wheels = join(ROOT, 'wheels-differ');
    await wheel(wheels, 'mortar', '1.0');
    // A version for no Linux; what was recorded is as if the environment here had been made on a Mac.
    await wheel(wheels, 'mortar', '2.0', 'py3-none-macosx_11_0_arm64');
    const folder = project('differ', { 'main.dig': '+a:\n  echo>: a\n' });
    const python = { requirements: { lines: ['mortar'] } };
    const env = { XDG_CACHE_HOME: join(ROOT, 'cache-differ') };
    await writeVersions(versionsFile(env, 'mortar'), new Map([['mortar', '2.0']]));
    for (const _ of ['first', 'from the cache']) {
      const { warnings } = await made(folder, python, { cache: 'cache-differ', env: { UV_FIND_LINKS: wheels } });
      expect(warnings).toMatchObject([
        {
          code: 'python-requirements',
          severity: 'warning',
          message: 'The containers get other versions than the environment here: mortar 2.0 here, 1.0 deployed',
          notes: [expect.stringContaining('python.version')],
        },
      ]);
    }
  });

  it('is made for either processor', async () => {
    const wheels = join(ROOT, 'wheels-arm');
    await wheel(wheels, 'mortar', '1.0', 'py3-none-manylinux_2_28_aarch64');
    const folder = project('arm', { 'main.dig': '+a:\n  echo>: a\n' });
    const more = { env: { UV_FIND_LINKS: wheels } };
    const python = { requirements: { lines: ['mortar'] } };
    const { file } = await made(folder, python, { ...more, architecture: 'arm64' });
    expect(listed(file)).toHaveProperty('site-packages/mortar.py');
    expect(await bundle(folder, python, more)).toMatchObject({
      diagnostic: { message: 'The package mortar has no wheel for x86_64-manylinux_2_28 and Python 3.11' },
    });
  });

  it('names a package without a wheel for the platform, and offers the Dockerfile', async () => {
    const folder = project('no-wheel', { 'main.dig': '+a:\n  echo>: a\n' });
    expect(await bundle(folder, { requirements: { lines: ['uwsgi==2.0.28'] } })).toMatchObject({
      ok: false,
      diagnostic: {
        code: 'python-requirements',
        message: 'The package uwsgi has no wheel for x86_64-manylinux_2_28 and Python 3.11',
        notes: [expect.stringContaining('dockerfile:'), expect.stringContaining('uwsgi')],
      },
    });
  });

  it('says that uv is missing where it cannot be had', async () => {
    const folder = project('no-uv', { 'main.dig': '+a:\n  echo>: a\n' });
    expect(
      await bundle(
        folder,
        { requirements: { lines: ['six'] } },
        { cache: 'no-uv', env: { PATH: join(ROOT, 'empty') } },
      ),
    ).toMatchObject({
      ok: false,
      diagnostic: { message: expect.stringContaining('uv is needed') },
    });
  });
});
