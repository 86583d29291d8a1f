import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { countTasks, renderProject } from '../../../../lib/cli/actions/check.ts';
import { loadProject } from '../../../../lib/language/project.ts';
import { project, trowel } from '../run-cli.ts';

const files = {
  'main.dig': `
timezone: Asia/Tokyo
schedule:
  daily>: 07:00:00
+a:
  echo>: a
+l:
  loop>: 3
  _do:
    +x: {echo>: x}
    +y: {echo>: y}
_error:
  echo>: error
`,
  'other.dig': '+a:\n  echo>: a\n',
};
const broken = { 'main.dig': '+a:\n  ech>: a\n', 'sub/x.dig': '+a:\n  echo>: a\n', 'fine.dig': '+a:\n  echo>: a\n' };

describe('trowel check', () => {
  it('lists workflows, schedules and parameters', async () => {
    const { workflows, name, config } = await loadProject(await project(files));
    const now = Date.parse('2030-01-31T12:00:00Z');
    const listed = { name: 'shop', config };
    expect(name).toMatch(/^trowel-cli-/);
    expect(renderProject(listed, [...workflows.values()], { a: { b: 1 } }, picocolors.createColors(false), now)).toBe(
      `Project shop, time zone UTC

Workflows
  main   5 tasks  Asia/Tokyo
  other  1 task

Schedules
  main   daily>: 07:00:00
         next session 2030-02-01T00:00:00+09:00, runs 2030-02-01T07:00:00+09:00 (in 10:00:00)

Parameters
  a: {"b":1}
`,
    );
    const main = workflows.get('main');
    expect(countTasks(main?.root)).toBe(5);
  });

  it('reports every file of the project, from where the user stands', async () => {
    const cwd = await project(broken);
    for (const args of [['check'], ['check', 'fine'], ['c', 'sub/x.dig']]) {
      const { code, stdout, stderr } = await trowel(args, { cwd });
      expect(stderr).toContain('main.dig:2:3 error unknown-operator');
      expect(stderr).toContain('1 error\n');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    }
    const above = await project(Object.fromEntries(Object.entries(broken).map(([path, text]) => [`p/${path}`, text])));
    expect((await trowel(['check', '--project', 'p'], { cwd: above })).stderr).toContain('p/main.dig:2:3 error');
  });

  it('speaks to programs', async () => {
    const cwd = await project(broken);
    const json = await trowel(['check', '--format', 'json'], { cwd });
    expect(JSON.parse(json.stdout)).toMatchObject([{ code: 'unknown-operator', file: 'main.dig', line: 2, column: 3 }]);
    expect({ code: json.code, stderr: json.stderr }).toEqual({ code: 1, stderr: '' });
    const github = await trowel(['check', '--format', 'github'], { cwd });
    expect(github.stdout).toMatch(/^::error file=main\.dig,line=2,col=3,.*title=unknown-operator::/);
    const fine = await trowel(['check', '--format', 'json'], { cwd: await project(files) });
    expect(fine).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });
});

describe('trowel compile, trowel schema', () => {
  it('print JSON', async () => {
    const cwd = await project(files);
    const machine = JSON.parse((await trowel(['compile', 'main.dig'], { cwd })).stdout);
    expect(machine).toMatchObject({ QueryLanguage: 'JSONata', StartAt: 'Start' });
    const nested = JSON.parse((await trowel(['compile', 'main', '--nested'], { cwd })).stdout);
    expect(nested).toMatchObject({ main: machine });
    for (const kind of ['dig', 'trowel']) {
      expect(JSON.parse((await trowel(['schema', kind], { cwd })).stdout)).toHaveProperty('$schema');
    }
    expect(await trowel(['compile', 'main.dig'], { cwd: await project(broken) })).toMatchObject({
      code: 1,
      stdout: '',
    });
  });
});
