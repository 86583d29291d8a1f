/** Servers and services for tests of http>. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { HttpServices } from '../../../../lib/functions/http/core.ts';
import { plainRender, secretsOf } from './plain-render.ts';
import { listen, type Received, recorder, type Sink, serve } from './server.ts';

const sinks: Sink[] = [];
afterEach(async () => {
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
});

type Answers = Parameters<typeof serve>[0];

/** Closed after the test. */
export async function sink(answers?: Answers): Promise<Sink> {
  const opened = await serve(answers);
  sinks.push(opened);
  return opened;
}

/** With a certificate that nobody vouches for. */
export async function secureSink(answers: Answers = [{}]): Promise<Sink> {
  const received: Received[] = [];
  const server = createServer(certificate(), recorder(received, answers));
  const opened = { received, ...(await listen(server, 'https')) };
  sinks.push(opened);
  return opened;
}

let made: { readonly key: Buffer; readonly cert: Buffer } | undefined;

function certificate(): { readonly key: Buffer; readonly cert: Buffer } {
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'trowel-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = [
    '-subj',
    '/CN=localhost',
    '-days',
    '2',
    '-nodes',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
  ];
  execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  made = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return made;
}

export const services = (more: Partial<HttpServices> & { secrets?: { [key: string]: string } } = {}): HttpServices => ({
  render: plainRender,
  secret: secretsOf(more.secrets ?? {}),
  sleep: async () => undefined,
  ...more,
});

export async function failure(promise: Promise<unknown>): Promise<{ name: string; message: string }> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: Error) => reason,
  );
  return { name: error.name, message: error.message };
}

export const first = (from: Sink): Received => {
  const [request] = from.received;
  if (!request) throw new Error('no request came');
  return request;
};
