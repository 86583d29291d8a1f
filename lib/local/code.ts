import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Assignment } from '../../lambdas/launch/compute.ts';

/**
 * Whether the file in which a py> task's function is found still has this sha256. `a.b.c` may be a function of `a/b.py` or of
 * `a/b/__init__.py`, or a method of `a.py`.
 */
export async function codeUnchanged(project: string, assignment: Assignment, sha256: string): Promise<boolean> {
  const command = assignment.params._command ?? assignment.params['py>'];
  if (typeof command !== 'string') return false;
  const folder = resolve(project, assignment.workdir ?? '.');
  const parts = command.split('.');
  for (let count = parts.length - 1; count > 0; count -= 1) {
    const path = join(folder, ...parts.slice(0, count));
    for (const file of [`${path}.py`, join(path, '__init__.py')]) {
      const code = await readFile(file).catch(() => undefined);
      if (code !== undefined && createHash('sha256').update(code).digest('hex') === sha256) return true;
    }
  }
  return false;
}
