import { describe, expect, test } from 'vitest';
import type { Layer, Payload } from '../../../../lib/contract/payload.ts';
import { opened, valuesIn } from '../../../../lib/contract/values.ts';
import { type HttpServices, http } from '../../../../lib/functions/http/core.ts';
import type { Mapping, Value } from '../../../../lib/language/workflow.ts';
import { failure, first, secureSink, services, sink } from './harness.ts';
import { payload, plainRender } from './plain-render.ts';
import type { Answer, Received } from './server.ts';

describe('the request', () => {
  test.each<[string, Mapping, Partial<Received>, string | undefined]>([
    ['GET without a body', {}, { method: 'GET', body: '' }, undefined],
    ['a method in lower case', { method: 'delete' }, { method: 'DELETE' }, undefined],
    ['TRACE', { method: 'TRACE' }, { method: 'TRACE' }, undefined],
    ['text', { method: 'POST', content: 'hi' }, { body: 'hi' }, 'text/plain; charset=utf-8'],
    ['a number as text', { method: 'PUT', content: 12 }, { body: '12' }, 'text/plain; charset=utf-8'],
    ['false is a content', { method: 'PUT', content: false }, { body: 'false' }, 'text/plain; charset=utf-8'],
    ['null is none', { method: 'POST', content: null }, { body: '' }, undefined],
    [
      'an object as JSON',
      { method: 'POST', content: { a: [1, { b: null }] } },
      { body: '{"a":[1,{"b":null}]}' },
      'application/json',
    ],
    ['a list as JSON', { method: 'POST', content: [1, 'x'] }, { body: '[1,"x"]' }, 'application/json'],
    [
      'a scalar as JSON',
      { method: 'POST', content: 'a"b', content_format: 'json' },
      { body: '"a\\"b"' },
      'application/json',
    ],
    [
      'a form',
      { method: 'POST', content: { a: 'b c', d: 1 }, content_format: 'FORM' },
      { body: 'a=b+c&d=1' },
      'application/x-www-form-urlencoded',
    ],
    [
      'content_type',
      { method: 'POST', content: '<x/>', content_type: 'application/xml' },
      { body: '<x/>' },
      'application/xml',
    ],
    [
      'a content-type header goes before it',
      { method: 'POST', content: {}, headers: [{ 'Content-Type': 'a/b' }] },
      {},
      'a/b',
    ],
    [
      'query as a mapping',
      { query: { n1: 'v1', n2: 'v &?2', n3: 3 } },
      { url: '/p?q=0&n1=v1&n2=v+%26%3F2&n3=3' },
      undefined,
    ],
    ['query as JSON text', { query: '{"n":"v"}' }, { url: '/p?q=0&n=v' }, undefined],
    ['query as text', { query: 'n1=v1&n2=v+%262' }, { url: '/p?q=0&n1=v1&n2=v+%262' }, undefined],
  ])('%s', async (_name, keys, expected, contentType) => {
    const to = await sink();
    await http(payload('http', { 'http>': `${to.url}/p?q=0`, ...keys }), services());
    const request = first(to);
    expect(request).toMatchObject(expected);
    expect(request.headers['content-type']).toBe(contentType);
  });

  test('headers come in order, doubled ones too', async () => {
    const to = await sink();
    await http(
      payload('http', { 'http>': to.url, headers: [{ 'X-A': '1' }, { 'X-B': 2 }, { 'X-A': '3\n' }] }),
      services(),
    );
    const raw = first(to).rawHeaders;
    expect(raw.filter((_text, i) => /^x-/i.test(raw[i - (i % 2)] ?? ''))).toEqual(['X-A', '1', 'X-B', '2', 'X-A', '3']);
  });

  test('options come from http: of an _export, under those of the task; what comes from ${} is text', async () => {
    const to = await sink();
    const l: Layer[] = [
      { yes: 'true' },
      [
        {
          http: {
            method: 'PUT',
            store_content: '${yes}',
            headers: [{ 'X-From': 'export' }],
            query: { a: '1', b: '1' },
          },
        },
      ],
      {},
    ];
    const keys = { 'http>': to.url, query: { b: '2' }, timeout: '5' };
    const answer = await http(payload('http', keys, { l, m: 1 }), services());
    expect(first(to)).toMatchObject({ method: 'PUT', url: '/?a=1&b=2', headers: { 'x-from': 'export' } });
    expect(answer).toEqual({ s: { http: { last_status: 200, last_content: 'ok' } } });
  });

  test("a Slack message with a Python error's newlines, quotes and ${…} arrives as exactly that text", async () => {
    const to = await sink();
    const message =
      'Python command failed with code 1: it\'s "bad" \\ (ValueError)\n\tfrom File "x.py", line 5\n${nope} ${secret:k} é 😀';
    const l: Layer[] = [{}, [{ error: { message } }, 0]];
    const keys = { 'http>': to.url, method: 'POST', content: { text: '${error.message}' } };
    await http(payload('http', keys, { l }), services({ secrets: { k: 'hidden' } }));
    expect(JSON.parse(first(to).body)).toEqual({ text: message });
  });
});

describe('secrets', () => {
  const secrets = { host: '', key: 's3cr&t "x"', name: 'X-Token', 'team.key': 'mounted' };

  test('are filled in where a request takes them, in names too', async () => {
    const to = await sink();
    const keys: Mapping = {
      'http>': `${to.url}/\${secret:name}`,
      method: 'POST',
      headers: [{ '${secret:name}': 'Bearer ${secret: key }' }],
      query: { q: '${secret:key}' },
      content: { '${secret:name}': ['${secret:key}'] },
    };
    await http(payload('http', keys), services({ secrets }));
    expect(first(to)).toMatchObject({
      url: '/X-Token?q=s3cr%26t+%22x%22',
      headers: { 'x-token': 'Bearer s3cr&t "x"' },
      body: '{"X-Token":["s3cr&t \\"x\\""]}',
    });
  });

  test('a key may hold an expression; _secrets renames; an _export may hold one', async () => {
    const to = await sink();
    const l: Layer[] = [{ which: 'key' }, [{ token: '${secret:team.${which}}' }]];
    const seen: [string, Mapping][] = [];
    const secret = async (key: string, mounts: Mapping): Promise<string | undefined> => {
      seen.push([key, mounts]);
      return key === 'team.key' ? 'mounted' : undefined;
    };
    const keys = {
      'http>': to.url,
      headers: [{ a: '${token}' }, { b: '${secret:team.${which}}' }],
      _secrets: { team: 'other' },
    };
    await http(payload('http', keys, { l }), services({ secret, render: twice }));
    expect(first(to).headers).toMatchObject({ a: 'mounted', b: 'mounted' });
    expect(seen).toContainEqual(['team.key', { team: 'other' }]);
  });

  test('deployed, an expression names no other than those listed', async () => {
    const to = await sink();
    const all = services({ secrets: { a: '1', 'x.b': '2' }, computable: (key) => key === 'x.b' });
    const run = (which: string, keys: Mapping): Promise<unknown> =>
      http(payload('http', { 'http>': to.url, ...keys }, { l: [{ which }] }), all);
    const computed = { headers: [{ a: '${secret:x.${which}}' }] };
    await run('b', computed);
    expect(first(to).headers.a).toBe('2');
    for (const keys of [
      { headers: [{ a: '${secret:${which}}' }] },
      { headers: [{ a: '${secret:b}' }], _secrets: { b: '${which}' } },
    ]) {
      expect(await failure(run('a', keys))).toEqual({
        name: 'Trowel.Secret',
        message: expect.stringContaining("The secret 'a' is named by an expression"),
      });
    }
    expect(to.received.length).toBe(1);
  });

  test.each<[string, { [key: string]: string }, Mapping, Mapping]>([
    ['http.authorization', { 'http.authorization': 'Bearer b' }, {}, { authorization: 'Bearer b' }],
    ['http.user and http.password', { 'http.user': 'u', 'http.password': 'p' }, {}, { authorization: 'Basic dTpw' }],
    ['a user without a password', { 'http.user': 'u' }, {}, { authorization: 'Basic dTo=' }],
    [
      'a header of the task goes before',
      { 'http.authorization': 'no' },
      { headers: [{ Authorization: 'own' }] },
      { authorization: 'own' },
    ],
  ])('%s', async (_name, values, keys, headers) => {
    const to = await sink();
    await http(payload('http', { 'http>': to.url, ...keys }), services({ secrets: values }));
    expect(first(to).headers).toMatchObject(headers);
  });

  test('http.uri takes the place of the URI', async () => {
    const to = await sink();
    await http(
      payload('http', { 'http>': 'http://127.0.0.1:1/' }),
      services({ secrets: { 'http.uri': `${to.url}/hook` } }),
    );
    expect(first(to).url).toBe('/hook');
  });

  test('none appears in a message, even if the server sends it back', async () => {
    const to = await sink((request) => ({ status: 403, body: `no: ${request.headers.authorization} ${request.url}` }));
    const lines: string[] = [];
    const keys = { 'http>': `${to.url}/a`, query: { t: '${secret:key}' } };
    const error = await failure(
      http(
        payload('http', keys),
        services({
          secrets: { ...secrets, 'http.user': 'u', 'http.password': 'pass' },
          log: (line) => lines.push(line),
        }),
      ),
    );
    expect(error).toEqual({
      name: 'Trowel.TaskFailed',
      message: `HTTP 4XX Client Error: GET ${to.url}/a?t=*** - 403 Forbidden: no: Basic *** /a?t=***`,
    });
    expect(lines).toEqual([]);
  });

  test('a URI that holds one is not shown', async () => {
    const to = await sink([{ status: 404, body: '' }]);
    const error = await failure(http(payload('http', { 'http>': `${to.url}/\${secret:key}` }), services({ secrets })));
    expect(error.message).toBe('HTTP 4XX Client Error: GET http://*** - 404 Not Found: ');
  });

  test.each<[string, Mapping, { name: string; message: string }]>([
    [
      'missing',
      { headers: [{ a: '${secret:nope}' }] },
      { name: 'Trowel.Secret', message: "Secret not found for key: 'nope'" },
    ],
    [
      'misspelt',
      { headers: [{ a: '${sekret:k}' }] },
      { name: 'Trowel.BadInput', message: "Invalid parametrization: '${sekret:k}' (config)" },
    ],
    [
      'in a bad header',
      { headers: [{ a: '${secret:key}', b: 1 }] },
      { name: 'Trowel.BadInput', message: 'Invalid header: {"a":"${secret:key}","b":1} (config)' },
    ],
  ])('%s', async (_name, keys, expected) => {
    expect(
      await failure(http(payload('http', { 'http>': 'http://127.0.0.1:1', ...keys }), services({ secrets }))),
    ).toEqual(expected);
  });
});

describe('tries', () => {
  test.each<[string, Mapping, Answer[], number, string | undefined]>([
    ['5xx of a GET', {}, [{ status: 503 }, { hangUp: true }, {}], 3, undefined],
    [
      '5xx of a POST',
      { method: 'POST' },
      [{ status: 500, body: 'boom' }],
      1,
      'HTTP 5XX Server Error: POST URL - 500 Internal Server Error: boom',
    ],
    ['a POST that may be repeated', { method: 'POST', retry: 'true' }, [{ status: 500 }, {}], 2, undefined],
    [
      'a GET that may not',
      { retry: false },
      [{ status: 500 }],
      1,
      'HTTP 5XX Server Error: GET URL - 500 Internal Server Error: ok',
    ],
    [
      'no response to a POST',
      { method: 'POST' },
      [{ hangUp: true }],
      1,
      'HTTP request failed: POST URL - the connection was closed before a response',
    ],
    ['429 always', { method: 'POST' }, [{ status: 429 }, { status: 408 }, {}], 3, undefined],
    [
      'other 4xx never',
      { retry: true },
      [{ status: 404, body: 'gone' }],
      1,
      'HTTP 4XX Client Error: GET URL - 404 Not Found: gone',
    ],
    ['an end', {}, [{ status: 502 }], 8, 'HTTP 5XX Server Error: GET URL - 502 Bad Gateway: ok'],
    [
      'a long body is cut',
      {},
      [{ status: 400, body: 'x'.repeat(300) }],
      1,
      `HTTP 4XX Client Error: GET URL - 400 Bad Request: ${'x'.repeat(197)}...`,
    ],
  ])('%s', async (_name, keys, answers, requests, message) => {
    const to = await sink(answers);
    const url = `${to.url}/`;
    const run = http(payload('http', { 'http>': url, ...keys }), services());
    if (message === undefined) expect(await run).toEqual({ stored: { http: { last_status: 200 } } });
    else expect(await failure(run)).toEqual({ name: 'Trowel.TaskFailed', message: message.replace('URL', url) });
    expect(to.received.length).toBe(requests);
  });

  test('wait longer each time, as long as the server asks, and say so', async () => {
    const to = await sink([{ status: 503 }, { status: 503 }, { status: 429, headers: { 'retry-after': '7' } }, {}]);
    const waits: number[] = [];
    const lines: string[] = [];
    const sleep = async (seconds: number): Promise<void> => void waits.push(seconds);
    await http(payload('http', { 'http>': to.url }), services({ sleep, log: (line) => lines.push(line) }));
    expect(waits).toEqual([1, 2, 7]);
    expect(lines[2]).toBe(`GET ${to.url}/: status 429; trying again in 7 s`);
  });

  test('timeout', async () => {
    const to = await sink([{ silent: true }]);
    const error = await failure(http(payload('http', { 'http>': to.url, timeout: 1, retry: false }), services()));
    expect(error.message).toBe(`HTTP request failed: GET ${to.url}/ - no complete response within 1 s`);
  });

  test('cancelling ends it at once', async () => {
    const to = await sink([{ silent: true }]);
    const stop = new AbortController();
    const run = failure(http(payload('http', { 'http>': to.url }), services({ signal: stop.signal })));
    setTimeout(() => stop.abort(), 50);
    expect((await run).message).toContain('the request was cancelled');
    expect(to.received.length).toBeLessThan(2);
  });

  test('nothing listens', async () => {
    const error = await failure(http(payload('http', { 'http>': 'http://127.0.0.1:1/', method: 'POST' }), services()));
    expect(error).toEqual({
      name: 'Trowel.TaskFailed',
      message: 'HTTP request failed: POST http://127.0.0.1:1/ - connection refused',
    });
  });
});

test('integers beyond 2^53 are sent with all their digits', async () => {
  const to = await sink([{}, {}, {}]);
  const large = { 'trowel:leaf': 'int', text: '9007199254740993' };
  const keys = { 'http>': to.url, method: 'POST', query: { q: large }, headers: [{ 'X-A': large }] };
  await http(payload('http', { ...keys, content: { n: large, 'trowel::x': [large, 1] } }), services());
  await http(payload('http', { ...keys, content: large, content_format: 'json' }), services());
  await http(payload('http', { ...keys, content: { n: large }, content_format: 'form' }), services());
  expect(to.received.map(({ body }) => body)).toEqual([
    '{"n":9007199254740993,"trowel:x":[9007199254740993,1]}',
    '9007199254740993',
    'n=9007199254740993',
  ]);
  expect(first(to)).toMatchObject({ url: '/?q=9007199254740993', headers: { 'x-a': '9007199254740993' } });
});

describe('stores', () => {
  const run = async (more: Partial<Payload>, keys: Mapping = {}, body = 'fresh'): Promise<unknown> => {
    const to = await sink([{ status: 201, body }]);
    return http(payload('http', { 'http>': to.url, ...keys }, more), services());
  };
  const old: Mapping = { a: 1, http: { last_status: 500, last_content: 'old', mine: true } };

  test.each<[string, Partial<Payload>, Mapping, unknown]>([
    ['alone', {}, {}, { stored: { http: { last_status: 201 } } }],
    ['content', {}, { store_content: true }, { stored: { http: { last_status: 201, last_content: 'fresh' } } }],
    [
      'upon its layer, where an old content goes',
      { l: [old], m: 1 },
      {},
      { s: { a: 1, http: { mine: true, last_status: 201 } } },
    ],
    [
      'upon two layers, exports between',
      { l: [old, [{ e: 1 }], { b: 2 }], m: 2 },
      {},
      { s: { a: 1, b: 2, http: { mine: true, last_status: 201 } } },
    ],
    [
      'an old content farther out is covered',
      { l: [old, [{ e: 1 }], { b: 2 }], m: 1 },
      {},
      { s: { b: 2, http: { last_status: 201, last_content: null } } },
    ],
    [
      'unless there is a new one',
      { l: [old, {}], m: 1 },
      { store_content: true },
      { s: { http: { last_status: 201, last_content: 'fresh' } } },
    ],
    ['without layers of its own', { l: [old] }, {}, { stored: { http: { last_status: 201, last_content: null } } }],
    ['in a new frame', { l: [{ a: 1 }], m: 0 }, {}, { s: { http: { last_status: 201 } } }],
  ])('%s', async (_name, more, keys, expected) => {
    expect(await run(more, keys)).toEqual(expected);
  });

  test('one of 200 at the same time keeps a reference to what is larger than its share', async () => {
    const files = new Map<string, Buffer>();
    const values = valuesIn(
      {
        read: async (_root, name) => files.get(name),
        write: async (_root, name, content) => void files.set(name, content),
      },
      [''],
    );
    const to = await sink([{ status: 200, body: 'x'.repeat(3000) }]);
    const given = payload('http', { 'http>': to.url, store_content: true }, { l: [{}], m: 0, w: [[1, 200]] });
    const { s } = await http(given, { ...services(), values });
    expect(JSON.stringify(s).length).toBeLessThan(492);
    const [content] = await opened(s?.http as Mapping, values);
    expect(content).toEqual({ last_status: 200, last_content: 'x'.repeat(3000) });
  });

  test('64 KiB are kept, more is an error, and only when it is to be stored', async () => {
    expect(await run({}, { store_content: true }, 'é'.repeat(65_536))).toMatchObject({
      stored: { http: { last_content: 'é'.repeat(65_536) } },
    });
    expect(await failure(run({}, { store_content: true }, 'x'.repeat(65_537)))).toEqual({
      name: 'Trowel.TaskFailed',
      message: 'Response content too large: 65537 > 65536',
    });
    expect(await run({}, {}, 'x'.repeat(5_000_000))).toMatchObject({ stored: { http: { last_status: 201 } } });
  });

  test('the charset of the answer counts', async () => {
    const to = await sink([
      { headers: { 'content-type': 'text/plain; charset=ISO-8859-1' }, body: Buffer.from([0xe9]) },
    ]);
    const answer = await http(payload('http', { 'http>': to.url, store_content: true }), services());
    expect(answer).toMatchObject({ stored: { http: { last_content: 'é' } } });
  });
});

describe('proxy', () => {
  test.each<[string, (port: number) => { keys?: Mapping; env?: { [name: string]: string } }, boolean]>([
    ['of the task', (port) => ({ keys: { proxy: { enabled: true, host: '127.0.0.1', port: String(port) } } }), true],
    ['not enabled', (port) => ({ keys: { proxy: { host: '127.0.0.1', port } } }), false],
    ['http_proxy', (port) => ({ env: { http_proxy: `http://127.0.0.1:${port}` } }), true],
    ['HTTP_PROXY without a scheme', (port) => ({ env: { HTTP_PROXY: `127.0.0.1:${port}` } }), true],
    [
      'no_proxy',
      (port) => ({ env: { http_proxy: `http://127.0.0.1:${port}`, no_proxy: 'a.b,.c.d, 127.0.0.1' } }),
      false,
    ],
    ['no_proxy of a domain', (port) => ({ env: { http_proxy: `http://127.0.0.1:${port}`, NO_PROXY: '*' } }), false],
    ['https_proxy alone', (port) => ({ env: { https_proxy: `http://127.0.0.1:${port}` } }), false],
  ])('%s', async (_name, make, used) => {
    const proxy = await sink();
    const to = await sink();
    const { keys, env } = make(proxy.port);
    await http(payload('http', { 'http>': `${to.url}/x`, ...keys }), services(env ? { env } : {}));
    expect([proxy.received.length, to.received.length]).toEqual(used ? [1, 0] : [0, 1]);
    if (used) expect(first(proxy)).toMatchObject({ method: 'GET', url: `${to.url}/x` });
  });
});

test('a proxy is told who asks, and nobody else is', async () => {
  const proxy = await sink();
  const own = { enabled: true, host: '127.0.0.1', port: proxy.port, user: 'me@x', password: '${secret:key}' };
  await http(payload('http', { 'http>': 'http://example.test/x', proxy: own }), services({ secrets: { key: 'p:w' } }));
  expect(first(proxy).headers['proxy-authorization']).toBe(`Basic ${Buffer.from('me@x:p:w').toString('base64')}`);
});

describe('TLS', () => {
  test('a certificate that nobody vouches for', async () => {
    const { url } = await secureSink();
    expect((await failure(http(payload('http', { 'http>': url }), services()))).message).toBe(
      `HTTP request failed: GET ${url}/ - the certificate is self-signed (insecure: true accepts it)`,
    );
    expect(await http(payload('http', { 'http>': url, insecure: 'true' }), services())).toEqual({
      stored: { http: { last_status: 200 } },
    });
  });
});

test.each<[string, Mapping, string]>([
  ['no scheme', { 'http>': 'example.com' }, "Expected an http or https URI but got 'example.com' (config)"],
  [
    'another scheme',
    { 'http>': 'file:///etc/passwd' },
    "Expected an http or https URI but got 'file:///etc/passwd' (config)",
  ],
  ['timeout', { timeout: 'soon' }, 'Expected integer (int) type for key \'timeout\' but got "soon" (string) (config)'],
  ['retry', { retry: 'maybe' }, "Expected 'true' or 'false' for key 'retry' but got \"maybe\" (string) (config)"],
  ['text of a list', { content: [1], content_format: 'text' }, "Invalid content format for arrays: 'text' (config)"],
  ['a form of text', { content: 'x', content_format: 'form' }, "Invalid content format for strings: 'form' (config)"],
  ['a nested form', { content: { a: {} }, content_format: 'form' }, 'Invalid form content field value: {} (config)'],
  [
    'a header in a header',
    { headers: [{ a: 'b\r\nEvil: 1' }] },
    "Invalid header: the value of 'a' has a line break (config)",
  ],
  ['headers of text', { headers: 'a: b' }, "Expected a list of mappings with one key each for key 'headers' (config)"],
])('bad input: %s', async (_name, keys, message) => {
  expect(await failure(http(payload('http', { 'http>': 'http://127.0.0.1:1', ...keys }), services()))).toEqual({
    name: 'Trowel.BadInput',
    message,
  });
});

test('a bad template is the failure that the renderer gives', async () => {
  const error = await failure(http(payload('http', { 'http>': 'http://x/${nope}' }), services()));
  expect(error).toMatchObject({ name: 'Trowel.Template', message: expect.stringContaining('nope is not defined') });
});

/** The stand-in evaluates once; an `_export` that a key names needs another round. */
const twice: HttpServices['render'] = async (input) => {
  const once = await plainRender(input);
  return once.ok ? plainRender({ ...input, keys: once.keys as { [key: string]: Value } }) : once;
};
