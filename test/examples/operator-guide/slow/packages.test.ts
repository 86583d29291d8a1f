/** What ../packages.test.ts does with packages of its own, with one of the package index. */
import { expect, it } from 'vitest';
import { example } from '../../example.ts';

it('install_package takes the pinned version from the package index', async ({ skip }) => {
  const guide = await example('operator-guide');
  const reached = await guide.shell(
    'python3 -m pip download --quiet --no-deps --timeout 10 --retries 0 -d down tabulate==0.9.0',
  );
  if (reached.code !== 0) skip('the package index cannot be reached');
  const ran = await guide.trowel('run', 'install_package');
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stdout).toContain('customer-1         3\n');
  expect(ran.stdout).toMatch(/from a folder of the task\ntabulate 0\.9\.0\ntabulate is not here\n$/);
});
