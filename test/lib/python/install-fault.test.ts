import { describe, expect, it } from 'vitest';
import { installWay } from '../../../lib/python/install-fault.ts';

/** As uv 0.13 and pip 23 print them. */
const UV_NOT_FOUND = (name: string) =>
  `error: No solution found when resolving dependencies\n  cause: Because ${name} was not found in the package registry and you require ${name}, we can conclude that your requirements are unsatisfiable.`;
const UV_OFFLINE =
  'error: Request failed after 3 retries in 8.9s\n  cause: Failed to fetch: http://127.0.0.1:9/simple/requests/\n  cause: error sending request for url (http://127.0.0.1:9/simple/requests/)\n  cause: client error (Connect)\n  cause: tcp connect error\n  cause: Connection refused (os error 111)';
const PIP_NOT_FOUND = (name: string) =>
  `ERROR: Could not find a version that satisfies the requirement ${name} (from versions: none)\nERROR: No matching distribution found for ${name}`;
const PIP_OFFLINE = `WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError(...)': /simple/requests/\n${PIP_NOT_FOUND('requests')}`;

describe('what to do where nothing could be installed', () => {
  it.each<[string, 'pip' | 'uv', string, string]>([
    ['a package that does not exist', 'uv', UV_NOT_FOUND('no-such-package'), 'no package no-such-package'],
    [
      'one with a word of networks in its name',
      'uv',
      UV_NOT_FOUND('my-sql-connect-network-proxy'),
      'no package my-sql-connect-network-proxy',
    ],
    [
      'one that pip does not find',
      'pip',
      PIP_NOT_FOUND('mysql-connector-timeout==1.0'),
      'no package mysql-connector-timeout',
    ],
    [
      'a version that does not exist',
      'uv',
      'cause: Because there is no version of requests==999 and you require requests==999, we can conclude',
      'no such version of requests',
    ],
    [
      'a version that pip does not find',
      'pip',
      'ERROR: Could not find a version that satisfies the requirement requests==999 (from versions: 0.2.0, 2.31.0)\nERROR: No matching distribution found for requests==999',
      'no such version of requests',
    ],
    ['no network', 'uv', UV_OFFLINE, 'uv could not reach the package index: check the network, or set UV_INDEX_URL'],
    [
      'no network for pip',
      'pip',
      PIP_OFFLINE,
      'pip could not reach the package index: check the network, or set PIP_INDEX_URL',
    ],
    [
      'a refusal',
      'uv',
      'cause: HTTP status client error (403 Forbidden) for url (https://x/simple/y/)',
      'answers with 403',
    ],
    [
      'a certificate',
      'uv',
      'cause: client error (Connect)\ncause: invalid peer certificate: UnknownIssuer',
      'does not trust the certificate',
    ],
    ['anything else', 'pip', 'ERROR: Invalid requirement', 'Correct requirements.txt, then run again.'],
  ])('%s', (_, tool, output, way) => {
    expect(installWay(tool, output, 'requirements.txt')).toContain(way);
  });
});
