import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withLock } from '../../../lib/host/lock.ts';
import { beginningOf } from '../../../lib/host/process-state.ts';
import { temporary } from '../local/temporary.ts';
import { zombie } from '../local/zombie.ts';

it('lets one in at a time, and tells who waits for whom', async () => {
  const path = join(await temporary(), 'a', 'lock');
  let inside = 0;
  let most = 0;
  const waited: number[] = [];
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 10));
    inside -= 1;
  };
  await Promise.all([1, 2, 3, 4].map(() => withLock(path, work, { onWait: (pid) => waited.push(pid) })));
  expect(most).toBe(1);
  expect(waited).toContain(process.pid);
  expect(existsSync(path)).toBe(false);
});

it('takes over the lock of a process that is gone', async () => {
  const path = join(await temporary(), 'lock');
  writeFileSync(path, `${2 ** 30} ${hostname()}`);
  expect(await withLock(path, async () => 'done')).toBe('done');
});

it('takes over the lock of a zombie, and of a process that had the id before', async () => {
  const { pid, reap } = await zombie();
  for (const holder of [`${pid} ${hostname()}`, `${process.ppid} ${hostname()} 1`]) {
    const path = join(await temporary(), 'lock');
    writeFileSync(path, holder);
    // Where the system does not say when a process began, the second holds it.
    if (holder.endsWith(' 1') && beginningOf(process.ppid) === undefined) continue;
    expect(await withLock(path, async () => 'done')).toBe('done');
  }
  await reap();
});

it('stops waiting when told to', async () => {
  const path = join(await temporary(), 'lock');
  writeFileSync(path, `${process.ppid} ${hostname()}`);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 30);
  await expect(withLock(path, async () => {}, { signal: stop.signal })).rejects.toThrow();
});
