/** One request: redirects, proxy, time limit, size limit. Whether to try again is retry.ts's concern. */

import { TextDecoder } from 'node:util';
import type { Dispatcher } from 'undici';
import { present } from '../../asl/present.ts';
import { checkedLookup, checkLiteral, type Reach } from './addresses.ts';
import { NoResponse } from './no-response.ts';

export interface Request {
  readonly url: URL;
  readonly method: string;
  /** Pairs, in order; a name may come twice. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly proxy?: URL | undefined;
  /** Do not check certificates. */
  readonly insecure: boolean;
  readonly followRedirects: boolean;
  /** Seconds for the whole of it, redirects and body included. */
  readonly timeout: number;
  /** Characters of the answer to keep. */
  readonly keep: number;
  readonly signal?: AbortSignal | undefined;
  /** Values that a redirect must not bring to another origin. */
  readonly secrets?: Held;
  /** Default: everything may be reached. */
  readonly reach?: Reach;
  /** Told what a redirect leaves out. */
  readonly say?: (line: string) => void;
}

/** What of a request holds secrets. */
export interface Held {
  /** Names of headers in lower case. */
  readonly headers: ReadonlySet<string>;
  readonly body: boolean;
  /** Whether a secret can be recognised in a text, e.g. an address that a server made of what it was sent. */
  readonly in: (text: string) => boolean;
}

export interface Response {
  readonly status: number;
  readonly contentType: string;
  /** Seconds, from a Retry-After header. */
  readonly retryAfter?: number;
  /** At most `keep` characters. */
  readonly content: string;
  /** Characters in all; counting stops somewhere above a megabyte. */
  readonly length: number;
}

const MAX_REDIRECTS = 8;
const MAX_COUNTED = 1024 * 1024;

export async function send(request: Request): Promise<Response> {
  const { Agent, ProxyAgent } = await import('./dispatcher.ts');
  const { proxy, reach } = request;
  const tls = { rejectUnauthorized: !request.insecure };
  // A proxy may be on this machine, but it is no metadata service either.
  const near = reach && { ...reach, loopback: reach.loopback || proxy !== undefined };
  if (near && proxy) checkLiteral(proxy, near);
  const connect = { ...tls, ...present({ lookup: near && checkedLookup(near) }) };
  const dispatcher = proxy
    ? new ProxyAgent({ uri: proxy.href, requestTls: tls, proxyTls: connect, proxyTunnel: false })
    : new Agent({ connect });

  const limit = new AbortController();
  const abort = (): void => limit.abort();
  const timer = setTimeout(abort, request.timeout * 1000);
  request.signal?.addEventListener('abort', abort, { once: true });
  try {
    if (request.signal?.aborted) abort();
    return await follow(request, dispatcher, limit.signal);
  } catch (error) {
    if (request.signal?.aborted) throw new NoResponse('ABORTED', cancelled(request.signal), error);
    if (limit.signal.aborted)
      throw new NoResponse('TIMEOUT', `no complete response within ${request.timeout} s`, error);
    throw described(error);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', abort);
    await dispatcher.destroy().catch(() => undefined);
  }
}

function cancelled({ reason }: AbortSignal): string {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
    ? 'no complete response in the time that a function has, with all tries: set a shorter timeout, or retry: false'
    : 'the request was cancelled';
}

async function follow(first: Request, dispatcher: Dispatcher, signal: AbortSignal): Promise<Response> {
  let { url, method, headers, body } = first;
  for (let hops = 0; ; hops++) {
    if (first.reach) checkLiteral(url, first.reach);
    const answer = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: method as Dispatcher.HttpMethod,
      headers: headers.flat(),
      body: body ?? null,
      headersTimeout: 0,
      bodyTimeout: 0,
      signal,
    });
    const location = single(answer.headers.location);
    const redirect = [301, 302, 303, 307, 308].includes(answer.statusCode) && location !== undefined;
    if (!redirect || !first.followRedirects) return read(answer, first.keep);

    await answer.body.dump();
    if (hops === MAX_REDIRECTS) throw new NoResponse('REDIRECTS', `more than ${MAX_REDIRECTS} redirects`);
    const next = URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
    if (next?.protocol !== 'http:' && next?.protocol !== 'https:') {
      throw new NoResponse('REDIRECTS', 'redirected to something that is not an http or https address');
    }
    // RFC 9110, 15.4: 303 always, and 301 and 302 by custom, turn a POST into a GET without a body.
    if (answer.statusCode === 303 ? method !== 'HEAD' : answer.statusCode < 303 && method === 'POST') {
      method = 'GET';
      body = undefined;
      headers = headers.filter(([name]) => !/^content-/i.test(name));
    }
    if (next.origin !== url.origin) headers = elsewhere(next, headers, body, first);
    url = next;
  }
}

type Headers = Request['headers'];

/** The headers that another origin gets (https and http are two). What cannot be left out is not sent at all. @throws NoResponse */
function elsewhere(next: URL, headers: Headers, body: string | undefined, { secrets, say }: Request): Headers {
  const { origin } = next;
  if (body !== undefined && secrets?.body) {
    throw new NoResponse('REDIRECTS', `redirected to ${origin}, where the content, which holds a secret, is not sent`);
  }
  if (secrets?.in(next.href)) {
    throw new NoResponse('REDIRECTS', `redirected to ${origin}, with a secret in the address, which is not sent there`);
  }
  const kept = headers.filter(([name]) => !/^(authorization|cookie|proxy-authorization|host)$/i.test(name));
  const without = kept.filter(
    ([name, value]) => !secrets?.headers.has(name.toLowerCase()) && !secrets?.in(`${name}: ${value}`),
  );
  if (without.length < kept.length) {
    say?.(
      `redirected to ${origin}, where headers that hold secrets are not sent: ${kept
        .filter((one) => !without.includes(one))
        .map(([name]) => name)
        .join(', ')}`,
    );
  }
  return without;
}

async function read(answer: Dispatcher.ResponseData, keep: number): Promise<Response> {
  const contentType = single(answer.headers['content-type']) ?? '';
  const decoder = textDecoder(/charset="?([^\s;"]+)/i.exec(contentType)?.[1]);
  let content = '';
  let length = 0;
  const take = (text: string): void => {
    length += text.length;
    if (content.length < keep) content += text.slice(0, keep - content.length);
  };
  for await (const chunk of answer.body) {
    take(decoder.decode(chunk as Uint8Array, { stream: true }));
    if (length > MAX_COUNTED) break;
  }
  if (length <= MAX_COUNTED) take(decoder.decode());
  const retryAfter = seconds(single(answer.headers['retry-after']));
  return { status: answer.statusCode, contentType, content, length, ...present({ retryAfter }) };
}

function textDecoder(charset = 'utf-8'): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Retry-After is seconds or a date. */
function seconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}

const REASONS: { readonly [code: string]: string } = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'the name service did not answer',
  ETIMEDOUT: 'connecting timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'connecting timed out',
  UND_ERR_SOCKET: 'the connection was closed before a response',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed (insecure: true accepts it)',
  SELF_SIGNED_CERT_IN_CHAIN: 'a certificate of the chain is self-signed (insecure: true accepts it)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate cannot be verified (insecure: true accepts it)',
  CERT_HAS_EXPIRED: 'the certificate has expired (insecure: true accepts it)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host (insecure: true accepts it)',
};

function described(error: unknown): NoResponse {
  if (error instanceof NoResponse) return error;
  // A host with several addresses fails with one error for each.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const code = first instanceof Error && 'code' in first ? String(first.code) : 'UNKNOWN';
  const message = first instanceof Error ? first.message : String(first);
  return new NoResponse(code, REASONS[code] ?? message, error);
}
