import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beginningOf, isRunning } from './process-state.ts';

/**
 * Runs `work` while no other process (of this machine) holds the lock. A lock whose process is gone is taken over.
 * @param path a file that exists while the lock is held
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
    // A random wait, so that many waiting processes do not all try at the same moment.
    await sleep(10 + Math.random() * 40, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function taken(path: string): Promise<boolean> {
  // Written under another name and then moved, so that nobody reads a lock file before the holder's id is in it.
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

/**
 * Removes a stale lock by renaming it: if two processes find it, only one succeeds. If the renamed lock turns out to be a new one, it is
 * put back.
 */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) === holder) await rm(aside, { force: true });
    else await rename(aside, path);
  } catch {
    // Another process was faster.
  }
}
