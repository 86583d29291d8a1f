import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Close the connection instead of answering. */
  readonly hangUp?: true;
  /** Never answer. */
  readonly silent?: true;
}

export interface Sink {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  close(): Promise<void>;
}

/** A real HTTP server: answers as told (the last answer repeats) and remembers what came. */
export async function serve(answers: readonly Answer[] | ((request: Received) => Answer) = [{}]): Promise<Sink> {
  const received: Received[] = [];
  const server = createServer(recorder(received, answers));
  return { received, ...(await listen(server, 'http')) };
}

export function recorder(
  received: Received[],
  answers: readonly Answer[] | ((request: Received) => Answer),
): RequestListener {
  return async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers, rawHeaders } = request;
    const got = { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() };
    received.push(got);
    const answer =
      typeof answers === 'function' ? answers(got) : (answers[Math.min(received.length, answers.length) - 1] ?? {});
    if (answer.hangUp) request.socket.destroy();
    else if (!answer.silent) response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? 'ok');
  };
}

export async function listen(server: Server, scheme: string): Promise<Omit<Sink, 'received'>> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
