/**
 * The packed command line against a deployed quickstart: follow, log, sessions, kill, and a failed run that is resumed after its code was mended
 * and deployed. What of AWS is played, aws/service.ts says; with TROWEL_E2E_AWS=1 it is a real account.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, HOOK_TIMEOUT, startCloud } from '../aws/cloud.ts';
import { ROOT } from '../aws/deploy.ts';

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let cloud: Cloud;
let base: string;
let project: string;

/** The command of the tarball, in the project's folder. */
function cli(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(base, 'package', 'dist', 'trowel.js'), ...args], {
      cwd: project,
      env: cloud.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const BROKEN = 'def write(trends, title):\n    raise LookupError("no paper left")\n\n\ndef unused(trends, title):';

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'trowel-cloud-cli-')));
  project = join(base, 'quickstart');
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', base], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  execFileSync('tar', ['xzf', join(base, filename), '-C', base]);
  const filter = (path: string): boolean => !/[\\/](\.trowel|__pycache__)$/.test(path);
  await cp(join(ROOT, 'examples', 'quickstart'), project, { recursive: true, filter });
  const report = join(project, 'tasks', 'report.py');
  const text = await readFile(report, 'utf8');
  await writeFile(report, text.replace('def write(trends, title):', BROKEN));
  await writeFile(join(project, 'long.dig'), '+sleep:\n  py>: tasks.long.sleep\n');
  await writeFile(
    join(project, 'tasks', 'long.py'),
    'import time\n\n\ndef sleep():\n    print("asleep", flush=True)\n    time.sleep(900)\n',
  );
  cloud = await startCloud();
  await cloud.deploy(project);
  await writeFile(report, text);
}, HOOK_TIMEOUT);

afterAll(async () => {
  await cloud?.stop();
  if (base) await rm(base, { recursive: true, force: true });
}, HOOK_TIMEOUT);

const executionOf = (text: string): string => /\b(?:main|long)-\d{8}T\d{6}Z-[0-9a-f]{6}\b/.exec(text)?.[0] ?? '';

describe('a deployed workflow from the command line', { timeout: HOOK_TIMEOUT }, () => {
  it('fails, is looked into, mended, deployed and resumed: what succeeded is not run again', async () => {
    const failed = await cli('start', 'main', '--session', '2030-01-31', '-p', 'days=10', '--follow');
    expect(failed.stderr).toContain('+main+report failed after');
    expect(failed.stderr).toContain('no paper left (LookupError)');
    expect(failed.stdout + failed.stderr).toMatch(/in write\n/);
    expect(failed.stdout).toMatch(/rows for 4 regions/);
    expect(failed.stdout).toContain('There is no report:');
    const name = executionOf(failed.stderr);
    expect(failed.stderr).toContain(`trowel retry ${name} --resume`);
    expect(failed.code).toBe(1);

    const log = await cli('log', name, '+clean', '--aws');
    expect(log.stdout.match(/rows kept/g)).toHaveLength(4);
    expect((await cli('sessions', '--aws')).stdout).toMatch(
      new RegExp(`${name} +main +2030-01-31T00:00:00\\+00:00 .* failed`),
    );

    await cloud.deploy(project);
    const resumed = await cli('retry', 'main', '--resume', '--follow');
    expect(resumed.stderr).toContain(`session 2030-01-31T00:00:00+00:00`);
    expect(resumed.stderr).toContain(`continues ${name}`);
    expect(resumed.stderr.match(/^kept {4}/gm)).toHaveLength(10);
    expect(resumed.stderr).toMatch(/^ok {6}\+main\+report /m);
    expect(resumed.stderr).toMatch(/12 tasks done, 10 of them kept from an earlier attempt\./);
    expect(resumed.stdout).toContain('Sales of 10 days up to 2030-01-31');
    expect(resumed.stdout).not.toContain('rows kept');
    expect(resumed.code).toBe(0);

    const again = await cli('retry', executionOf(resumed.stderr), '--resume');
    expect(again.stderr).toContain('there is nothing to resume');
    expect(again.code).toBe(2);
  });

  it('is ended, its container too', async () => {
    const started = await cli('start', 'long');
    const name = executionOf(started.stdout);
    const watched = cli('log', name, '--aws', '--follow');
    const printed = async () => (await cli('log', name, '--aws')).stdout;
    await expect.poll(printed, { timeout: 120_000, interval: 1000 }).toBe('asleep\n');
    const killed = await cli('kill', 'long');
    expect(killed.stderr).toBe(`Stopped ${name}, 1 container\n`);
    expect(killed.code).toBe(0);
    const { stdout, stderr } = await watched;
    expect(stdout).toBe('asleep\n');
    expect(stderr).toMatch(/Interrupted after/);
    expect((await cli('kill', name)).stderr).toContain('has ended already');
    expect((await cli('sessions', 'long', '--aws')).stdout).toContain(' aborted');
  });

  it('is checked: what it needs of the account, and what was deployed', async () => {
    const { stdout, stderr, code } = await cli('check', '--aws');
    expect(stderr).not.toContain('internal error');
    expect(stdout).toMatch(/AWS\n {2}Account \d{12}, region \S+, as /);
    expect(stdout).toMatch(/Subnets: \d+ free addresses/);
    expect(code, stderr).toBe(1);
    // The quickstart's other workflow sends its report to an address that is a secret.
    expect(stderr).toContain('secret-missing');
    const [, command = ''] = /Set it with: trowel (secrets --aws --set \S+)/.exec(stderr) ?? [];
    const set = await cli(...command.replace(/$/, '=https://example.com/hook').split(' '));
    expect(set.code, set.stderr).toBe(0);
    expect((await cli('check', '--aws')).code).toBe(0);
  });
});
