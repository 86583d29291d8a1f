import { badInput } from '../../contract/errors.ts';
import type { Mapping } from '../../language/workflow.ts';
import { boolean, integer, mapping, text } from './options.ts';

export type Environment = { readonly [name: string]: string | undefined };

/** The proxy for a URL: the task's `proxy: {enabled, host, port, tls, user, password}`, else http_proxy or https_proxy, but for hosts in no_proxy. */
export function proxyFor(url: URL, params: Mapping, env: Environment): URL | undefined {
  const own = mapping(params, 'proxy');
  if (boolean(own, 'enabled', false)) {
    const host = text(own, 'host');
    const port = integer(own, 'port');
    if (host === undefined) throw badInput("Parameter 'host' is required but not set in 'proxy'");
    if (port === undefined) throw badInput("Parameter 'port' is required but not set in 'proxy'");
    const proxy = new URL(`${boolean(own, 'tls', false) ? 'https' : 'http'}://${host}:${port}`);
    proxy.username = encodeURIComponent(text(own, 'user') ?? '');
    proxy.password = encodeURIComponent(text(own, 'password') ?? '');
    return proxy;
  }
  if (bypassed(url, env.no_proxy ?? env.NO_PROXY ?? '')) return undefined;
  // digdag takes http_proxy for https too; there is no other convention that every tool follows.
  const names = ['http_proxy', 'HTTP_PROXY'];
  if (url.protocol === 'https:') names.unshift('https_proxy', 'HTTPS_PROXY');
  const value = names.map((name) => env[name]?.trim()).find((set) => set);
  if (!value) return undefined;
  const address = value.includes('://') ? value : `http://${value}`;
  return URL.canParse(address) ? new URL(address) : undefined;
}

/** `no_proxy` as curl reads it: `*`, hosts, their sub-domains (with or without a leading dot), each with an optional port. */
function bypassed(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, name = '', only] = /^\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (name === '' || (only !== undefined && only !== port)) return false;
    return host === name || host.endsWith(`.${name}`);
  });
}
