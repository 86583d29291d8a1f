/**
 * The quickstart on AWS: deployed by the real `cdk deploy`, started by the SDK, and compared with a run of the same here. Played are Step
 * Functions, Lambda, Fargate and IAM (aws/README.md says how); with TROWEL_E2E_AWS=1 the same runs against a real account, except for
 * what sends to a server of this machine. slow/operator-guide.test.ts does it with every workflow of the operator guide.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { trowel } from '../lib/cli/run-cli.ts';
import { type Sink, serve } from '../lib/functions/http/server.ts';
import { type Cloud, HOOK_TIMEOUT, type Stack, startCloud } from './aws/cloud.ts';
import { results, run } from './aws/run.ts';
import { EXAMPLES, expectSame, here } from './here.ts';

/** Of a session in any zone. */
const TIME = '2026-11-01T00:00:00+09:00';

// A container takes a second of a processor here, a minute in an account.
vi.setConfig({ testTimeout: 900_000 });

let cloud: Cloud;
let folder: string;
let quickstart: Stack;
let web: Sink;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-examples-'));
  web = await serve();
  cloud = await startCloud();
  quickstart = await cloud.deploy(join(EXAMPLES, 'quickstart'));
}, HOOK_TIMEOUT);

afterAll(async () => {
  // Nobody asked for more than its role allows.
  expect(cloud?.small?.proxy.refused ?? []).toEqual([]);
  await cloud?.stop();
  await web?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
}, HOOK_TIMEOUT);

describe('quickstart', () => {
  test('the deploy prints where to start each workflow', () => {
    expect(quickstart.printed).toMatch(/Workflowmain = arn:aws:states:\S+:stateMachine:quickstart-main\n/);
    expect(quickstart.printed).toMatch(/Workflowsendreport = arn:aws:states:\S+:stateMachine:quickstart-send-report\n/);
    // Remarks of the CDK's that a user could do nothing about.
    expect(quickstart.printed).not.toMatch(/^(?:INFO|WARNING|ERROR) /m);
  });

  const report = (values: { readonly [path: string]: unknown }): unknown =>
    (values['+main+report.0.json'] as { stored: { report: string } }).stored.report;

  test('gives what it gives here: parameters, stores, report', async () => {
    const [there, local] = await Promise.all([
      run(cloud, quickstart, 'main', { session_time: TIME, params: { days: '12' } }),
      here(folder, 'quickstart', 'main.dig', { args: ['--session', TIME, '-p', 'days=12'] }),
    ]);
    expect(there).toMatchObject({ status: 'SUCCEEDED', error: undefined });
    await expectSame(cloud, 'quickstart', there, local);
    const stored = await results(cloud, there);
    expect(report(stored)).toMatch(/^Sales of 12 days up to 2026-10-31/);
    expect(local.logs['+main+show']).toBe(`${report(stored)}\n`);
  });

  test('runs with an empty input', async () => {
    const ended = await run(cloud, quickstart, 'main');
    expect(ended.status).toBe('SUCCEEDED');
    expect(report(await results(cloud, ended))).toMatch(/^Sales of 30 days up to \d{4}-\d\d-\d\d\n/);
  });

  test('an input that is not understood fails at once, with every fault in the cause', async () => {
    const input = { sesion_time: '2026-11-01', session_time: 'someday', params: [1], region: 'eu' };
    const ended = await run(cloud, quickstart, 'main', input);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'Trowel.BadInput' });
    const { errorMessage } = JSON.parse(ended.cause ?? '{}') as { readonly errorMessage?: string };
    for (const fault of ["unknown key 'sesion_time'", "unknown key 'region'", "for 'params'", 'session_time: ']) {
      expect(errorMessage).toContain(fault);
    }
    expect(await results(cloud, ended)).toEqual({});
  });

  test('send-report: says which command sets the secret, and then posts what it posts from here', async ({ skip }) => {
    if (cloud.small === undefined) skip('nothing of this machine can be reached from an account');
    const local = await here(folder, 'quickstart', 'send-report.dig', {
      args: ['--session', TIME],
      secrets: { 'report.webhook': `${web.url}/services/here` },
    });
    expect(local.code, local.stderr).toBe(0);

    const without = await run(cloud, quickstart, 'send-report', { session_time: TIME });
    expect(without).toMatchObject({ status: 'FAILED', error: 'Trowel.Secret' });
    const { errorMessage: message = '' } = JSON.parse(without.cause ?? '{}') as { readonly errorMessage?: string };
    expect(message, without.cause).toBe(
      "Secret not found for key: 'report.webhook'\nSet it with: trowel secrets --aws --set report.webhook",
    );
    const [, command = ''] = /Set it with: trowel (.*)$/.exec(message) ?? [];
    const set = await trowel(`${command}=-`.split(' '), {
      cwd: local.project,
      env: cloud.env,
      stdin: `${web.url}/services/there\n`,
    });
    expect(set.code, set.stderr).toBe(0);

    const there = await run(cloud, quickstart, 'send-report', { session_time: TIME });
    await expectSame(cloud, 'quickstart', there, local);
    const posted = (place: string) =>
      web.received
        .filter(({ url }) => url === `/services/${place}`)
        .map(({ method, headers, body }) => [method, headers['content-type'], JSON.parse(body)]);
    expect(posted('there')).toEqual(posted('here'));
    const report = expect.stringMatching(/^Sales of 30 days up to 2026-10-31\n.*\nIn all [\d,.]+ EUR\. Growing/s);
    expect(posted('there')).toEqual([['POST', 'application/json', { text: report }]]);
    // The secret stands in no state; what the task has printed is compared above.
    expect(JSON.stringify(there.events)).not.toContain('/services/there');
  });
});
