/** "Passing parameters to py> operator", 3: variables by `import digdag`; and a module that works without it. */
import { describe, expect, it } from 'vitest';
import { example } from '../example.ts';

describe('import digdag', () => {
  it('params: an exported variable is read by a function without arguments', async () => {
    const { trowel } = await example('operator-guide');
    const ran = await trowel('run', 'params');
    expect(ran).toMatchObject({ code: 0, stdout: 'awesome message\nmy_msg: awesome message\n' });
  });

  it('store: what a task stores, the next one reads', async () => {
    const { trowel } = await example('operator-guide');
    expect(await trowel('run', 'store')).toMatchObject({ code: 0, stdout: 'Hello World\n' });
  });

  it('main_guard: a module is a program, without digdag, and a task, with it', async () => {
    const { trowel } = await example('operator-guide');
    const ran = await trowel('run', 'main_guard');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toBe(
      'SELECT customer, amount FROM orders\nnot in a workflow: nothing is stored\n' +
        'SELECT customer FROM orders\nstored: SELECT customer FROM orders\n',
    );
  });

  it.each([
    ['python3 -m py_scripts.my_script', 'SELECT customer, amount FROM orders\nnot in a workflow: nothing is stored\n'],
    ['python3 -m py_scripts.examples', 'Message is default_argument\n'],
    ['python3 -m py_scripts.data', '10 orders loaded into by_hand\n'],
    ['python3 -c "from py_scripts.my_script import remember; remember({})"', 'not in a workflow: nothing is stored\n'],
  ])('without a workflow: %s', async (command, stdout) => {
    const { shell, folder } = await example('operator-guide');
    expect(await shell(command, { cwd: folder })).toEqual({ code: 0, stdout, stderr: '' });
  });

  it('fails outside of a run with an ImportError', async () => {
    const { shell, folder } = await example('operator-guide');
    const ran = await shell('python3 -c "import digdag"', { cwd: folder });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^ModuleNotFoundError: No module named 'digdag'$/m);
  });
});
