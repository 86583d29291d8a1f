import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeProject } from '../../../../lib/cli/actions/new-project.ts';
import { ownOrigin } from '../../../../lib/cli/actions/own-origin.ts';
import { capture } from '../../../../lib/host/capture.ts';
import { project, trowel } from '../run-cli.ts';

/** `3.11`, of the python3 here. */
async function pythonHere(): Promise<string> {
  return (await capture(['python3', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])).output.trim();
}

const TEMPLATE = {
  'main.dig': '+a:\n  echo>: hello\n',
  gitignore: '.trowel\n',
  'package.json': '{"name": "my-workflows"}\n',
  'tasks/__init__.py': '',
};

describe('trowel init', () => {
  it('makes a project that checks and runs', async () => {
    const cwd = await project();
    const made = await trowel(['init', 'shop'], { cwd });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('Next:\n  cd shop\n  trowel run main.dig\n');
    const shop = join(cwd, 'shop');
    expect(readFileSync(join(shop, 'trowel.yml'), 'utf8')).toContain(`version: "${await pythonHere()}"`);
    expect(await trowel(['check'], { cwd: shop })).toMatchObject({ code: 0, stderr: '' });
    expect((await trowel(['run', 'main.dig'], { cwd: shop })).code).toBe(0);
    const again = await trowel(['init'], { cwd: shop });
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toMatch(/would overwrite .*main\.dig/);
  });
});

describe('writeProject', () => {
  it('copies the template, with the name of the folder', async () => {
    const template = await project(TEMPLATE);
    const target = join(await project(), 'My Project!');
    expect(await writeProject(template, target)).toEqual({
      written: ['.gitignore', 'main.dig', 'package.json', 'tasks/__init__.py'],
      kept: [],
      added: [],
    });
    expect(JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))).toEqual({ name: 'my-project' });
    expect(readFileSync(join(target, 'main.dig'), 'utf8')).toBe(TEMPLATE['main.dig']);
  });

  it('writes beside other files, but not over one', async () => {
    const template = await project(TEMPLATE);
    const beside = await project({ 'notes.txt': 'mine' });
    await writeProject(template, beside);
    const installed = await project({ 'package.json': '{"private": true}', '.gitignore': 'mine\n' });
    const { written, kept } = await writeProject(template, installed);
    expect([written, kept]).toEqual([
      ['main.dig', 'tasks/__init__.py'],
      ['.gitignore', 'package.json'],
    ]);
    expect(readFileSync(join(installed, 'package.json'), 'utf8')).toBe('{"private": true}');
    const target = await project({ 'tasks/__init__.py': 'mine = 1\n' });
    await expect(writeProject(template, target)).rejects.toMatchObject({
      kind: 'usage',
      message: 'would overwrite tasks/__init__.py',
    });
    expect(readdirSync(target)).toEqual(['tasks']);
  });
});

describe('package.json', () => {
  const WANTED = JSON.stringify({
    name: 'my-workflows',
    scripts: { start: 'trowel run main.dig', test: 'sh run_test.sh' },
    devDependencies: { 'aws-cdk': '2.1.0', trowel: '^0.1.0' },
  });

  it.each<[string, string, object, string[]]>([
    [
      'what npm install has made',
      '{\n    "dependencies": {\n        "trowel": "file:trowel-0.1.0.tgz"\n    }\n}\n',
      {
        dependencies: { trowel: 'file:trowel-0.1.0.tgz' },
        scripts: { start: 'trowel run main.dig', test: 'sh run_test.sh' },
        devDependencies: { 'aws-cdk': '2.1.0' },
      },
      ['aws-cdk 2.1.0', 'scripts start, test'],
    ],
    [
      'one with versions and scripts of its own',
      '\ufeff{"name": "mine", "scripts": {"test": "mine"}, "devDependencies": {"aws-cdk": "2.0.0", "a": "1"}}',
      {
        name: 'mine',
        scripts: { test: 'mine', start: 'trowel run main.dig' },
        devDependencies: { 'aws-cdk': '2.0.0', a: '1', trowel: 'file:../trowel.tgz' },
      },
      ['trowel file:../trowel.tgz', 'scripts start'],
    ],
  ])('gets what it lacks: %s', async (_, before, after, added) => {
    const template = await project({ 'package.json': WANTED });
    const target = await project({ 'package.json': before });
    const made = await writeProject(template, target, { origin: join(target, '../trowel.tgz') });
    expect(made).toEqual({ written: [], kept: [], added });
    const text = readFileSync(join(target, 'package.json'), 'utf8');
    expect(JSON.parse(text)).toEqual(after);
    expect(text.split('\n')[1]).toMatch(before.includes('\n    "') ? /^ {4}"/ : /^ {2}"/);
    expect(await writeProject(template, target)).toEqual({ written: [], kept: ['package.json'], added: [] });
    expect(readFileSync(join(target, 'package.json'), 'utf8')).toBe(text);
  });

  it.each(['{', '[]', '"x"'])('that is %s is not touched, and nothing is written', async (text) => {
    const template = await project({ ...TEMPLATE, 'package.json': WANTED });
    const target = await project({ 'package.json': text });
    await expect(writeProject(template, target)).rejects.toMatchObject({ kind: 'usage' });
    expect(readdirSync(target)).toEqual(['package.json']);
  });
});

describe('python.version', () => {
  it.each([
    ['3.12', 'python:\n  version: "3.12"\n  # requirements: requirements.txt\ndeploy:\n'],
    [undefined, '# python:\n#   version: "3.11"\n#   requirements: requirements.txt\ndeploy:\n'],
  ])('%s', async (python, expected) => {
    const target = await project();
    await writeProject(join(import.meta.dirname, '../../../../templates/project'), target, { python });
    expect(readFileSync(join(target, 'trowel.yml'), 'utf8')).toContain(expected);
  });
});

describe('where a new project has Trowel from', () => {
  it.each([
    [
      'the tarball that npm unpacked',
      { 'node_modules/trowel': { resolved: 'file:../trowel-0.1.0.tgz' } },
      '../trowel-0.1.0.tgz',
    ],
    [
      'a registry',
      { 'node_modules/trowel': { resolved: 'https://registry.npmjs.org/trowel/-/trowel-0.1.0.tgz' } },
      undefined,
    ],
    ['npm does not say', {}, undefined],
  ])('%s', async (_, packages, expected) => {
    const app = await project({
      'node_modules/.package-lock.json': JSON.stringify({ packages }),
      'node_modules/trowel/package.json': '{}',
    });
    const origin = ownOrigin(join(app, 'node_modules/trowel/package.json'));
    expect(origin).toBe(expected === undefined ? undefined : join(app, expected));
  });

  it('a clone of the repository', async () => {
    const clone = await project({ 'package.json': '{}' });
    expect(ownOrigin(join(clone, 'package.json'))).toBe(clone);
    const template = await project({ 'package.json': '{"devDependencies": {"trowel": "^0.1.0", "aws-cdk": "1"}}' });
    const target = join(clone, 'flows');
    await writeProject(template, target, { origin: clone });
    expect(JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))).toEqual({
      devDependencies: { trowel: 'file:..', 'aws-cdk': '1' },
    });
  });
});
