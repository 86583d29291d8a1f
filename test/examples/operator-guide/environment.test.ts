/** "Passing parameters to py> operator", 2: environment variables and secrets. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { example } from '../example.ts';

const VALUE = '1234/0123456789abcdef';

describe('environment variables', () => {
  it('env: _env reaches the task', async () => {
    const { trowel } = await example('operator-guide');
    expect(await trowel('run', 'env')).toMatchObject({ code: 0, stdout: 'Env var is hello\n' });
  });

  it('secret_env: first set, then used; its value is shown and kept nowhere', async () => {
    const { trowel, shell, onTerminal, root, folder } = await example('operator-guide');
    const without = await trowel('run', 'secret_env');
    expect(without).toMatchObject({ code: 1, stdout: '' });
    expect(without.stderr).toContain(
      "Secret not found for key: 'td.apikey'\n  Set it with: trowel secrets --local --set td.apikey\n",
    );
    const [, command = ''] = /Set it with: (.*)/.exec(without.stderr) ?? [];
    const set = await onTerminal(`cd operator-guide && ${command}`, [['Value of td.apikey', `${VALUE}\n`]]);
    expect(set).toMatchObject({ code: 0, stdout: expect.not.stringContaining(VALUE) });

    const ran = await trowel('run', 'secret_env');
    expect(ran).toMatchObject({ code: 0, stdout: `The API key is here and has ${VALUE.length} characters\n` });
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      expect(await readFile(join(file.parentPath, file.name), 'utf8'), file.name).not.toContain(VALUE);
    }
    // As in digdag, one may also give a value in the command or a file.
    const other = await shell(
      'cd operator-guide && trowel secrets --local --set td.apikey=12 && trowel run secret_env',
      { cwd: root },
    );
    expect(other.stdout).toBe('The API key is here and has 2 characters\n');
  });

  it('a task that prints its secret prints stars', async () => {
    const { trowel, folder } = await example('operator-guide');
    const task = '+leak:\n  sh>: echo "key $TD_API_KEY"\n  _env: {TD_API_KEY: "${secret:td.apikey}"}\n';
    await writeFile(join(folder, 'leak.dig'), task);
    await trowel('secrets', '--local', '--set', `td.apikey=${VALUE}`);
    const ran = await trowel('run', 'leak', '-E');
    expect(ran).toMatchObject({ code: 0, stdout: 'key ***\n' });
    expect(ran.stderr).not.toContain(VALUE);
  });

  it('secret_arg: outside of _env the text stays as it stands, set or not', async () => {
    const { trowel } = await example('operator-guide');
    const literal = { code: 0, stdout: '${secret:td.apikey}\n' };
    expect(await trowel('run', 'secret_arg')).toMatchObject(literal);
    await trowel('secrets', '--local', '--set', `td.apikey=${VALUE}`);
    expect(await trowel('run', 'secret_arg')).toMatchObject(literal);
  });
});
