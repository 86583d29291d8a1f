import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { testPython } from './python.ts';

/** Vitest's global set-up: tests that start the command line start what the sources say now, and moto's server is at hand. */
export default function setup(): void {
  process.env.TROWEL_MOTO_PYTHON ??= testPython();
  // To run tests of single functions without it.
  if (process.env.TROWEL_TEST_BUILD === 'no') return;
  execFileSync(process.execPath, ['build.mjs'], { cwd: join(import.meta.dirname, '..'), stdio: 'inherit' });
}
