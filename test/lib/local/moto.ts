import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A Python that has moto's server: that of the tests (test/setup.ts), or python3 if it happens to. */
export function motoPython(): string | undefined {
  const { TROWEL_MOTO_PYTHON: known } = process.env;
  if (known !== undefined) return known;
  try {
    execFileSync('python3', ['-c', 'import moto.server, flask'], { stdio: 'ignore' });
    return 'python3';
  } catch {
    return undefined;
  }
}

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param program what runs the server, after the interpreter */
export async function startMoto(python: string, program: readonly string[] = ['-m', 'moto.server']): Promise<Moto> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const server: ChildProcess = spawn(python, [...program, '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (
      await fetch(`${url}/moto-api/`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    if (tries > 300 || server.exitCode !== null) throw new Error("moto's server did not start");
    await delay(100);
  }
  return {
    url,
    stop: async () => {
      server.kill();
      await once(server, 'exit');
    },
  };
}
