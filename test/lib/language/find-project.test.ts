import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProject, findWorkflow } from '../../../lib/language/find-project.ts';
import { project } from '../cli/run-cli.ts';

const DIG = '+a:\n  echo>: hello\n';

/** What is there, where the user stands, what he writes, and which folder and workflow that means. */
const CASES: [string, string[], string, string | undefined, string | undefined, string, string][] = [
  ['a file beside', ['main.dig'], '.', 'main.dig', undefined, '.', 'main'],
  ['without .dig', ['main.dig'], '.', 'main', undefined, '.', 'main'],
  ['the only one', ['main.dig'], '.', undefined, undefined, '.', 'main'],
  ['a file in another folder', ['ex/quick/main.dig'], '.', 'ex/quick/main.dig', undefined, 'ex/quick', 'main'],
  [
    'a file in a sub-folder of a project',
    ['main.dig', 'sub/part.dig'],
    '.',
    'sub/part.dig',
    undefined,
    '.',
    'sub/part',
  ],
  ['a marked project above', ['p/trowel.yml', 'p/sub/x.dig'], 'p/sub', 'x', undefined, 'p', 'sub/x'],
  ['a marked project elsewhere', ['main.dig', 'p/trowel.yml', 'p/x.dig'], '.', 'p/x.dig', undefined, 'p', 'x'],
  ['--project', ['p/main.dig', 'main.dig'], '.', 'main', 'p', 'p', 'main'],
  ['--project and a sub-folder', ['p/sub/x.dig'], '.', 'sub/x', 'p', 'p', 'sub/x'],
];

describe('findProject, findWorkflow', () => {
  it.each(CASES)('%s', async (_, files, stands, workflow, flag, folder, name) => {
    const root = await project(Object.fromEntries(files.map((file) => [file, file.endsWith('.dig') ? DIG : ''])));
    const cwd = join(root, stands);
    const place = findProject(cwd, { project: flag, workflow });
    expect(relative(root, place.folder)).toBe(folder === '.' ? '' : folder);
    expect(findWorkflow(cwd, place, workflow, flag)).toBe(name);
  });

  it('refuses a file outside of the project', async () => {
    const root = await project({ 'p/main.dig': DIG, 'q/main.dig': DIG });
    const place = findProject(root, { project: 'p' });
    expect(() => findWorkflow(root, place, '../q/main.dig', 'p')).toThrow(expect.objectContaining({ kind: 'usage' }));
  });
});
