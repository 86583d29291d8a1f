import { spawn } from 'node:child_process';
import { once } from 'node:events';

const PARENT = `
import os, sys
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print(pid, flush=True)
sys.stdin.read()
`;

/** A process that has ended and that its parent has not reaped, until `reap`. */
export async function zombie(): Promise<{ readonly pid: number; readonly reap: () => Promise<void> }> {
  const parent = spawn('python3', ['-c', PARENT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  return {
    pid: Number(said.toString()),
    reap: async () => {
      parent.stdin.end();
      await once(parent, 'close');
    },
  };
}
