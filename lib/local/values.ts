import { lstat, mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Payload } from '../contract/payload.ts';
import { rootsOf, type ValueFiles, type Values, valuesIn } from '../contract/values.ts';
import { writeAtomically } from '../host/files.ts';

/** Files below `values/` of attempts' folders. No link is followed: it could lead elsewhere. */
export const valueFiles: ValueFiles = {
  read: async (root, name) => {
    const path = join(root, 'values', name);
    try {
      const real = await realpath(dirname(path));
      const [file, folder] = await Promise.all([lstat(path), realpath(join(root, 'values'))]);
      if (!file.isFile() || !`${real}/`.startsWith(`${folder}/`)) return undefined;
      return await readFile(path);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  },
  write: async (root, name, content) => {
    const path = join(root, 'values', name);
    await mkdir(dirname(path), { recursive: true });
    await writeAtomically(path, content);
  },
};

/** The values that the layers of a payload refer to. */
export function valuesOf(payload: Pick<Payload, 'b'>): Values {
  return valuesIn(valueFiles, rootsOf(payload));
}
