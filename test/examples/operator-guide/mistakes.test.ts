/** The guide's own slips in YAML, which its readers copy: what `trowel check` says about them. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Example, example } from '../example.ts';

interface Found {
  readonly code: string;
  readonly line: number;
  readonly column: number;
  readonly notes: readonly string[];
}

const SLIPS: readonly (readonly [what: string, text: string, found: readonly Partial<Found>[]])[] = [
  [
    '`docker: image: …` on one line',
    `+simple_with_env2:
  py>: py_scripts.examples.access_td
  _env:
    TD_API_KEY: \${secret:td.apikey}
  docker: image: "digdag/digdag-python:3.7"
`,
    [
      {
        code: 'yaml-syntax',
        line: 5,
        column: 11,
        notes: ['Write:\n  docker:\n    image: "digdag/digdag-python:3.7"'],
      },
    ],
  ],
  [
    '`docker:` indented below a scalar',
    `+store_msg:
  py>: py_scripts.examples.store_workflow_env
  msg: "Hello World"
    docker:
      image: "digdag/digdag-python:3.7"

+restore_msg:
  echo>: \${my_msg}
`,
    [{ code: 'yaml-syntax', line: 4, column: 5 }],
  ],
  [
    'both in a file: all are told at once',
    `+a:
  py>: py_scripts.examples.access_td_ng
  docker: image: "x"
+b:
  py>: py_scripts.examples.store_workflow_env
  msg: "Hello World"
    docker:
      image: "x"
`,
    [
      { code: 'yaml-syntax', line: 3 },
      { code: 'yaml-syntax', line: 7 },
    ],
  ],
];

/** secret_arg.dig earns a warning, which it is there for; a secret that is not set another. */
async function withoutWarnings(): Promise<Example> {
  const guide = await example('operator-guide');
  await rm(join(guide.folder, 'secret_arg.dig'));
  await guide.trowel('secrets', '--local', '--set', 'td.apikey=x');
  return guide;
}

describe('slips of the guide', () => {
  it.each(SLIPS)('%s', async (_, text, found) => {
    const { trowel, folder } = await withoutWarnings();
    await writeFile(join(folder, 'slip.dig'), text);
    const { code, stdout } = await trowel('check', '--format', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject(found.map((one) => ({ file: 'slip.dig', severity: 'error', ...one })));
    const run = await trowel('run', 'slip');
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(`slip.dig:${found[0]?.line}:`);
    // A broken neighbour does not stop another workflow.
    expect(await trowel('run', 'simple_with_arg')).toMatchObject({ code: 0 });
  });

  it('draws the place and the correction', async () => {
    const { trowel, folder } = await withoutWarnings();
    await writeFile(join(folder, 'slip.dig'), SLIPS[1]?.[1] ?? '');
    const { stderr } = await trowel('check');
    expect(
      stderr,
    ).toBe(`slip.dig:4:5 error yaml-syntax: \`docker:\` is indented below \`msg:\`, which already has a value
    4 |     docker:
      |     ^^^^^^^
      = Write:
      |     msg: "Hello World"
      |     docker:
      |       image: "digdag/digdag-python:3.7"

1 error
`);
  });
});
