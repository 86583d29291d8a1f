import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Reach } from '../../../../lib/functions/http/addresses.ts';
import { http } from '../../../../lib/functions/http/core.ts';
import type { Mapping } from '../../../../lib/language/workflow.ts';
import { failure, services, sink } from './harness.ts';
import { payload } from './plain-render.ts';

/** Tells what a request to an address comes to; a resolver gives each name its addresses, turn by turn. */
function resolver(...turns: string[][]): { reach: Reach; asked: string[] } {
  const asked: string[] = [];
  const resolve = async (name: string): Promise<LookupAddress[]> => {
    const addresses = turns[Math.min(asked.push(name), turns.length) - 1] ?? [];
    return addresses.map((address) => ({ address, family: isIP(address) }));
  };
  return { reach: { loopback: true, resolve }, asked };
}

async function refusal(url: string, reach: Reach, keys: Mapping = {}, env = {}): Promise<string> {
  const stop = AbortSignal.timeout(3000);
  const all = services({ reach, env, signal: stop, patience: { tries: 2, first: 0, max: 0 } });
  return (await failure(http(payload('http', { 'http>': url, ...keys }), all))).message;
}

const METADATA = 'link-local addresses and those of metadata services are not asked';
const OWN = 'a deployed workflow does not ask the machine that it runs on';

describe.each<[string, string, readonly string[]]>([
  [
    'of metadata services, in whatever form',
    METADATA,
    [
      '169.254.169.254',
      '169.254.170.2',
      '169.254.169.254.',
      '2852039166',
      '0xA9FEA9FE',
      '0xa9.0xfe.0xa9.0xfe',
      '0251.0376.0251.0376',
      '169.254.43518',
      '169。254。169。254',
      '①⑥⑨.254.169.254',
      '[::ffff:169.254.169.254]',
      '[0:0:0:0:0:ffff:a9fe:a9fe]',
      '[::ffff:0:169.254.169.254]',
      '[::169.254.169.254]',
      '[64:ff9b::169.254.169.254]',
      '[64:ff9b:1::a9fe:a9fe]',
      '[2002:a9fe:a9fe::1]',
      '[fe80::1]',
      '[febf::1]',
      '[fd00:ec2::254]',
      '168.63.129.16',
      '100.100.100.200',
    ],
  ],
  [
    'of the machine itself, deployed',
    OWN,
    [
      '127.0.0.1',
      '127.9.9.9',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '127.1',
      '0.0.0.0',
      '0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::7f00:1]',
      '[64:ff9b::7f00:1]',
    ],
  ],
])('addresses %s', (_name, why, hosts) => {
  test.each(hosts)('%s', async (host) => {
    expect(await refusal(`http://${host}:1/latest/meta-data`, { loopback: false })).toContain(why);
    // Behind a proxy too: it is the URL that names the address.
    const proxy = await sink();
    const env = { http_proxy: proxy.url };
    expect(await refusal(`http://${host}:1/`, { loopback: false }, {}, env)).toContain(why);
    expect(proxy.received).toEqual([]);
  });

  test.each(hosts.flatMap((host) => (isIP(host.replace(/[[\]]/g, '')) ? [host.replace(/[[\]]/g, '')] : [])))(
    'a name that is %s',
    async (address) => {
      const { reach } = resolver([address]);
      const said = await refusal('http://name.test/', { ...reach, loopback: false });
      expect(said).toContain(`name.test is ${address}, which is refused: ${why}`);
    },
  );
});

test.each(['fe80::1%lo', '::ffff:169.254.169.254%1'])('a name that is %s, with a zone', async (address) => {
  expect(await refusal('http://name.test/', resolver([address]).reach)).toContain(METADATA);
});

test('a name with one refused address among others is not asked', async () => {
  const { reach } = resolver(['127.0.0.1', '169.254.169.254']);
  const to = await sink();
  expect(await refusal(`http://name.test:${to.port}/`, reach)).toContain(METADATA);
  expect(to.received).toEqual([]);
});

test('the address that was checked is the one connected to, however often the name is asked for', async () => {
  const { reach, asked } = resolver(['127.0.0.1'], ['169.254.169.254']);
  const to = await sink();
  const url = `http://name.test:${to.port}/`;
  await http(payload('http', { 'http>': url }), services({ reach }));
  expect([asked, to.received[0]?.headers.host]).toEqual([['name.test'], `name.test:${to.port}`]);
  expect(await refusal(url, reach)).toContain('name.test is 169.254.169.254, which is refused');
});

describe('redirects', () => {
  test.each<[string, string, string]>([
    ['to an address', 'http://169.254.169.254/latest', METADATA],
    ['to another form of one', 'http://2852039166/latest', METADATA],
    ['to a name', 'http://rebound.test/latest', METADATA],
    ['of a scheme without host', '//[::ffff:a9fe:a9fe]/latest', METADATA],
  ])('%s', async (_name, location, why) => {
    const { reach, asked } = resolver(['169.254.169.254']);
    const to = await sink([{ status: 307, headers: { location } }]);
    expect(await refusal(to.url, reach)).toContain(why);
    expect([to.received.length, asked.length]).toEqual([1, location.includes('rebound') ? 1 : 0]);
  });

  test('a second connection to the same name is checked again', async () => {
    const { reach } = resolver(['127.0.0.1'], ['169.254.169.254']);
    const to = await sink((request) =>
      request.url === '/'
        ? { status: 307, headers: { location: `http://name.test:${to.port}/next`, connection: 'close' } }
        : {},
    );
    expect(await refusal(`http://name.test:${to.port}/`, reach)).toContain(METADATA);
    expect(to.received.length).toBe(1);
  });

  test('behind a proxy, an address is refused and a name is the proxy’s matter', async () => {
    const { reach, asked } = resolver(['169.254.169.254']);
    const location = 'http://169.254.169.254/latest';
    const proxy = await sink((request) =>
      request.url === 'http://name.test/' ? { status: 307, headers: { location } } : {},
    );
    expect(await refusal('http://name.test/', reach, {}, { http_proxy: proxy.url })).toContain(METADATA);
    expect([proxy.received.map(({ url }) => url), asked]).toEqual([['http://name.test/'], []]);
  });
});

test.each<[string, Mapping, { [name: string]: string }]>([
  ['of the task', { proxy: { enabled: true, host: '169.254.169.254', port: 80 } }, {}],
  ['of the environment', {}, { http_proxy: 'http://0xA9FEA9FE:80' }],
  ['by name', {}, { http_proxy: 'http://name.test:80' }],
])('a proxy %s is no metadata service', async (_name, keys, env) => {
  const { reach } = resolver(['169.254.169.254']);
  expect(await refusal('http://example.test/', reach, keys, env)).toContain(METADATA);
});

test('deployed, a proxy may be on the machine', async () => {
  const proxy = await sink();
  const env = { http_proxy: proxy.url };
  await http(payload('http', { 'http>': 'http://name.test/' }), services({ reach: { loopback: false }, env }));
  expect(proxy.received.length).toBe(1);
});
