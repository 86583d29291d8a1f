import { describe, expect, it, onTestFinished } from 'vitest';
import type { Job } from '../../../../lib/contract/assignment.ts';
import { fingerprint } from '../../../../lib/contract/fingerprint.ts';
import { resultPath } from '../../../../lib/contract/names.ts';
import type { LaunchPayload } from '../../../../lib/contract/payload.ts';
import { render } from '../../../../lib/expression/render.ts';
import { type Launched, launch, type Services } from '../../../../lib/functions/launch/core.ts';
import type { OperatorSpec } from '../../../../lib/language/operators/spec.ts';
import { OPERATORS } from '../../../../lib/language/operators.ts';
import type { Mapping, Value } from '../../../../lib/language/workflow.ts';

function payloadOf(given: Partial<LaunchPayload> = {}): LaunchPayload {
  return {
    v: 1,
    token: 'token-1',
    t: '+main+load',
    op: 'py',
    l: [{ region: 'eu' }],
    m: 1,
    b: { vars: { timezone: 'UTC', attempt_id: 7 }, attempt: { root: '/h/attempts/7', workflow: 'main' } },
    k: { 'py>': 'tasks.load', _command: 'tasks.load' },
    ...given,
  };
}

function servicesOf(given: Partial<Services> = {}): Services & { readonly jobs: Job[] } {
  const jobs: Job[] = [];
  const start = async (job: Job) => {
    jobs.push(job);
    return {};
  };
  const compute = { offer: async () => false, start, stop: async () => {} };
  return { jobs, render, compute, results: async () => undefined, ...given };
}

async function assigned(given: Partial<LaunchPayload>, services: Partial<Services> = {}): Promise<Job> {
  const all = servicesOf(services);
  await launch(payloadOf(given), all);
  const [job] = all.jobs;
  if (job === undefined) throw new Error('nothing was started');
  return job;
}

describe('launch', () => {
  it('hands over what the task is to do, rendered', async () => {
    const job = await assigned({ k: { 'py>': 'tasks.load', n: 5, from: '${region}', _env: { R: 'r-${region}' } } });
    expect(job.assignment).toMatchObject({
      v: 1,
      task: '+main+load',
      operator: 'py',
      keys: ['py>', 'n', 'from', '_env'],
      env: { R: 'r-eu' },
      layers: [{ region: 'eu' }],
      merge: 1,
      root: '/h/attempts/7',
      result: '/h/attempts/7/results/+main+load.0.json',
    });
    expect(job.assignment.params).toMatchObject({
      region: 'eu',
      n: 5,
      from: 'eu',
      task_name: '+main+load',
      attempt_id: 7,
    });
  });

  it('says which try of which run it is', async () => {
    const { b } = payloadOf();
    const execution = 'arn:aws:states:us-east-1:1:execution:shop-main:main-1';
    const deployed = { ...b, attempt: { ...b.attempt, execution } };
    expect((await assigned({})).assignment).toMatchObject({ try: 1, run: '7' });
    expect((await assigned({ n: 2, r: [1, 3], b: deployed })).assignment).toMatchObject({ try: 7, run: 'main-1' });
    expect((await assigned({ b: { ...b, vars: {} } })).assignment).not.toHaveProperty('run');
  });

  it('names the adapter of an operator that has one, and says where reports will be', async () => {
    const { assignment } = await assigned({});
    expect([assignment.adapter, assignment.reports]).toEqual([undefined, undefined]);
    const operators = OPERATORS as { [name: string]: OperatorSpec };
    operators.standin = { ...(operators.py as OperatorSpec & { kind: 'container' }), adapter: 'standin' };
    onTestFinished(() => void delete operators.standin);
    const reports = '/h/attempts/7/results/+main+load.1-2.reports';
    const services = servicesOf();
    const payload = payloadOf({ op: 'standin', r: [1], n: 2 });
    expect(await launch(payload, services)).toEqual({ started: services.jobs[0]?.id, reports });
    expect(services.jobs[0]?.assignment).toMatchObject({ operator: 'standin', adapter: 'standin', reports });
  });

  it('gives the same job the same id, and another try another', async () => {
    const first = await assigned({});
    expect((await assigned({})).id).toBe(first.id);
    expect((await assigned({ token: 'token-2' })).id).not.toBe(first.id);
  });

  it.each<[string, Partial<LaunchPayload>, unknown[]]>([
    ['m 0: an empty layer', { m: 0 }, []],
    [
      'm 1: the last stored layer, exports between passed over',
      { l: [{ a: 1 }, [{ e: 1 }], { b: 2 }, [{ f: 1 }]] },
      [{ b: 2 }],
    ],
    ['m 2: two', { l: [{ a: 1 }, [{ e: 1 }], { b: 2 }], m: 2 }, [{ a: 1 }, { b: 2 }]],
  ])('layers to merge upon, %s', async (_, given, layers) => {
    expect((await assigned(given)).assignment.layers).toEqual(layers);
  });

  it.each<[Value, unknown]>([
    [90, 90],
    ['90', 90],
    ['30m', 1800],
    ['1h 30m', 5400],
    ['${3 * 10}s', 30],
  ])('_timeout %j', async (_timeout, seconds) => {
    expect((await assigned({ k: { 'py>': 'f.g', _timeout } })).assignment.timeout).toBe(seconds);
  });

  it('takes the default timeout, and refuses what is no duration', async () => {
    expect((await assigned({}, { defaultTimeout: 60 })).assignment.timeout).toBe(60);
    expect((await assigned({}, { pickle: true })).assignment.pickle).toBe(true);
    expect((await assigned({}, { pickle: false })).assignment.pickle).toBeUndefined();
    await expect(assigned({ k: { 'py>': 'f.g', _timeout: 'soon' } })).rejects.toMatchObject({
      name: 'Trowel.BadInput',
      message: expect.stringContaining('\'_timeout\' but got "soon"'),
    });
  });

  it('says which interpreter, container and resources a task wants', async () => {
    const job = await assigned({
      k: { 'py>': 'f.g', python: 'python3.12', docker: { image: 'a:1' }, resources: { cpu: 1024 } },
    });
    expect(job.assignment.python).toEqual(['python3.12']);
    expect(job.docker).toEqual({ image: 'a:1' });
    expect(job.resources).toEqual({ cpu: 1024 });
    expect((await assigned({ l: [[{ py: { python: ['uv', 'run', 'python'] } }]] })).assignment.python).toEqual([
      'uv',
      'run',
      'python',
    ]);
  });

  it('fails with the error of a template', async () => {
    await expect(assigned({ k: { 'py>': 'f.g', a: '${nope}' } })).rejects.toMatchObject({
      name: 'Trowel.Template',
      message: expect.stringContaining('nope'),
    });
  });

  it('asks for a second container, whose keys count as the task’s own and get no secrets', async () => {
    const _beside = { image: 'db:1', command: ['serve', '${region}'], env: { A: '${secret:pg.password}' } };
    const job = await assigned({ k: { 'py>': 'tasks.load', _beside } });
    expect(job.beside).toEqual({ image: 'db:1', command: ['serve', 'eu'], env: { A: '${secret:pg.password}' } });
    expect(job.secrets).toEqual([]);
    expect(job.assignment.keys).toContain('_beside');
    expect(await assigned({})).not.toHaveProperty('beside');
  });

  it('refuses another protocol and a bad name in _env', async () => {
    await expect(assigned({ v: 2 })).rejects.toMatchObject({
      name: 'Trowel.BadInput',
      message: expect.stringContaining('version 1 to 1, got 2'),
    });
    await expect(assigned({ k: { 'sh>': 'true', _env: { 'a-b': 'c' } } })).rejects.toMatchObject({
      message: 'Invalid _env key name: a-b',
    });
  });
});

describe('secrets of a task', () => {
  it.each<[string, Partial<LaunchPayload>, string[]]>([
    ['_env', { k: { 'py>': 'f.g', _env: { A: '${secret:one}', B: 'x${secret: two }' } } }, ['one', 'two']],
    ['sh> text', { op: 'sh', k: { 'sh>': 'curl ${secret:key}' } }, ['key']],
    ['a key that is an expression', { k: { 'py>': 'f.g', _env: { A: '${secret:site.${region}}' } } }, ['site.eu']],
    [
      'a mount',
      { k: { 'py>': 'f.g', _env: { A: '${secret:pg.password}' }, _secrets: { pg: { password: 'my.key' } } } },
      ['my.key'],
    ],
    [
      'a mount of a part',
      { k: { 'py>': 'f.g', _env: { A: '${secret:pg.password}' }, _secrets: { pg: 'other' } } },
      ['other.password'],
    ],
    ['none of an argument', { k: { 'py>': 'f.g', key: '${secret:one}' } }, []],
    ['none that a value brings in', { op: 'sh', l: [{ evil: '${secret:one}' }], k: { 'sh>': 'echo ${evil}' } }, []],
  ])('%s', async (_, given, secrets) => {
    expect((await assigned(given)).secrets).toEqual(secrets);
  });

  const listed = { computable: (key: string) => key === 'site.eu' };

  it.each<[string, Partial<LaunchPayload>, string]>([
    ['by a key that data gives', { l: [{ region: 'us' }], k: { _env: { A: '${secret:site.${region}}' } } }, 'site.us'],
    [
      'by one that would end the mention and begin another',
      { l: [{ region: 'eu} ${secret:admin.key' }], k: { _env: { A: '${secret:site.${region}}' } } },
      'site.eu} ${secret:admin.key',
    ],
    [
      'by what `_secrets` renames it to',
      { l: [{ to: 'admin.key' }], k: { _env: { A: '${secret:a}' }, _secrets: { a: '${to}' } } },
      'admin.key',
    ],
  ])('an expression names no other than those listed: not %s', async (_, given, key) => {
    await expect(assigned(given, listed)).rejects.toMatchObject({
      name: 'Trowel.Secret',
      message: expect.stringContaining(`The secret '${key}' is named by an expression`),
    });
  });

  it('one that is listed, or written out, may be', async () => {
    const k = { _env: { A: '${secret:site.${region}}', B: '${secret:admin.key}' }, _secrets: { b: '${region}' } };
    expect((await assigned({ k }, listed)).secrets).toEqual(['site.eu', 'admin.key']);
  });

  it('names the missing one and the command that sets it', async () => {
    const given = { k: { 'py>': 'f.g', _env: { A: '${secret:key1}' } } };
    const services = {
      missingSecrets: async () => ['key1'],
      secretCommand: (key: string) => `trowel secrets --local --set ${key}=...`,
    };
    await expect(assigned(given, services)).rejects.toMatchObject({
      name: 'Trowel.Secret',
      message: "Secret not found for key: 'key1'\nSet it with: trowel secrets --local --set key1=...",
    });
  });
});

describe('a resumed attempt', () => {
  const k = { 'py>': 'tasks.load', n: '${region}' };
  const resume = { root: '/h/attempts/8', resume: ['/h/attempts/7', '/h/attempts/6'], workflow: 'main' };
  const b = { vars: { timezone: 'UTC', attempt_id: 8 }, attempt: resume };

  /** As the runner would have written it. */
  function recordOf(keys: Mapping, read: { readonly [name: string]: Value }, more: Mapping = {}): Mapping {
    const hashes = Object.fromEntries(Object.entries(read).map(([name, value]) => [name, fingerprint(value)]));
    const result = { ok: true, s: { old: 1, x: 1 }, seconds: 2 };
    return {
      v: 1,
      task: '+main+load',
      keys: fingerprint(keys),
      env: fingerprint({}),
      read: hashes,
      stored: { x: 1 },
      result,
      ...more,
    };
  }

  async function launched(
    record: Mapping | undefined,
    given: Partial<LaunchPayload> = {},
    more: Partial<Services> = {},
  ): Promise<Launched> {
    const results = async (root: string, path: string) =>
      root === '/h/attempts/7' && path === resultPath('+main+load', given.r) ? record : undefined;
    return launch(payloadOf({ k, b, ...given }), servicesOf({ results, ...more }));
  }

  const own = { 'py>': 'tasks.load', n: 'eu' };

  it('takes over the stores, upon the layers of now', async () => {
    expect(await launched(recordOf(own, { region: 'eu' }))).toEqual({
      replayed: { s: { region: 'eu', x: 1 }, seconds: 2, replayed: true },
    });
  });

  it('answers what it answered, files and all, upon the same layers', async () => {
    const s = { region: { 'trowel:ref': 'a', kind: 'json', bytes: 1 }, x: 1 };
    const l = [{ region: 'eu' }];
    const more = { result: { ok: true, s, seconds: 2 }, base: fingerprint(l) };
    const record = recordOf(own, { region: 'eu' }, more);
    expect(await launched(record, { l, m: 1 })).toMatchObject({ replayed: { s } });
    expect(await launched(record, { l: [{ region: 'eu', more: 'new' }] })).toMatchObject({
      replayed: { s: { region: 'eu', more: 'new', x: 1 } },
    });
  });

  it('answers with stores alone where the state merges', async () => {
    const { m: _, ...without } = payloadOf({ k, b });
    const services = servicesOf({ results: async () => recordOf(own, {}) });
    expect(await launch(without, services)).toMatchObject({ replayed: { stored: { x: 1 } } });
  });

  it.each<[string, Mapping | undefined]>([
    ['there is no record', undefined],
    ['a key is another', recordOf({ ...own, n: 'us' }, {})],
    ['a parameter that was read is another', recordOf(own, { region: 'us' })],
    ['a parameter that was read is gone', recordOf(own, { nowhere: 1 })],
    ['a parameter that was missing is there', recordOf(own, {}, { read: { region: '' } })],
    ['the environment is another', recordOf(own, {}, { env: fingerprint({ A: 'b' }) })],
    ['it is of another task', recordOf(own, {}, { task: '+main+Load' })],
  ])('runs the task when %s', async (_, record) => {
    expect(await launched(record)).toHaveProperty('started');
  });

  it('does not mind parameters that the task did not read', async () => {
    expect(await launched(recordOf(own, {}), { l: [{ region: 'eu', more: 1 }] })).toHaveProperty('replayed');
  });

  it('knows a parameter that was missing and is missing still', async () => {
    expect(await launched(recordOf(own, {}, { read: { optional: '' } }))).toHaveProperty('replayed');
  });

  it('takes no result over that was made with another value of a secret', async () => {
    const _env = { A: '${secret:token}' };
    const given = { k: { 'py>': 'tasks.load', _env } };
    const keys = { 'py>': 'tasks.load', _env };
    const made = recordOf(keys, {}, { env: fingerprint(_env), secrets: { token: 'v1' } });
    const now = (version: string | undefined) => ({ secretVersion: async () => version });
    expect(await launched(made, given, now('v1'))).toHaveProperty('replayed');
    expect(await launched(made, given, now('v2'))).toHaveProperty('started');
    expect(await launched(made, given, now(undefined))).toHaveProperty('started');
    const without = recordOf(keys, {}, { env: fingerprint(_env) });
    expect(await launched(without, given, now('v1'))).toHaveProperty('started');
    // One of a task that asks for fewer now.
    const before = recordOf(own, {}, { secrets: { token: 'v1' } });
    expect(await launched(before, {}, now('v1'))).toHaveProperty('started');
  });

  it('does not mind its own number in a template', async () => {
    const given = { k: { 'py>': 'tasks.load', to: 'out/${attempt_id}' } };
    const record = recordOf({ 'py>': 'tasks.load', to: 'out/7' }, {});
    expect(await launched(record, given)).toHaveProperty('started');
    const attemptVariables = () => ({ attempt_id: 7 });
    expect(await launched(record, given, { attemptVariables })).toHaveProperty('replayed');
  });

  it('keeps the tries of a retried group apart', async () => {
    expect(await launched(recordOf(own, {}), { r: [1, 0] })).toHaveProperty('replayed');
    expect(resultPath('+main+load', [1, 0])).not.toBe(resultPath('+main+load', [0]));
  });

  it('takes its own result over where the container was lost after it, and only then', async () => {
    const given = payloadOf({
      k,
      b: { ...b, attempt: { root: '/h/attempts/8', workflow: 'main', rerunChanged: true } },
    });
    const asked: string[] = [];
    const results = async (root: string) => {
      asked.push(root);
      return recordOf(own, {}, { module: 'abc' });
    };
    const services = servicesOf({ results, codeUnchanged: async () => false });
    expect(await launch({ ...given, n: 0 }, services)).toHaveProperty('started');
    expect(asked).toEqual([]);
    expect(await launch({ ...given, n: 1 }, services)).toHaveProperty('replayed');
    expect(asked).toEqual(['/h/attempts/8']);
  });

  it('asks for unchanged code only when told to', async () => {
    const record = recordOf(own, {}, { module: 'abc' });
    const changed = { codeUnchanged: async () => false };
    expect(await launched(record, {}, changed)).toHaveProperty('replayed');
    const rerun = { b: { ...b, attempt: { ...resume, rerunChanged: true } } };
    expect(await launched(record, rerun, changed)).toHaveProperty('started');
    expect(await launched(record, rerun, { codeUnchanged: async () => true })).toHaveProperty('replayed');
  });
});
