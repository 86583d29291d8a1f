/** "Directory structures": the project as a whole, and its run-through test. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { example } from '../example.ts';

describe('examples/operator-guide', () => {
  it('has the layout of the guide, and one warning, which it is there to show', async () => {
    const { trowel, folder } = await example('operator-guide');
    for (const path of [
      ...['README.md', 'config/params.test.yml', 'config/params.yml', 'awesome_workflow.dig', 'ingest.dig'],
      ...['py_scripts/__init__.py', 'py_scripts/data.py', 'py_scripts/my_script.py', 'queries/example.sql'],
      ...['run_test.sh', 'test.dig'],
    ]) {
      expect(existsSync(join(folder, path)), path).toBe(true);
    }
    await trowel('secrets', '--local', '--set', 'td.apikey=x');
    const checked = await trowel('check', '--format', 'json');
    expect(checked.code).toBe(0);
    // The one that the workflow is there to show.
    const warned = { file: 'secret_arg.dig', severity: 'warning', code: 'secret-not-here' };
    expect(JSON.parse(checked.stdout)).toMatchObject([warned]);
    expect((await trowel('check')).stdout).toContain('awesome_workflow');
  });

  it('awesome_workflow loads, enriches and shows, each day at 7 in Tokyo', async () => {
    const { trowel } = await example('operator-guide');
    const ran = await trowel('run', 'awesome_workflow', '--session', '2030-01-31');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toBe(
      '1000 orders loaded into my_db\n' +
        'customer-2: 114 orders, 31107\ncustomer-5: 121 orders, 29768\ncustomer-7: 114 orders, 28692\n' +
        'Best customers of my_db: ["customer-2","customer-5","customer-7"]\n',
    );
    expect(ran.stderr).toMatch(/^awesome_workflow {2}session 2030-01-31T00:00:00\+09:00/);
    expect((await trowel('check', 'awesome_workflow')).stdout).toContain('07:00:00');
  });

  it('ingest runs alone with the parameters of production', async () => {
    const { trowel } = await example('operator-guide');
    const ran = await trowel('run', 'ingest', '-P', 'config/params.yml');
    expect(ran).toMatchObject({ code: 0, stdout: '1000 orders loaded into my_db\n' });
  });

  it('run_test.sh runs everything on the test database, from anywhere', async () => {
    const { shell, folder } = await example('operator-guide');
    const ran = await shell('TROWEL=trowel operator-guide/run_test.sh');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(
      /^50 orders loaded into my_db_test\n(customer-\d: .*\n){3}ok: customer-4, customer-5, customer-2\n$/,
    );
    expect(existsSync(join(folder, 'data/my_db_test.sqlite'))).toBe(true);
    expect(existsSync(join(folder, 'data/my_db.sqlite'))).toBe(false);
  });

  it('run_test.sh fails when the workflow does', async () => {
    const { shell } = await example('operator-guide');
    const ran = await shell('TROWEL=trowel operator-guide/run_test.sh -p rows=2 --timezone Nowhere/Here');
    expect(ran.code).toBe(2);
    const failed = await shell('rm operator-guide/queries/example.sql; TROWEL=trowel operator-guide/run_test.sh');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("No such file or directory: 'queries/example.sql' (FileNotFoundError)");
  });
});
