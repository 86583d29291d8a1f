/** Covers lib/functions/http/core.ts, lib/functions/http/send.ts. */
import { describe, expect, test } from 'vitest';
import { http } from '../../../../lib/functions/http/core.ts';
import type { Mapping } from '../../../../lib/language/workflow.ts';
import { failure, first, secureSink, services, sink } from './harness.ts';
import { payload } from './plain-render.ts';
import type { Received, Sink } from './server.ts';

describe('redirects', () => {
  test.each<[number, string, string, string]>([
    [301, 'GET', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [307, 'POST', 'POST', 'x'],
    [308, 'PUT', 'PUT', 'x'],
  ])('%d of %s', async (status, method, then, body) => {
    const to = await sink((request) => (request.url === '/' ? { status, headers: { location: '/next' } } : {}));
    const keys = { 'http>': to.url, method, ...(method !== 'GET' && { content: 'x' }) };
    await http(payload('http', keys), services());
    expect(to.received[1]).toMatchObject({ method: then, url: '/next', body });
  });

  test('credentials stay with their host', async () => {
    const other = await sink();
    const to = await sink([{ status: 302, headers: { location: other.url } }]);
    await http(payload('http', { 'http>': to.url }), services({ secrets: { 'http.authorization': 'Bearer b' } }));
    expect(first(to).headers.authorization).toBe('Bearer b');
    expect(first(other).headers.authorization).toBeUndefined();
  });

  test('are not followed on demand', async () => {
    const to = await sink([{ status: 302, headers: { location: '/next' } }]);
    const answer = await http(payload('http', { 'http>': to.url, follow_redirects: false }), services());
    expect(answer).toEqual({ stored: { http: { last_status: 302 } } });
    expect(to.received.length).toBe(1);
  });

  test('end', async () => {
    const to = await sink([{ status: 302, headers: { location: '/' } }]);
    expect((await failure(http(payload('http', { 'http>': to.url }), services()))).message).toContain(
      'more than 8 redirects',
    );
  });
});

const SECRETS = { key: 'S3CR3T+value', 'http.user': 'u', 'http.password': 'pass-word' };

/** Sends a request whose first answer is a redirect to another origin; all that it got, as one text. */
async function sent(keys: Mapping, to: Sink, other: Sink): Promise<{ ended: string; got: Received[]; said: string }> {
  const lines: string[] = [];
  const all = services({ secrets: SECRETS, log: (line) => void lines.push(line) });
  const ended = await http(payload('http', { 'http>': to.url, insecure: true, ...keys }), all).then(
    () => 'succeeded',
    (error: Error) => error.message,
  );
  return { ended, got: other.received, said: lines.join('\n') };
}

/** In any form. */
function holdsSecret(value: unknown): boolean {
  const forms = ['S3CR3T', 'pass-word', Buffer.from('u:pass-word').toString('base64')];
  return forms.some((form) => JSON.stringify(value).includes(form));
}

describe('a redirect to another origin carries no secret', () => {
  const asking: Mapping = { headers: [{ 'X-Api-Key': '${secret:key}' }, { 'X-Plain': 'yes' }, { Cookie: 'c=1' }] };
  const redirect = (status: number, other: Sink) => ({ status, headers: { location: `${other.url}/there?a=1` } });

  test.each([301, 302, 303, 307, 308])('%d: headers that ask for one stay, others go on', async (status) => {
    const other = await sink();
    const to = await sink([redirect(status, other)]);
    const { ended, got, said } = await sent(asking, to, other);
    expect(ended).toBe('succeeded');
    expect(first(to).headers['x-api-key']).toBe('S3CR3T+value');
    expect(got).toMatchObject([{ url: '/there?a=1', headers: { 'x-plain': 'yes' } }]);
    expect(holdsSecret(got)).toBe(false);
    expect(got[0]?.headers).not.toHaveProperty('cookie');
    expect(said).toBe(`redirected to ${other.url}, where headers that hold secrets are not sent: X-Api-Key`);
  });

  test.each<[string, Mapping]>([
    ['quoted for a URL', { headers: [{ a: 'k=${as.url}' }] }],
    ['in base64', { headers: [{ a: 'Basic ${as.base64}' }] }],
    ['in the name', { headers: [{ '${secret:name}': '1' }] }],
  ])('a header that holds one in another form: %s', async (_name, keys) => {
    const other = await sink();
    const to = await sink([redirect(302, other)]);
    const l = [
      { as: { url: encodeURIComponent(SECRETS.key), base64: Buffer.from(`me:${SECRETS.key}`).toString('base64') } },
    ];
    const all = services({ secrets: { ...SECRETS, name: 'S3CR3T' } });
    await http(payload('http', { 'http>': to.url, query: { q: '${secret:key}' }, ...keys }, { l }), all);
    expect(Object.keys(first(other).headers)).not.toContain('a');
    expect(holdsSecret(other.received)).toBe(false);
  });

  test.each<[number, string, string]>([
    [307, 'POST', 'refused'],
    [308, 'PUT', 'refused'],
    [302, 'PUT', 'refused'],
    [303, 'PUT', 'succeeded'],
    [302, 'POST', 'succeeded'],
  ])('%d of %s with a content that holds one: %s', async (status, method, end) => {
    const other = await sink();
    const to = await sink([redirect(status, other)]);
    const { ended, got } = await sent({ method, content: { token: ['${secret:key}'] } }, to, other);
    expect(first(to).body).toContain('S3CR3T+value');
    expect(holdsSecret(got)).toBe(false);
    if (end === 'succeeded') expect(got).toMatchObject([{ method: 'GET', body: '' }]);
    else expect([ended, got]).toEqual([expect.stringContaining('the content, which holds a secret, is not sent'), []]);
  });

  test.each(['S3CR3T%2Bvalue', 'S3CR3T+value', Buffer.from('S3CR3T+value').toString('base64url')])(
    'nor an address that the server makes of it: %s',
    async (form) => {
      const other = await sink();
      const to = await sink([{ status: 302, headers: { location: `${other.url}/?k=${form}` } }]);
      const { ended, got } = await sent({ query: { k: '${secret:key}' } }, to, other);
      expect(got).toEqual([]);
      expect(ended).toContain('with a secret in the address, which is not sent there');
      expect(holdsSecret(ended)).toBe(false);
    },
  );

  test('not by way of the first origin either', async () => {
    const other = await sink((request) =>
      request.url === '/1' ? { status: 307, headers: { location: `${to.url}/2` } } : {},
    );
    const to: Sink = await sink((request) => {
      const next: { [url: string]: string } = { '/': '/0', '/0': `${other.url}/1`, '/2': `${other.url}/3` };
      const location = next[request.url];
      return location === undefined ? {} : { status: 307, headers: { location } };
    });
    const { ended, got } = await sent(asking, to, other);
    expect([ended, got.map(({ url }) => url)]).toEqual(['succeeded', ['/1', '/3']]);
    expect(holdsSecret(got)).toBe(false);
    expect(to.received.map(({ headers }) => headers['x-api-key'])).toEqual(['S3CR3T+value', 'S3CR3T+value', undefined]);
  });

  test('from https to http of the same host', async () => {
    const plain = await sink();
    const to = await secureSink([{ status: 307, headers: { location: plain.url.replace('127.0.0.1', 'localhost') } }]);
    const same = await sent(
      { ...asking, method: 'POST', 'http>': to.url.replace('127.0.0.1', 'localhost') },
      to,
      plain,
    );
    expect([same.ended, same.got.length]).toEqual(['succeeded', 1]);
    expect(holdsSecret(same.got)).toBe(false);
    const body = await sent({ method: 'POST', content: '${secret:key}' }, to, plain);
    expect(body.ended).toContain('the content, which holds a secret, is not sent');
    expect(plain.received.length).toBe(1);
  });

  test('headers of an _export, and what http.authorization says', async () => {
    const other = await sink();
    const to = await sink([redirect(302, other)]);
    const l: Mapping[][] = [[{ http: { headers: [{ 'X-Api-Key': '${secret:key}' }] } }]];
    const secrets = { ...SECRETS, 'http.authorization': 'Bearer S3CR3T' };
    await http(payload('http', { 'http>': to.url }, { l: l as never }), services({ secrets }));
    expect(first(to).headers).toMatchObject({ 'x-api-key': 'S3CR3T+value', authorization: 'Bearer S3CR3T' });
    expect(holdsSecret(other.received)).toBe(false);
  });

  test('a redirect to another path of the same origin keeps them', async () => {
    const to = await sink((request) => (request.url === '/' ? { status: 307, headers: { location: '/next' } } : {}));
    await sent({ ...asking, method: 'POST', content: '${secret:key}' }, to, to);
    expect(to.received[1]).toMatchObject({ headers: { 'x-api-key': 'S3CR3T+value' }, body: 'S3CR3T+value' });
  });
});
