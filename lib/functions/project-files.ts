import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { badInput } from '../contract/errors.ts';

/** The files of a project. */
export interface ProjectFiles {
  /** `path` is relative to `workdir`, which is relative to the project's folder. Throws Trowel.BadInput for a file outside, or none. */
  read(path: string, workdir: string): Promise<Buffer>;
}

/** Files below a folder; a link that leads out of it is refused too. */
export function projectFiles(folder: string): ProjectFiles {
  return {
    read: async (path, workdir) => {
      const inside = (file: string, root: string): boolean => {
        const way = relative(root, file);
        return way !== '' && !isAbsolute(way) && way.split(/[\\/]/)[0] !== '..';
      };
      const wanted = resolve(folder, workdir, path);
      if (!inside(wanted, resolve(folder))) throw badInput(`File is outside the project: ${path}`);
      try {
        const real = await realpath(wanted);
        if (!inside(real, await realpath(folder))) throw badInput(`File is outside the project: ${path}`);
        return await readFile(real);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        if (code === 'ENOENT' || code === 'ENOTDIR') throw badInput(`File not found: ${path}`);
        if (code === 'EISDIR') throw badInput(`Not a file: ${path}`);
        if (code === 'EACCES') throw badInput(`File cannot be read: ${path}`);
        throw error;
      }
    },
  };
}
