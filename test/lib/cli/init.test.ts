import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeProject } from '../../../lib/cli/init.ts';
import { project } from './run-cli.ts';

const TEMPLATE = {
  'main.dig': '+a:\n  echo>: hello\n',
  gitignore: '.trowel\n',
  'package.json': '{"name": "__PROJECT_NAME__"}\n',
  'tasks/__init__.py': '',
};

describe('writeProject', () => {
  it('copies the template, with the name of the folder', async () => {
    const template = await project(TEMPLATE);
    const target = join(await project(), 'My Project!');
    expect(await writeProject(template, target)).toEqual([
      '.gitignore',
      'main.dig',
      'package.json',
      'tasks/__init__.py',
    ]);
    expect(JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))).toEqual({ name: 'my-project' });
    expect(readFileSync(join(target, 'main.dig'), 'utf8')).toBe(TEMPLATE['main.dig']);
  });

  it('writes beside other files, but not over one', async () => {
    const template = await project(TEMPLATE);
    const beside = await project({ 'notes.txt': 'mine' });
    await writeProject(template, beside);
    const target = await project({ 'tasks/__init__.py': 'mine = 1\n' });
    await expect(writeProject(template, target)).rejects.toMatchObject({
      exitCode: 2,
      message: 'would overwrite tasks/__init__.py',
    });
    expect(readdirSync(target)).toEqual(['tasks']);
  });
});
