/**
 * The one address of the small AWS. Who calls and which service is meant stand in the request's credential scope; a call that the
 * caller's role does not allow is refused in the service's own protocol; the rest goes to the services played here, or to moto.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from '../../lib/functions/http/server.ts';
import type { Keys } from './keys.ts';
import type { MotoServer } from './moto.ts';
import type { ActionOf, Answer, Authorize, Service, ServiceCall } from './service.ts';
import { ServiceFault } from './service.ts';

export interface ProxyOptions {
  readonly moto: MotoServer;
  readonly keys: Keys;
  readonly actionOf: ActionOf;
  readonly authorize: Authorize;
  /** Whether the caller is not told that an object is not there. */
  readonly hidden: (call: ServiceCall) => boolean;
  /** Asked in this order; may grow while it runs. */
  readonly services: readonly Service[];
}

export type Around = (call: ServiceCall, next: () => Promise<Answer>) => Promise<Answer>;

export interface Refused {
  readonly role: string;
  readonly service: string;
  readonly action: string;
  readonly resources: readonly string[];
  readonly reason: string;
}

export interface ProxyServer {
  /** With the word localhost: the CDK and moto read template addresses by it. */
  readonly url: string;
  readonly port: number;
  /** Calls that a role was not allowed. */
  readonly refused: readonly Refused[];
  /** Of the small AWS itself. */
  readonly faults: readonly unknown[];
  /** Everything that is asked, as it comes. */
  onCall: ((call: ServiceCall) => void) | undefined;
  /** Stands between a call that is allowed and what answers it: a fault. */
  around: Around | undefined;
  close(): Promise<void>;
}

export async function startProxy(options: ProxyOptions): Promise<ProxyServer> {
  const refused: Refused[] = [];
  const faults: unknown[] = [];
  const server = createServer((request, response) => {
    answer(request)
      .catch((error: unknown): Answer => {
        console.error('the small AWS failed:', error);
        faults.push(error);
        return { status: 500, body: `<Error><Code>InternalFailure</Code><Message>${String(error)}</Message></Error>` };
      })
      .then((made) => send(request, response, made));
  });
  // A container may wait long between two requests; a connection closed under it would look like a fault of S3's.
  server.keepAliveTimeout = 60_000;
  const { port, close } = await listen(server, 'http');
  const proxy = {
    url: `http://localhost:${port}`,
    port,
    refused,
    faults,
    close,
    onCall: undefined,
    around: undefined,
  } as Mutable<ProxyServer>;
  return proxy;

  async function answer(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = 'GET', headers, url: target = '/' } = request;
    const forward = () => options.moto.forward({ method, headers, body }, target);
    if (target.startsWith('/moto-api')) return forward();
    const plain = new URL(target, proxy.url);
    const signer = signerOf(headers.authorization, plain);
    const service = signer?.service ?? 'unknown';
    const principal = signer && options.keys.who(signer.accessKey);
    const url = service === 's3' ? pathStyle(plain, headers.host ?? '') : plain;
    const said = { service, method, url, headers, body };
    if (principal === undefined) {
      return refusal(said, 'InvalidClientTokenId', 'The security token included in the request is invalid.');
    }
    const call: ServiceCall = { ...said, principal, ...options.actionOf(said) };
    proxy.onCall?.(call);
    if (isPast(url)) return expiredAddress();
    const reason = principal.kind === 'account' ? undefined : await options.authorize(call);
    if (reason !== undefined) {
      const { action, resources } = call;
      refused.push({ role: principal.role ?? '', service, action, resources, reason });
      return refusal(said, undefined, reason);
    }
    const next = () => serve(call, forward);
    return proxy.around === undefined ? next() : proxy.around(call, next);
  }

  async function serve(call: ServiceCall, forward: () => Promise<Answer>): Promise<Answer> {
    try {
      for (const each of options.services) {
        const made = await each(call);
        if (made !== undefined) return made;
      }
    } catch (error) {
      if (error instanceof ServiceFault) return error.answer;
      throw error;
    }
    const made = await forward();
    if (call.service === 'sts') adopt(made, options.keys);
    if (call.service === 's3' && made.status === 404 && options.hidden(call))
      return refusal(call, undefined, 'Access Denied');
    return made;
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  // The answer to HEAD says the length of what GET would give.
  response.writeHead(status, { ...(request.method === 'HEAD' ? {} : length), ...headers });
  response.end(request.method === 'HEAD' ? undefined : body);
}

interface Signer {
  readonly accessKey: string;
  readonly service: string;
}

/** `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`, or the same in a signed address. */
function signerOf(authorization: string | undefined, url: URL): Signer | undefined {
  const scope = /Credential=([^,\s]+)/.exec(authorization ?? '')?.[1] ?? url.searchParams.get('X-Amz-Credential');
  const [accessKey, , , service] = scope?.split('/') ?? [];
  return accessKey === undefined || service === undefined ? undefined : { accessKey, service };
}

/** Whether a signed address holds no more. */
function isPast({ searchParams }: URL): boolean {
  const [, date, time] = /^(\d{8})T(\d{6})Z$/.exec(searchParams.get('X-Amz-Date') ?? '') ?? [];
  if (date === undefined || time === undefined) return false;
  const iso = `${date.replace(/(....)(..)(..)/, '$1-$2-$3')}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`;
  return Date.now() > Date.parse(iso) + Number(searchParams.get('X-Amz-Expires')) * 1000;
}

/** `bucket.localhost:1/key` → `/bucket/key`. */
function pathStyle(url: URL, host: string): URL {
  const bucket = /^(.+?)(?:\.s3[^.]*)?\.localhost(?::\d+)?$/.exec(host)?.[1];
  if (bucket === undefined) return url;
  return new URL(`/${bucket}${url.pathname}${url.search}`, url);
}

/** Roles that the CDK assumes in the account's name. */
function adopt({ body }: Answer, keys: Keys): void {
  const made = /<AccessKeyId>([^<]+)</.exec(body.toString())?.[1];
  if (made !== undefined) keys.addAccountKey(made);
}

type Said = Pick<ServiceCall, 'service' | 'headers' | 'method'>;

/** S3's answer to a signed address that holds no more: the code is that of any refusal, and it says when the address ended. */
export function expiredAddress(): Answer {
  const until = '<Expires>2026-01-01T00:00:00Z</Expires><ServerTime>2026-01-01T00:00:01Z</ServerTime>';
  const text = `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message>${until}</Error>`;
  return { status: 403, headers: { 'content-type': 'application/xml' }, body: text };
}

/** In the service's own protocol; `code` is AccessDenied by its name there. */
function refusal({ service, headers, method }: Said, code: string | undefined, message: string): Answer {
  if (headers['x-amz-target'] !== undefined) return new ServiceFault(code ?? 'AccessDeniedException', message).answer;
  if (service === 's3') {
    const text = `<?xml version="1.0"?><Error><Code>${code ?? 'AccessDenied'}</Code><Message>${xml(message)}</Message></Error>`;
    return { status: 403, headers: { 'content-type': 'application/xml' }, body: method === 'HEAD' ? '' : text };
  }
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const denied = service === 'sns' ? 'AuthorizationError' : 'AccessDenied';
    const text = `<ErrorResponse><Error><Type>Sender</Type><Code>${code ?? denied}</Code><Message>${xml(message)}</Message></Error></ErrorResponse>`;
    return { status: 403, headers: { 'content-type': 'text/xml' }, body: text };
  }
  return new ServiceFault(code ?? 'AccessDeniedException', message, 403).answer;
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
