import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { testPython } from '../python.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'task-images', 'python');

/** The runner's own tests that carry the markers, or do not, with the python3 that tasks would get. */
export function pytest(markers: string, more: readonly string[] = []) {
  const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-m', markers, ...more];
  return spawnSync(testPython(), args, { cwd: FOLDER, encoding: 'utf8' });
}
