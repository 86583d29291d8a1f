import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beginningOf, isRunning } from './process-state.ts';

/**
 * Runs `work` while no other process (of this machine) holds the lock. A lock whose process is gone is taken over.
 * @param path a file that is there while the lock is held
 * @param onWait called once if another holds it, with its process id
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { readonly onWait?: (pid: number) => void; readonly signal?: AbortSignal } = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await taken(path))) {
    const holder = await readFile(path, 'utf8').catch(() => '');
    const pid = Number(holder.split(' ')[0]);
    if (holder !== '' && isStale(holder)) {
      await takeAway(path, holder);
      continue;
    }
    if (!told && pid > 0) options.onWait?.(pid);
    told = true;
    // At different times, so that many that wait do not meet.
    await sleep(10 + Math.random() * 40, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function taken(path: string): Promise<boolean> {
  // Written under another name and moved, so that nobody reads a lock without its holder.
  const mine = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await writeFile(mine, [process.pid, hostname(), beginningOf(process.pid) ?? []].flat().join(' '));
    await link(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
}

function isStale(holder: string): boolean {
  const [pid, host, began] = holder.split(' ');
  return host === hostname() && !isRunning(Number(pid), began);
}

/** By renaming: of two that find the same lock stale one succeeds; should it have caught a new lock, it puts that back. */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) === holder) await rm(aside, { force: true });
    else await rename(aside, path);
  } catch {
    // Another was faster.
  }
}
