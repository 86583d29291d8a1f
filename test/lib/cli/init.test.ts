import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeProject } from '../../../lib/cli/init.ts';
import { project, trowel } from './run-cli.ts';

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
      exitCode: 2,
      message: 'would overwrite tasks/__init__.py',
    });
    expect(readdirSync(target)).toEqual(['tasks']);
  });
});
