import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Claim } from '../../functions/notify/delivery.ts';

/** The right to report something of an attempt once: a file below its folder that only the first can make. Undefined for all others. */
export async function claimHere(root: string, key: string): Promise<Claim | undefined> {
  const file = join(root, 'notified', key);
  await mkdir(join(root, 'notified'), { recursive: true, mode: 0o700 });
  try {
    await writeFile(file, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  return {
    delivered: new Set(),
    done: async () => {},
    release: () => rm(file, { force: true }),
  };
}
