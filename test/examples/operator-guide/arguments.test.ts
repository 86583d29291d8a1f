/** "Passing parameters to py> operator", 1: arguments. */
import { describe, expect, it } from 'vitest';
import { example } from '../example.ts';

const CASES: readonly (readonly [workflow: string, what: string, stdout: string])[] = [
  ['simple_with_arg', "a task's key is the argument of that name", 'Message is Hello World\n'],
  ['several_args', 'several keys; an argument that is not given keeps its default', 'Hi: Hello World, 3 times, a, b\n'],
  [
    'kwargs',
    "**kwargs gets docker's mapping and the workflow's variables too",
    "Message is Hello World\ndocker is {'image': 'digdag/digdag-python:3.9'}\n" +
      'unasked for: task_name is +kwargs+simple_with_kwargs, timezone is UTC, and more\n',
  ],
  [
    'td_conflict',
    'an exported td is passed where the default None was meant',
    "'msg' is Hello World and 'td' is {'database': 'my_db'}\n",
  ],
  [
    'types',
    'what comes out of ${…} is text, literals keep their types as YAML sees them',
    `a_boolean: bool True
a_date: str '2020-03-05'
a_fraction: float 1.5
a_fraction_from_zero: str '0.5'
a_list: list [1, '1']
a_mapping: dict {'depth': 2}
a_mapping_by_variable: str '{"depth":2,"names":["x","y"]}'
a_null: NoneType None
a_number: int 5
a_number_by_variable: str '5'
a_number_in_quotes: str '5'
a_number_octal: int 8
a_sum: str '6'
a_time: str '07:00:00'
a_yes: str 'yes'
6 0.25 True
`,
  ],
];

describe('arguments', () => {
  it.each(CASES)('%s: %s', async (workflow, _, stdout) => {
    const { trowel } = await example('operator-guide');
    const ran = await trowel('run', workflow);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toBe(stdout);
  });

  it('-p gives text too', async () => {
    const { trowel } = await example('operator-guide');
    const ran = await trowel('run', 'ingest.dig', '-p', 'td.database=mine', '-p', 'rows=7');
    expect(ran).toMatchObject({ code: 0, stdout: '7 orders loaded into mine\n' });
  });

  it('the image that a task names is not used here, which one notice says', async () => {
    const { trowel } = await example('operator-guide');
    const { stderr } = await trowel('run', 'store.dig');
    expect(stderr.match(/digdag\/digdag-python:3\.9/g)).toHaveLength(1);
    expect(stderr).toContain(
      'notice  The image digdag/digdag-python:3.9 is not used: tasks with `docker:` run in the Python of this machine.',
    );
  });
});
