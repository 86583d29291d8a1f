/** "How to install Python packages / OS packages": into a place of the task's own, never into the environment of others. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Example, example } from '../example.ts';
import { tabulateWheel } from '../wheel.ts';

async function runOffline({ shell }: Example, args: string): Promise<ReturnType<Example['shell']>> {
  return shell(`cd operator-guide && PIP_NO_INDEX=1 trowel run install_package ${args}`);
}

const TABLE = 'customer orders\ncustomer-1 3\ncustomer-2 5\nfrom a folder of the task\n';

describe('install_package', () => {
  it('installs for one task; the next one does not see it, and nothing remains', async () => {
    const guide = await example('operator-guide');
    const ran = await runOffline(guide, `-p package=${tabulateWheel(guide.root, '0.9.0')}`);
    expect(ran.code, ran.stderr + ran.stdout).toBe(0);
    expect(ran.stdout).toBe(`${TABLE}tabulate 0.9.0\ntabulate is not here\n`);
    expect(await readdir(guide.home, { recursive: true })).toEqual(
      expect.not.arrayContaining([expect.stringContaining('tabulate')]),
    );
    expect(await guide.shell('python3 -c "import tabulate"')).toMatchObject({ code: 1 });
  });

  it("goes before the project's environment without changing it", async () => {
    const guide = await example('operator-guide');
    await writeFile(join(guide.folder, 'requirements.txt'), `${tabulateWheel(guide.root, '0.8.0')}\n`);
    const newer = tabulateWheel(guide.root, '0.9.0');
    const envs = join(guide.home, '.cache/trowel/envs');
    const first = await runOffline(guide, '+without');
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toContain('Preparing a Python environment for requirements.txt');
    expect(first.stdout).toBe('tabulate 0.8.0 is in the environment\n');
    const installed = (await readdir(envs, { recursive: true })).filter((path) => !path.includes('__pycache__')).sort();
    const ran = await runOffline(guide, `-p package=${newer}`);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toBe(`${TABLE}tabulate 0.9.0\ntabulate 0.8.0 is in the environment\n`);
    expect(ran.stderr).not.toContain('Preparing');
    expect((await readdir(envs, { recursive: true })).filter((path) => !path.includes('__pycache__')).sort()).toEqual(
      installed,
    );
  });
});

describe('os_package', () => {
  it('says what to write where the program is missing', async () => {
    const { trowel } = await example('operator-guide');
    const absent = await trowel('run', 'os_package', '+wkhtmltopdf');
    expect(absent.code).toBe(0);
    expect(absent.stdout).toMatch(/^wkhtmltopdf is (here|not here: add it to trowel\.yml as apt: \[wkhtmltopdf\])\n$/);
  });
});
