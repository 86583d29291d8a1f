import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { expect, it } from 'vitest';
import { asking } from '../../../lib/deployed/aws-fault.ts';
import { clientOptions } from '../../../lib/deployed/connection.ts';

/** A port that neither takes nor refuses connections, as behind a firewall: Linux drops them where the queue of a socket is full. */
const SILENT = `
import socket, sys
server = socket.socket()
server.bind(('127.0.0.1', 0))
server.listen(0)
waiting = [socket.socket() for _ in range(3)]
for one in waiting:
    one.setblocking(False)
    one.connect_ex(server.getsockname())
print(server.getsockname()[1], flush=True)
sys.stdin.read()
`;

it('a network that swallows everything is told in seconds', async () => {
  const silent = spawn('python3', ['-c', SILENT], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [port] = (await once(silent.stdout, 'data')) as [Buffer];
    const client = new STSClient({
      ...clientOptions({ region: 'us-east-1' }),
      maxAttempts: 1,
      endpoint: `http://127.0.0.1:${String(port).trim()}`,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const asked = asking('sts:GetCallerIdentity', () => client.send(new GetCallerIdentityCommand({})));
    await expect(asked).rejects.toMatchObject({ reason: 'setup', message: 'AWS cannot be reached' });
  } finally {
    silent.kill();
  }
});
