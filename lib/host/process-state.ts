import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Whether a process (of this machine) runs. A zombie counts as gone: a process that has ended but is still in the system's table, because
 * its parent has not read its exit code (in a container often for ever).
 * @param began from `beginningOf`; without it, a new process with the same id would be taken for the old one
 */
export function isRunning(pid: number, began?: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const known = entryOf(pid);
  if (known === undefined) return true;
  return !/^[ZX]/i.test(known.state) && (began === undefined || known.began === began);
}

/** When a process began, in the system's own units; undefined if the system does not report it. */
export function beginningOf(pid: number): string | undefined {
  return entryOf(pid)?.began;
}

function entryOf(pid: number): { readonly state: string; readonly began?: string } | undefined {
  return process.platform === 'linux' ? ofProc(pid) : ofPs(pid);
}

/** `began`: clock ticks since the system's start. */
function ofProc(pid: number): ReturnType<typeof entryOf> {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = '', began] = [fields[0], fields[19]];
    return { state, ...(began !== undefined && { began }) };
  } catch {
    return undefined;
  }
}

/** macOS. `began` is left out: macOS gives it as text in the user's language and zone. */
function ofPs(pid: number): ReturnType<typeof entryOf> {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && stdout.trim() !== '' ? { state: stdout.trim() } : undefined;
}
