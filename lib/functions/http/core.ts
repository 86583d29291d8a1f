/**
 * http>: one HTTP request with digdag's options (HttpOperatorFactory), secrets and limits. Pure but for the network: what
 * it needs comes in as services, so that it runs here and as a function on AWS.
 */

import { STATUS_CODES } from 'node:http';
import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import { badInput, taskFailed } from '../../contract/errors.ts';
import { fitted } from '../../contract/fit.ts';
import type { Payload } from '../../contract/payload.ts';
import { storeResult } from '../../contract/stores.ts';
import type { Values } from '../../contract/values.ts';
import type { Marks } from '../../expression/marks.ts';
import { cut, seen } from '../../expression/mask.ts';
import type { Mapping } from '../../language/workflow.ts';
import type { Acted } from '../acted.ts';
import type { Reach } from './addresses.ts';
import { requestBody } from './content.ts';
import { NoResponse } from './no-response.ts';
import { boolean, integer, mergeDefaults, nested, text } from './options.ts';
import { type Environment, proxyFor } from './proxy.ts';
import { type RenderServices, renderTask, type Task, withoutSecrets } from './rendering.ts';
import { type Attempts, deliver } from './retry.ts';
import type { Secrets } from './secrets.ts';
import type { Request, Response } from './send.ts';

export interface HttpServices extends RenderServices {
  /** For http_proxy, https_proxy and no_proxy. Default: none. */
  env?: Environment;
  /** What the task reports while it runs; secrets are already hidden. */
  log?(line: string): void;
  signal?: AbortSignal;
  /** Stores an answer that is larger than its share of a state. */
  values?: Pick<Values, 'write'>;
  /** Default: requests to this machine are allowed, to metadata services not. */
  reach?: Reach;
  patience?: Attempts['patience'];
  sleep?: Attempts['sleep'];
}

/** Characters of a response that may be stored. */
const MAX_STORED = 64 * 1024;
const MAX_SHOWN = 200;

/**
 * Sends the request that a payload describes and answers with `http.last_status` (a number) and, with `store_content`,
 * `http.last_content` (text) as stores; an earlier request's content is reset.
 * Throws Trowel.Template, Trowel.BadInput, Trowel.Secret, or Trowel.TaskFailed when no 2xx or 3xx comes back.
 */
export async function http(payload: Payload, services: HttpServices): Promise<Acted> {
  const task = await renderTask(payload, services);
  const params = mergeDefaults(task.params, task.params.http);
  const { response, storeContent } = await withoutSecrets(task, () => exchange(task, params, services));
  const stored: Mapping = { last_status: response.status };
  if (storeContent) {
    if (response.length > MAX_STORED) {
      throw taskFailed(`Response content too large: ${response.length} > ${MAX_STORED}`);
    }
    stored.last_content = response.content;
  }
  const whole = storeResult(payload, { http: stored }, [
    ['http', 'last_status'],
    ['http', 'last_content'],
  ]);
  const answer = services.values === undefined ? whole : await fitted(payload, whole, services.values);
  const { used } = task.secrets;
  return used.length === 0 ? answer : { ...answer, used };
}

async function exchange(
  task: Task,
  params: Mapping,
  services: HttpServices,
): Promise<{ response: Response; storeContent: boolean }> {
  const storeContent = boolean(params, 'store_content', false);
  const { request, shown } = await prepare(task, params, services);
  const repeatable = boolean(params, 'retry', ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(request.method));
  const { secrets } = task;
  const say = (line: string): void => services.log?.(secrets.redact(line));

  let response: Response;
  try {
    response = await deliver(request, repeatable, {
      ...present({ patience: services.patience, sleep: services.sleep }),
      again: (reason, seconds) => say(`${shown}: ${reason}; trying again in ${seconds} s`),
    });
  } catch (error) {
    if (!(error instanceof NoResponse)) throw error;
    throw taskFailed(`HTTP request failed: ${shown} - ${error.message}`);
  }
  if (response.status < 200 || response.status >= 400) throw taskFailed(refusal(response, shown));
  return { response, storeContent };
}

async function prepare(
  task: Task,
  params: Mapping,
  services: HttpServices,
): Promise<{ request: Request; shown: string }> {
  const { secrets, marks } = task;
  const filled = async <T extends Mapping[string]>(value: T): Promise<T> =>
    marks.fill(value, (asked) => secrets.asked(asked));

  const secretUri = await secrets.optional('http.uri');
  const command = secretUri ?? text(params, '_command') ?? text(params, `${task.operator}>`);
  if (command === undefined) throw badInput("Parameter '_command' is required but not set");
  const secretive = secretUri !== undefined || marks.asks(command);
  const url = parseUrl(await filled(command), secretive);
  for (const [name, value] of await query(params, filled)) url.searchParams.append(name, value);

  const method = (text(params, 'method') ?? 'GET').toUpperCase();
  if (!/^[A-Z]+$/.test(method)) throw badInput(`Invalid method: '${method}'`);
  const { headers, asking } = await requestHeaders(params, filled, marks);
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && !given.has(name)) headers.push([name, value]);
  };
  const content = mergeDefaults(task.scope, task.scope.http).content ?? null;
  const body = requestBody(params, await filled(content));
  // Also another task's, which a value may hold.
  const holds = (value: string): boolean => secrets.redact(value) !== value || seen.mask(value) !== value;
  add('content-type', body?.type);
  add('authorization', await authorization(url, secrets));
  add('user-agent', 'Trowel');
  url.username = '';
  url.password = '';

  const timeout = integer(params, 'timeout') ?? 30;
  if (timeout <= 0) throw badInput(`Expected a positive number of seconds for key 'timeout' but got ${timeout}`);
  const request: Request = {
    url,
    method,
    headers,
    ...present({ body: body?.text }),
    proxy: proxyFor(url, { proxy: await filled(params.proxy ?? null) }, services.env ?? {}),
    insecure: boolean(params, 'insecure', false),
    followRedirects: boolean(params, 'follow_redirects', true),
    timeout,
    keep: MAX_STORED,
    signal: services.signal,
    secrets: {
      headers: asking,
      body: body !== undefined && (marks.asks(JSON.stringify(params.content)) || holds(body.text)),
      in: holds,
    },
    reach: services.reach ?? { loopback: true },
    say: (line) => services.log?.(secrets.redact(line)),
  };
  return { request, shown: `${method} ${secretive ? `${url.protocol}//***` : url.href}` };
}

function parseUrl(uri: string, secretive: boolean): URL {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw badInput(`Expected an http or https URI but got ${secretive ? 'a secret that is none' : `'${uri}'`}`);
}

type Fill = <T extends Mapping[string]>(value: T) => Promise<T>;

/** `query` is a mapping, JSON text of one, or a query string. */
async function query(params: Mapping, filled: Fill): Promise<Iterable<[string, string]>> {
  const value = await filled(nested(params.query) ?? null);
  if (value === null) return [];
  if (!isMapping(value)) return new URLSearchParams(text({ query: value }, 'query') ?? '');
  return Object.keys(value).map((name) => [name, text(value, name) ?? '']);
}

/** `headers` is a list of mappings with one key each; one mapping will do as well. */
async function requestHeaders(
  params: Mapping,
  filled: Fill,
  marks: Marks,
): Promise<{ readonly headers: [string, string][]; readonly asking: ReadonlySet<string> }> {
  const value = nested(params.headers) ?? [];
  const entries = isMapping(value) ? Object.entries(value).map(([name, inner]) => ({ [name]: inner })) : value;
  if (!Array.isArray(entries)) throw badInput("Expected a list of mappings with one key each for key 'headers'");
  const headers: [string, string][] = [];
  const asking = new Set<string>();
  for (const entry of entries) {
    const pair = isMapping(entry) ? Object.entries(await filled(entry)) : [];
    const [name, content] = pair[0] ?? [];
    if (pair.length !== 1 || name === undefined || (typeof content === 'object' && content !== null)) {
      throw badInput(`Invalid header: ${JSON.stringify(entry)}`);
    }
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw badInput(`Invalid header name: '${name}'`);
    // A line break would begin another header; those at the end come from block scalars and files.
    const line = String(content ?? '').trimEnd();
    if (/[\r\n\0]/.test(line)) throw badInput(`Invalid header: the value of '${name}' has a line break`);
    headers.push([name, line]);
    if (marks.asks(JSON.stringify(entry))) asking.add(name.toLowerCase());
  }
  return { headers, asking };
}

async function authorization(url: URL, secrets: Secrets): Promise<string | undefined> {
  const whole = await secrets.optional('http.authorization');
  if (whole !== undefined) return whole;
  const secretUser = await secrets.optional('http.user');
  const user = secretUser ?? decoded(url.username);
  if (user === '') return undefined;
  const password = secretUser === undefined ? decoded(url.password) : await secrets.optional('http.password');
  const credentials = Buffer.from(`${user}:${password ?? ''}`).toString('base64');
  secrets.hide(credentials);
  return `Basic ${credentials}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** digdag's words. */
function refusal(response: Response, shown: string): string {
  const { status, content, length } = response;
  const family =
    status === 408 || status === 429
      ? 'Failed HTTP request'
      : status < 500 && status >= 400
        ? 'HTTP 4XX Client Error'
        : status >= 500 && status < 600
          ? 'HTTP 5XX Server Error'
          : 'Unexpected HTTP status';
  const body = cut(content, MAX_SHOWN, '...');
  const summary = length > MAX_STORED ? '(too long response body)' : body;
  return `${family}: ${shown} - ${status} ${STATUS_CODES[status] ?? ''}: ${summary}`;
}
