import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testPython } from '../python.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'task-images', 'python');

/** The runner has a pytest suite of its own; here it runs with the python3 that tasks would get. */
it("passes the Python runner's own tests", { timeout: 600_000 }, () => {
  const { status, stdout, stderr } = spawnSync(testPython(), ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'], {
    cwd: FOLDER,
    encoding: 'utf8',
  });
  expect(status, stdout + stderr).toBe(0);
});
