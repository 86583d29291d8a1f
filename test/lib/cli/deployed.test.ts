/**
 * The command line against a played AWS (../deployed/played-aws.ts says what of it is real).
 * Covers lib/cli/actions/start.ts, lib/cli/actions/retry.ts, lib/cli/actions/kill.ts, lib/cli/actions/deployed-log.ts,
 * lib/cli/actions/deployed-sessions.ts.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlayedAws, startPlayedAws } from '../deployed/played-aws.ts';
import { onTerminal } from './pseudo-terminal.ts';
import { project, type Result, trowel } from './run-cli.ts';

const MAIN = `
+load:
  py>: tasks.load
+both:
  _parallel: true
  +left:
    py>: tasks.left
  +right:
    py>: tasks.right
+say:
  echo>: region \${region} day \${session_date}
`;

let aws: PlayedAws;
let cwd: string;
const cli = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Result> =>
  trowel(args, { cwd, env: { ...aws.env, ...env } });

beforeAll(async () => {
  aws = await startPlayedAws();
  cwd = await project({
    'trowel.yml': 'name: shop\n',
    'main.dig': MAIN,
    'hang.dig': '+wait:\n  py>: tasks.wait\n',
    'parent.dig': '+first:\n  require>: hang\n',
  });
  await aws.deploy(cwd);
});

afterAll(() => aws?.stop());

/** Starts an execution and waits for its end; its name. */
async function ran(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await cli(args);
  const arn = stdout.trim();
  expect(stderr).toContain('Started');
  await aws.executions.ended(arn);
  return arn.slice(arn.lastIndexOf(':') + 1);
}

/** Tasks print their name and succeed. */
function allSucceed(): void {
  aws.play = (task) => ({ prints: [`${task} prints`], answer: { stored: {} } });
}

const names = (text: string): string[] => [...text.matchAll(/main-\d{8}T\d{6}Z-[0-9a-f]{6}/g)].map(([name]) => name);

describe('trowel start', () => {
  it('starts an execution and says how to watch it', async () => {
    allSucceed();
    const { code, stdout, stderr } = await cli(['start', 'main.dig', '-p', 'region=eu']);
    expect(stdout).toMatch(/^arn:aws:states:us-east-1:123456789012:execution:shop-main:main-\S+\n$/);
    expect(stderr).toContain(`trowel log ${names(stdout)[0]} --aws --follow`);
    expect(code).toBe(0);
  });

  it('--follow shows tasks and what they print, and ends as run does', async () => {
    allSucceed();
    const { code, stdout, stderr } = await cli([
      'start',
      'main',
      '-p',
      'region=eu',
      '--session',
      '2030-01-31',
      '--follow',
    ]);
    expect(stdout.trim().split('\n').sort()).toEqual([
      '+main+both+left prints',
      '+main+both+right prints',
      '+main+load prints',
      'region eu day 2030-01-31',
    ]);
    expect(stderr).toMatch(/main {2}session 2030-01-31T00:00:00\+00:00 {2}execution main-/);
    expect(stderr).toMatch(/ok {6}\+main\+load/);
    expect(stderr).toMatch(/Success in .*: 4 tasks done\./);
    expect(code).toBe(0);
  });

  it('--follow on a terminal draws the tree of what runs there, with what it prints above', async () => {
    aws.play = (task) => ({ prints: [`${task} prints`], answer: { stored: {} }, after: 1500 });
    const args = ['start', 'main', '-p', 'region=eu', '--session', '2030-01-31', '--follow'];
    const { code, text, lines } = await onTerminal(cwd, args, [], aws.env);
    expect(text).toMatch(/\d running/);
    const plain = lines.map((line) => line.replaceAll(/ {2}[\d.]+ s/g, '  N s'));
    const tree = plain.indexOf('✓ +main');
    expect(plain.slice(tree, tree + 7)).toEqual([
      '✓ +main',
      '├─ ✓ +load  N s',
      '├─ ✓ +both',
      '│  ├─ ✓ +left  N s',
      '│  └─ ✓ +right  N s',
      '└─ ✓ +say  N s',
      expect.stringMatching(/^Success in .*: 4 tasks done\.$/),
    ]);
    const printed = plain.slice(0, tree).map((line) => line.replace(/^.* │ /, ''));
    for (const task of ['+load', '+both+left', '+both+right']) expect(printed).toContain(`+main${task} prints`);
    expect(printed).toContain('region eu day 2030-01-31');
    expect(code).toBe(0);
  });

  it('--follow of one that fails gives the message and the command that resumes it', async () => {
    aws.play = (task) => ({ answer: task.endsWith('left') ? { error: 'no lamps left' } : { stored: {} } });
    const { code, stderr } = await cli(['start', 'main', '-p', 'region=eu', '--follow']);
    expect(stderr).toContain('failed  +main+both+left');
    expect(stderr).toContain('+main+both+left failed after');
    expect(stderr).toContain('no lamps left');
    expect(stderr).toContain(`trowel retry ${names(stderr)[0]} --resume`);
    expect(code).toBe(1);
  });

  it('--follow that AWS refuses to answer says that the execution goes on', async () => {
    allSucceed();
    aws.denied.add('states:GetExecutionHistory');
    const { code, stderr } = await cli(['start', 'main', '-p', 'region=eu', '--follow']);
    aws.denied.clear();
    expect(stderr).toContain('do not allow states:GetExecutionHistory');
    expect(stderr).toContain(`The execution goes on. To watch it: trowel log ${names(stderr)[0]} --aws --follow`);
    expect(code).toBe(4);
  });

  it('of parameters that no execution takes starts nothing', async () => {
    await writeFile(join(cwd, 'large.yml'), `text: ${'x'.repeat(300_000)}\n`);
    const { code, stderr } = await cli(['start', 'main', '-P', 'large.yml']);
    expect(stderr).toContain('the parameters take 293 KiB, and an execution takes 256');
    expect(code).toBe(2);
  });

  it('--follow --json prints the events of docs/events.md alone; output that may not be read is a notice', async () => {
    allSucceed();
    aws.denied.add('logs:GetLogEvents');
    const { stdout } = await cli(['start', 'main', '-p', 'region=eu', '--follow', '--json']);
    aws.denied.clear();
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { [key: string]: unknown });
    expect(events[0]).toMatchObject({
      type: 'run-started',
      workflow: 'main',
      execution: expect.stringMatching(/^main-/),
    });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'task-started', task: '+main+load', operator: 'py', at: 'main.dig:2', try: 1 }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'notice', message: expect.stringContaining('do not allow logs:GetLogEvents') }),
    );
    expect(events.at(-1)).toMatchObject({ type: 'run-ended', status: 'succeeded' });
  });

  it.each([
    [['start', 'mian'], 1, 'the workflow mian of project shop is not deployed', "Did you mean 'main'?"],
    [['start', 'main', '--session', 'tomorrow'], 2, '--session tomorrow', 'hourly, daily, schedule'],
    [['start', 'main', '-p', 'region'], 2, '-p region: expected KEY=VALUE', ''],
    [['log', 'nothing', '--aws'], 2, 'no execution and no workflow nothing', 'Workflows: hang, main, parent'],
    [['kill', 'hang'], 2, 'no execution of hang runs', ''],
    [
      ['kill', 'arn:aws:states:us-east-1:123456789012:execution:shop-main:none'],
      2,
      'there is no execution arn:aws:states:',
      '\n  trowel sessions --aws lists executions\n',
    ],
    [['retry', 'hang', '--resume'], 2, 'there is nothing to resume', ''],
  ])('%j is refused', async (args, expected, message, note) => {
    const { code, stderr } = await cli(args);
    expect(stderr).toContain(message);
    expect(stderr).toContain(note);
    expect(code).toBe(expected);
  });
});

describe('without what AWS needs', () => {
  const nothing = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };

  it.each([
    ['no credentials', nothing, 'there are no AWS credentials', 'aws sso login'],
    [
      'a profile that is not there',
      { AWS_ACCESS_KEY_ID: '', AWS_PROFILE: 'wrok' },
      'there is no AWS profile wrok',
      'AWS_PROFILE',
    ],
    ['no region', { AWS_REGION: undefined }, 'no AWS region is known', '--region'],
    ['no way to AWS', { AWS_ENDPOINT_URL: 'http://localhost:1' }, 'AWS cannot be reached', 'the network'],
    [
      'credentials that AWS does not know',
      { AWS_ACCESS_KEY_ID: 'other' },
      'AWS does not know these credentials',
      '--profile',
    ],
  ])('%s', async (_name, env, message, note) => {
    const { code, stderr } = await cli(['sessions', '--aws'], env);
    expect(stderr).toContain(`error: ${message}`);
    expect(stderr).toContain(note);
    expect(stderr).not.toContain('internal error');
    expect(code).toBe(4);
  });

  it('of profiles those that there are are listed', async () => {
    const home = await project({
      config: '[default]\nregion = eu-west-1\n[profile work]\nregion = eu-west-1\n',
      credentials: '[home]\naws_access_key_id = x\n',
    });
    const files = { AWS_CONFIG_FILE: join(home, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(home, 'credentials') };
    const { code, stderr } = await cli(['sessions', '--aws', '--profile', 'wrok'], files);
    expect(stderr).toContain('there is no AWS profile wrok\n  Profiles: default, home, work\n');
    expect(code).toBe(4);
  });

  it('a right that is missing is named', async () => {
    aws.denied.add('states:StartExecution');
    const { code, stderr } = await cli(['start', 'main']);
    aws.denied.clear();
    expect(stderr).toContain('your AWS credentials do not allow states:StartExecution');
    expect(stderr).toContain('user/me is not authorized');
    expect(code).toBe(4);
  });

  it('an undeployed project says how to deploy it', async () => {
    const folder = await project({ 'trowel.yml': 'name: other\n', 'main.dig': '+a:\n  echo>: x\n' });
    const { code, stderr } = await trowel(['start', 'main'], { cwd: folder, env: aws.env });
    expect(stderr).toContain('the workflow main of project other is not deployed');
    expect(stderr).toContain('npx cdk deploy');
    expect(code).toBe(1);
  });
});

describe('trowel sessions --aws', () => {
  it('lists executions with their sessions', async () => {
    allSucceed();
    await ran(['start', 'main', '-p', 'region=eu', '--session', '2031-02-03']);
    const { stdout, code } = await cli(['sessions', 'main', '--aws', '--limit', '1']);
    expect(stdout).toMatch(/^EXECUTION +WORKFLOW +SESSION TIME +STARTED +TOOK +STATUS\n/);
    expect(stdout).toMatch(/main-\S+ +main +2031-02-03T00:00:00\+00:00 .* succeeded\n$/);
    expect(code).toBe(0);
    const { stdout: lines } = await cli(['sessions', '--aws', '--json', '--limit', '1']);
    expect(JSON.parse(lines)).toMatchObject({
      workflow: 'main',
      status: 'succeeded',
      session_time: '2031-02-03T00:00:00+00:00',
    });
  });
});

describe('trowel log --aws', () => {
  it('shows an execution that is over in the order of time, whole or by task', async () => {
    allSucceed();
    const name = await ran(['start', 'main', '-p', 'region=eu']);
    const { stdout, stderr } = await cli(['log', name, '--aws']);
    expect(stdout.split('\n')[0]).toBe('+main+load prints');
    expect(stdout.trim().split('\n')).toHaveLength(4);
    expect(stderr).toMatch(/Success/);
    expect((await cli(['log', name, '+left', '--aws'])).stdout).toBe('+main+both+left prints\n');
    expect((await cli(['log', 'main', '+load', '--aws'])).stdout).toBe('+main+load prints\n');
    expect(await cli(['log', name, '+nope', '--aws'])).toMatchObject({ code: 2 });
    const elsewhere = await project({ 'trowel.yml': 'name: other\n' });
    const arn = `arn:aws:states:us-east-1:123456789012:execution:shop-main:${name}`;
    const { stdout: same } = await trowel(['log', arn, '+load', '--aws'], { cwd: elsewhere, env: aws.env });
    expect(same).toBe('+main+load prints\n');
  });
});

describe('what a task reports', () => {
  it('is shown while it runs and afterwards, between the start and the end of the task', async () => {
    const reports = [
      { kind: 'asset', level: 'info', data: { key: 'a' } },
      { kind: 'check', level: 'warning', data: 'late' },
    ] as const;
    aws.play = () => ({ reports, answer: { stored: {} }, after: 100 });
    const followed = await cli(['start', 'hang', '--follow']);
    const name = /hang-\d{8}T\d{6}Z-[0-9a-f]{6}/.exec(followed.stderr)?.[0] ?? '';
    const logged = await cli(['log', name, '--aws']);
    for (const { code, stdout, stderr } of [followed, logged]) {
      expect(stderr).toMatch(
        /start +\+hang\+wait[^\n]*\nreport +\+hang\+wait +asset: {"key":"a"}\nreport +\+hang\+wait +check \(warning\): late\nok /,
      );
      expect([code, stdout.trim().replace(/^arn:\S+$/, '')]).toEqual([0, '']);
    }
    const { stdout } = await cli(['start', 'hang', '--follow', '--json']);
    const events = stdout.split('\n').filter((line) => line.includes('"task-report"'));
    expect(events.map((line) => JSON.parse(line))).toEqual(
      reports.map((report) => ({
        type: 'task-report',
        time: expect.stringMatching(/Z$/),
        task: '+hang+wait',
        ...report,
      })),
    );
  });
});

describe('trowel kill', () => {
  it('ends an execution and its containers', async () => {
    aws.play = () => ({ answer: undefined });
    const { stdout } = await cli(['start', 'hang']);
    const arn = stdout.trim();
    await expect
      .poll(() => aws.executions.executions.get(arn)?.events.some(({ type }) => type === 'TaskSubmitted'))
      .toBe(true);
    const { code, stderr } = await cli(['kill', 'hang']);
    expect(stderr).toMatch(/^Stopped hang-\S+, 1 container\n$/);
    expect(code).toBe(0);
    expect(aws.executions.executions.get(arn)?.outcome?.status).toBe('ABORTED');
    expect(aws.stopped).toHaveLength(1);
    const name = arn.split(':').at(-1) ?? '';
    expect(await cli(['kill', name])).toMatchObject({ code: 1, stderr: expect.stringContaining('has ended already') });
    const { stderr: told } = await cli(['log', name, '--aws']);
    expect(told).toContain('Interrupted after');
  });

  it('says what it has ended where containers may not be stopped', async () => {
    aws.play = () => ({ answer: undefined });
    const arn = (await cli(['start', 'hang'])).stdout.trim();
    const submitted = () => aws.executions.executions.get(arn)?.events.some(({ type }) => type === 'TaskSubmitted');
    await expect.poll(submitted).toBe(true);
    const name = arn.split(':').at(-1) ?? '';
    const { code: refused, stderr: way } = await cli(['retry', name, '--region', 'us-east-1']);
    expect(way).toContain(`${name} still runs`);
    expect(way).toContain(`trowel kill ${name} --region us-east-1`);
    expect(refused).toBe(2);
    aws.denied.add('ecs:DescribeTasks');
    const { code, stderr } = await cli(['kill', 'hang']);
    aws.denied.clear();
    expect(stderr).toContain(`Stopped ${name}\n`);
    expect(stderr).toContain('do not allow ecs:DescribeTasks');
    expect(stderr).toContain('end by themselves');
    expect(code).toBe(4);
    expect(aws.executions.executions.get(arn)?.outcome?.status).toBe('ABORTED');
  });

  it('ends the executions that one waits for, too', async () => {
    aws.play = () => ({ answer: undefined });
    const { stdout } = await cli(['start', 'parent', '--session', '2033-01-01']);
    const child = 'arn:aws:states:us-east-1:123456789012:execution:shop-hang:hang-1988150400';
    const submitted = () => aws.executions.executions.get(child)?.events.some(({ type }) => type === 'TaskSubmitted');
    await expect.poll(submitted).toBe(true);
    const { stderr } = await cli(['kill', stdout.trim()]);
    expect(stderr).toMatch(/^Stopped parent-\S+, hang-1988150400, 1 container\n$/);
    expect(aws.executions.executions.get(child)?.outcome?.status).toBe('ABORTED');
  });
});

describe('trowel retry', () => {
  it('starts the same session with the same parameters; --resume names the whole chain', async () => {
    aws.play = () => ({ answer: { error: 'not yet' } });
    const one = await ran(['start', 'main', '-p', 'region=eu', '-p', 'n=1', '--session', '2032-05-06']);
    const two = await ran(['retry', 'main', '--resume']);
    const { stdout: listed } = await cli(['sessions', 'main', '--aws', '--limit', '1']);
    expect(listed).toContain(`${two}  main`);
    expect(listed).toContain(`failed (continues ${one})`);
    allSucceed();
    const three = await ran(['retry', two, '--resume', '-p', 'n=2']);
    expect((await cli(['log', three, '--aws'])).stderr).toContain(`continues ${two}`);
    const input = (name: string): unknown =>
      JSON.parse(
        aws.executions.executions.get(`arn:aws:states:us-east-1:123456789012:execution:shop-main:${name}`)?.input ?? '',
      );
    const session_time = '2032-05-06T00:00:00+00:00';
    expect(input(two)).toEqual({ session_time, params: { region: 'eu', n: '1' }, resume_from: [one] });
    expect(input(three)).toEqual({ session_time, params: { region: 'eu', n: '2' }, resume_from: [two, one] });
    const again = await cli(['retry', three, '--json']);
    expect(input(names(again.stdout)[0] ?? '')).toEqual({ session_time, params: { region: 'eu', n: '2' } });
    expect(await cli(['retry', three, '--resume'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`nothing to resume: ${three} succeeded`),
    });
  });
});
