import type { Captured } from '../host/capture.ts';

const LAST_LINES = 12;

/** Phrases of pip and uv, none of which may be in the name of a package: mysql-connector and http-proxy are some. */
const CERTIFICATE = /invalid peer certificate|UnknownIssuer|CERTIFICATE_VERIFY_FAILED/i;
const UNREACHABLE =
  /error sending request|dns error|tcp connect error|NewConnectionError|ConnectTimeoutError|ProxyError|Max retries exceeded|connection broken by|Failed to establish a new connection|Connection (?:refused|reset|timed out)|Read timed out|operation timed out|Network is unreachable|network connectivity is disabled|name resolution|Could not resolve host/i;
const REFUSED =
  /HTTP status (?:client|server) error \((\d{3})|HTTP error (\d{3})|(40[137]|50[0234]) (?:Client|Server) Error/i;
const NO_PACKAGE =
  /([\w.[\]-]+) was not found in the package registry|requirement ([\w.[\]-]+)\S* \(from versions: none\)/;
const NO_VERSION = /there is no version of ([\w.[\]-]+)|requirement ([\w.[\]-]+)\S* \(from versions: (?!none)/;

/** The way out if pip or uv could not install something, found in its output. */
export function installWay(tool: 'pip' | 'uv', output: string, shown: string): string {
  const text = output.replaceAll(/\s+/g, ' ');
  if (CERTIFICATE.test(text)) {
    return tool === 'uv'
      ? 'uv does not trust the certificate of the package index: set UV_SYSTEM_CERTS=1 for those of this machine, or SSL_CERT_FILE.'
      : 'pip does not trust the certificate of the package index: set PIP_CERT to a file of those that it may trust.';
  }
  if (UNREACHABLE.test(text)) {
    return `${tool} could not reach the package index: check the network, or set ${tool.toUpperCase()}_INDEX_URL.`;
  }
  const refused = REFUSED.exec(text)?.slice(1).find(Boolean);
  if (refused !== undefined && refused !== '404')
    return `The package index answers with ${refused}: check ${tool.toUpperCase()}_INDEX_URL and what you sign in with.`;
  const missing = NO_PACKAGE.exec(text)?.slice(1).find(Boolean);
  if (missing !== undefined)
    return `The package index has no package ${missing}: correct its name in ${shown}, then run again.`;
  const version = NO_VERSION.exec(text)?.slice(1).find(Boolean);
  if (version !== undefined) return `There is no such version of ${version}: correct ${shown}, then run again.`;
  return `Correct ${shown}, then run again.`;
}

/** The end of what a tool printed. */
export function lastLines(done: Captured): string {
  return done.output.trim().split('\n').slice(-LAST_LINES).join('\n');
}
