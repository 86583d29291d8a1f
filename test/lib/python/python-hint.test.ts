import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareEnvironment } from '../../../lib/python/environment.ts';
import { pythonHint } from '../../../lib/python/python-hint.ts';
import { project, trowel } from '../cli/run-cli.ts';

/** As pyenv 2.3 and asdf 0.14 print them. */
const SHIM =
  "pyenv: python3.12: command not found\n\nThe `python3.12' command exists in these Python versions:\n  3.12.0\n  3.12.1\n\nNote: See 'pyenv help global' for tips on allowing multiple\n      Python versions to be found at the same time.\n";
const CASES: [string, string, string, string][] = [
  ['a shim whose version is not in use', SHIM, 'has version 3.12.1 but does not use it here', '`pyenv local 3.12.1`'],
  [
    'a shim without any version',
    'pyenv: python3.14: command not found\n',
    'pyenv has no python3.14',
    '`pyenv install 3.14`',
  ],
  [
    'a version that a file asks for',
    "pyenv: version `3.12.99' is not installed (set by /p/.python-version)\n",
    'no version 3.12.99, which /p/.python-version asks for',
    '`pyenv install 3.12.99`',
  ],
  [
    'asdf',
    'No version is set for command python3\nConsider adding one of the following',
    'no version set for python3',
    '.tool-versions',
  ],
  ['macOS', 'xcode-select: note: no developer tools were found at', 'a placeholder of macOS', 'xcode-select --install'],
];

describe('a python3 that is none', () => {
  it.each(CASES)('%s', (_, output, reason, way) => {
    expect(pythonHint(output)).toEqual({ reason: expect.stringContaining(reason), way: expect.stringContaining(way) });
  });

  it('is named by a run without requirements, and with some', async () => {
    const cwd = await project({
      'main.dig': '+t:\n  py>: t.f\n',
      't.py': 'def f(): pass\n',
      'trowel.yml': 'python: {version: "3.12"}\n',
      'bin/python3.12': `#!/bin/sh\ncat >&2 <<'END'\n${SHIM}END\nexit 127\n`,
    });
    chmodSync(join(cwd, 'bin/python3.12'), 0o755);
    const env = { PATH: `${join(cwd, 'bin')}:${process.env.PATH}` };
    const { code, stderr } = await trowel(['run'], { cwd, env });
    expect(stderr).toContain("it is pyenv's, which has version 3.12.1 but does not use it here\n");
    expect(stderr).toContain('Run `pyenv local 3.12.1`');
    expect(stderr).not.toContain('tips on allowing');
    expect(code).toBe(4);

    const checked = await trowel(['check'], { cwd, env });
    expect(checked.stderr).toContain("starts no Python: it is pyenv's, which has version 3.12.1");
    expect(checked.stderr).toContain('Run `pyenv local 3.12.1`');

    const python = { version: '3.12', requirements: { lines: ['x'] } };
    expect(
      await prepareEnvironment({ project: cwd, python, notice: () => {}, env: { ...process.env, ...env } }),
    ).toMatchObject({
      diagnostic: {
        code: 'python-version',
        message: "python3.12 does not run: it is pyenv's, which has version 3.12.1 but does not use it here",
        notes: [expect.stringContaining('pyenv local 3.12.1')],
      },
    });
  });
});
