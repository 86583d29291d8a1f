/**
 * The examples on AWS: deployed by the real `cdk deploy`, started by the SDK, and compared with a run of the same here. Played are Step
 * Functions, Lambda, Fargate and IAM (aws/service.ts says how); with TROWEL_E2E_AWS=1 the same runs against a real account, except for
 * what says "small AWS".
 */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { serve } from '../lambdas/http/server.ts';
import { trowel } from '../lib/cli/run-cli.ts';
import { type Cloud, type Stack, startCloud } from './aws/cloud.ts';
import { ROOT } from './aws/deploy.ts';
import { containerLogs, type Ended, results, run } from './aws/run.ts';

const EXAMPLES = join(ROOT, 'examples');
const SECRET = '1234/abcd';

// A container takes a second of a processor here, a minute in an account.
vi.setConfig({ testTimeout: 900_000 });

let cloud: Cloud;
let folder: string;
let quickstart: Stack;
let guide: Stack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-examples-'));
  cloud = await startCloud();
  quickstart = await cloud.deploy(join(EXAMPLES, 'quickstart'));
  guide = await cloud.deploy(join(EXAMPLES, 'operator-guide'));
  const secret = { Name: 'trowel/operator-guide/td.apikey', SecretString: SECRET };
  await cloud.secrets.send(new CreateSecretCommand(secret));
}, 900_000);

afterAll(async () => {
  await cloud?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
}, 900_000);

interface Local {
  readonly project: string;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly results: { readonly [path: string]: unknown };
  /** By task. */
  readonly logs: { readonly [task: string]: string };
  readonly events: readonly { readonly [key: string]: unknown }[];
}

/** A run of a copy of the example, with the real command line. */
async function here(example: string, workflow: string, args: readonly string[] = []): Promise<Local> {
  const project = await mkdtemp(join(folder, `${example}-`));
  const filter = (path: string): boolean => !/[\\/](\.trowel|__pycache__|data)$/.test(path);
  await cp(join(EXAMPLES, example), project, { recursive: true, filter });
  const secrets = join(project, '..', 'config');
  const env = { XDG_CONFIG_HOME: secrets };
  if (workflow === 'secret_env') {
    await trowel(['secrets', '--local', '--set', `td.apikey=${SECRET}`], { cwd: project, env });
  }
  const ran = await trowel(['run', workflow, ...args], { cwd: project, env });
  const attempt = join(project, '.trowel', 'attempts', '1');
  const read = async (sub: string): Promise<[string, string][]> => {
    const names = await readdir(join(attempt, sub), { recursive: true, withFileTypes: true }).catch(() => []);
    const files = names.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
    return Promise.all(
      files.map(
        async (file) => [file.slice(join(attempt, sub).length + 1), await readFile(file, 'utf8')] as [string, string],
      ),
    );
  };
  const events = (await readFile(join(attempt, 'events.jsonl'), 'utf8')).trim().split('\n');
  return {
    ...ran,
    project,
    results: Object.fromEntries((await read('results')).map(([path, text]) => [path, JSON.parse(text)])),
    logs: Object.fromEntries(
      (await read('logs')).map(([name, text]) => [name.replace(/\.log$/, ''), placeless(text, project)]),
    ),
    events: events.map((line) => JSON.parse(line)),
  };
}

/** Without the folder of the project, which is another in a container. */
function placeless(text: string, project?: string): string {
  const known = project === undefined ? text : text.replaceAll(project, 'PROJECT');
  return known.replaceAll(/\/[\w./-]*\/trowel-[\w]+\/project\b/g, 'PROJECT');
}

/** References to values lead to a folder here and to a bucket there, their contents are in the sha256; and times differ. */
function comparable(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, each) => {
      if (key === 'seconds') return 0;
      return key === 'trowel:ref' ? String(each).replace(/^.*\//, '') : each;
    }),
  );
}

/** Texts that echo> made, by task, from the history. */
function echoed({ events }: Ended): string[] {
  return events.flatMap(({ taskSucceededEventDetails: details }) => {
    const { Payload } = JSON.parse(details?.output ?? '{}') as { readonly Payload?: { readonly text?: string } };
    return Payload?.text === undefined ? [] : [Payload.text];
  });
}

function report(values: { readonly [path: string]: unknown }): unknown {
  return (values['+main+report.0.json'] as { stored: { report: string } }).stored.report;
}

describe('quickstart', () => {
  test('the deploy prints where to start each workflow', () => {
    expect(quickstart.printed).toMatch(/Workflowmain = arn:aws:states:\S+:stateMachine:quickstart-main\n/);
    expect(quickstart.printed).toMatch(/Workflowsendreport = arn:aws:states:\S+:stateMachine:quickstart-send-report\n/);
  });

  test('gives what it gives here: parameters, stores, report', async () => {
    const input = { session_time: '2026-11-01T00:00:00+09:00', params: { days: '12' } };
    const [there, local] = await Promise.all([
      run(cloud, quickstart, 'main', input),
      here('quickstart', 'main.dig', ['--session', '2026-10-31 15:00:00', '-p', 'days=12']),
    ]);
    expect(there).toMatchObject({ status: 'SUCCEEDED', error: undefined });
    const stored = await results(cloud, there);
    // What each task was given, read and stored, by value or by hash.
    expect(comparable(stored)).toEqual(comparable(local.results));
    expect(report(stored)).toMatch(/^Sales of 12 days up to 2026-10-31/);
    expect(echoed(there)).toEqual([report(stored)]);
    const { '+main+show': shown, ...tasks } = local.logs;
    expect(shown).toBe(`${report(stored)}\n`);
    expect(await containerLogs(cloud, 'quickstart', there)).toMatchObject(tasks);
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
});

describe('operator-guide', () => {
  const SUCCEED: readonly (readonly [workflow: string, ...args: string[]])[] = [
    ['simple_with_arg'],
    ['several_args'],
    ['kwargs'],
    ['td_conflict'],
    ['types'],
    ['env'],
    ['params'],
    ['store'],
    ['secret_env'],
    ['main_guard'],
    ['test'],
    ['awesome_workflow'],
  ];
  test.concurrent.for(SUCCEED)('%s gives what it gives here', async ([workflow]) => {
    const input = { session_time: '2026-11-01T00:00:00+09:00' };
    const [there, local] = await Promise.all([
      run(cloud, guide, workflow, input),
      here('operator-guide', workflow, ['--session', '2026-11-01 00:00:00']),
    ]);
    expect(there, there.cause).toMatchObject({ status: 'SUCCEEDED', error: undefined });
    expect(comparable(await results(cloud, there))).toEqual(comparable(local.results));
  });

  test.concurrent('a Python error is posted by http>', async ({ onTestFinished }) => {
    const slack = await serve();
    onTestFinished(slack.close);
    // Nothing of this machine can be reached from an account.
    if (cloud.small === undefined) return;
    const there = await run(cloud, guide, 'error_slack', { params: { slack_url: `${slack.url}/hook` } });
    expect(there).toMatchObject({ status: 'FAILED', error: 'Trowel.TaskFailed' });
    const { message } = JSON.parse(there.cause ?? '{}') as { readonly message?: string };
    expect(slack.received.map(({ method, url, body }) => [method, url, JSON.parse(body)])).toEqual([
      ['POST', '/hook', { text: message }],
    ]);
  });

  test.concurrent('a Python error reaches _error with its traceback, and the execution', async () => {
    const [there, local] = await Promise.all([run(cloud, guide, 'error_echo'), here('operator-guide', 'error_echo')]);
    expect(there).toMatchObject({ status: 'FAILED', error: 'Trowel.TaskFailed' });
    const failed = local.events.find(({ type }) => type === 'run-ended');
    const { message } = JSON.parse(there.cause ?? '{}') as { readonly message?: string };
    expect(placeless(message ?? '')).toBe(placeless(String(failed?.message), local.project));
  });
});
