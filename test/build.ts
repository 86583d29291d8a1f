import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Vitest's global set-up: the tests that start the command line start what the sources say now. */
export default function setup(): void {
  // To run tests of single functions without it.
  if (process.env.TROWEL_TEST_BUILD === 'no') return;
  execFileSync(process.execPath, ['build.mjs'], { cwd: join(import.meta.dirname, '..'), stdio: 'inherit' });
}
