import { createHash } from 'node:crypto';
import type { Assignment } from '../../contract/assignment.ts';
import { ERRORS } from '../../contract/errors.ts';
import type { ProjectFiles } from '../project-files.ts';

/**
 * Whether the file in which a py> task's function is found still has this sha256. `a.b.c` may be a function of `a/b.py` or of
 * `a/b/__init__.py`, or a method of `a.py`.
 */
export async function codeUnchanged(files: ProjectFiles, assignment: Assignment, sha256: string): Promise<boolean> {
  const command = assignment.params._command ?? assignment.params['py>'];
  if (typeof command !== 'string') return false;
  const parts = command.split('.');
  for (let count = parts.length - 1; count > 0; count -= 1) {
    const path = parts.slice(0, count).join('/');
    for (const file of [`${path}.py`, `${path}/__init__.py`]) {
      const code = await files.read(file, assignment.workdir ?? '').catch(absent);
      if (code !== undefined && createHash('sha256').update(code).digest('hex') === sha256) return true;
    }
  }
  return false;
}

/** A file that is not there; other faults are thrown. */
function absent(error: unknown): undefined {
  if ((error as Error).name === ERRORS.badInput) return undefined;
  throw error;
}
