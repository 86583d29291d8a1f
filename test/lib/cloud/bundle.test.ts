import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeBundle } from '../../../lib/cloud/bundle.ts';
import { writeZip } from '../../../lib/cloud/zip.ts';
import type { PythonSettings } from '../../../lib/local/environment.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'trowel-bundle-'));
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

function project(name: string, files: { readonly [path: string]: string }): string {
  const folder = join(ROOT, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function bundle(folder: string, python: PythonSettings = {}, more: { cache?: string; env?: NodeJS.ProcessEnv } = {}) {
  return makeBundle({
    project: folder,
    python,
    architecture: 'x86_64',
    env: { ...process.env, XDG_CACHE_HOME: join(ROOT, more.cache ?? 'cache'), ...more.env },
    notice: () => {},
  });
}

async function made(folder: string, python?: PythonSettings, more?: Parameters<typeof bundle>[2]) {
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
async function wheel(folder: string, name: string, version: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const info = `${name}-${version}.dist-info`;
  const texts: { readonly [path: string]: string } = {
    [`${name}.py`]: `VERSION = '${version}'\ndef main(): print(VERSION)\n`,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/entry_points.txt`]: `[console_scripts]\n${name} = ${name}:main\n`,
    [`${info}/RECORD`]: `${name}.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/entry_points.txt,,\n${info}/RECORD,,\n`,
  };
  await writeZip(
    join(folder, `${name}-${version}-py3-none-any.whl`),
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
    const needs = { requirements: { lines: ['humanize'] } };
    expect(await bundle(folder, needs, { cache: 'no-uv', env: { PATH: join(ROOT, 'empty') } })).toMatchObject({
      ok: false,
      diagnostic: { message: expect.stringContaining('uv is needed') },
    });
  });
});
