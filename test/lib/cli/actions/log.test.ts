import { describe, expect, it } from 'vitest';
import { matchesTask } from '../../../../lib/cli/actions/log.ts';
import { project, trowel } from '../run-cli.ts';

const files = {
  'main.dig': `
+g:
  +load:
    sh>: echo loading
  +save:
    sh>: echo saving
+hello:
  echo>: hello
`,
  'bad.dig': '+no:\n  sh>: echo trying; exit 3\n',
};

describe('trowel log, trowel sessions', () => {
  it('show what was printed, and when', async () => {
    const cwd = await project(files);
    await trowel(['run', 'main', '--session', '2030-01-31'], { cwd });
    await trowel(['run', 'bad', '--session', '2030-01-31'], { cwd });
    await trowel(['run', 'bad', '--resume'], { cwd });

    const latest = await trowel(['log'], { cwd });
    expect(latest).toMatchObject({ code: 0, stdout: 'trying\n' });
    expect(latest.stderr).toContain('+bad+no failed after');
    expect((await trowel(['log', '1'], { cwd })).stdout).toBe('loading\nsaving\nhello\n');
    expect((await trowel(['log', '1', '+load'], { cwd })).stdout).toBe('loading\n');
    expect((await trowel(['log', '1', '+g', '-f'], { cwd })).stdout).toBe('loading\nsaving\n');
    expect((await trowel(['log', '+no'], { cwd })).stdout).toBe('trying\n');
    expect(await trowel(['log', '9'], { cwd })).toMatchObject({ code: 2, stdout: '' });
    expect(await trowel(['log', '1', '+none'], { cwd })).toMatchObject({ code: 2, stdout: '' });

    const { stdout } = await trowel(['sessions'], { cwd });
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows[0]).toEqual(['ATTEMPT', 'SESSION', 'WORKFLOW', 'SESSION TIME', 'STARTED', 'TOOK', 'STATUS']);
    expect(rows.slice(1).map((row) => [...row.slice(0, 4), row[6]])).toEqual([
      ['1', '1', 'main', '2030-01-31T00:00:00+00:00', 'succeeded'],
      ['2', '2', 'bad', '2030-01-31T00:00:00+00:00', 'failed'],
      ['3', '2', 'bad', '2030-01-31T00:00:00+00:00', 'failed (continues 2)'],
    ]);
    const json = await trowel(['sessions', 'bad.dig', '--json'], { cwd });
    expect(
      json.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).attempt),
    ).toEqual([2, 3]);
  });
});

describe('matchesTask', () => {
  it.each([
    ['+main+load', '+load', true],
    ['+main+load^sub+x', '+load', true],
    ['+main+load+x', '+main+load', true],
    ['+main+loader', '+load', false],
    ['+main+reload', '+load', false],
    ['+main+load-1+load', '+load', true],
  ])('%s, %s: %s', (task, pattern, matches) => {
    expect(matchesTask(task, pattern)).toBe(matches);
  });
});
