import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../lib/asl/types.ts';
import type { Payload } from '../../../../lib/contract/payload.ts';
import type { RunEvent } from '../../../../lib/events/run-event.ts';
import { evaluate } from '../../../../lib/functions/evaluate/core.ts';
import type { LocalFunction } from '../../../../lib/local/functions/invoke.ts';
import { lastUnsuccessful, readAttempt } from '../../../../lib/local/history/attempts.ts';
import { readEvents } from '../../../../lib/local/history/events.ts';
import type { Run } from '../../../../lib/local/run/run.ts';
import type { Runnable } from '../../../../lib/local/run/run-options.ts';
import { SecretStore } from '../../../../lib/local/secrets.ts';
import { parallel, sequence, sessionState, type TestTask } from '../machines.ts';
import { eventually, isRunning, runIn, sessionFunction } from '../project.ts';
import { temporary } from '../temporary.ts';

const sh = (name: string, script: string, keys = {}): TestTask => ({
  name,
  op: 'sh',
  keys: { 'sh>': script, _command: script, ...keys },
});
const py = (name: string, command: string, keys = {}): TestTask => ({
  name,
  op: 'py',
  keys: { 'py>': command, _command: command, ...keys },
});

const TASKS = `
import digdag, os
def store(**kw):
    digdag.env.store({k: v for k, v in kw.items() if k in ("x", "y")})
def count(n):
    print("n is", n)
    digdag.env.store(n=n + 1, big=list(range(20000)))
def boom():
    raise ValueError("it broke")
`;

describe('a run', () => {
  it('runs tasks, hands stores on, and tells everything', async () => {
    const project = await temporary({ 'tasks.py': TASKS });
    const ran = await runIn(
      project,
      sequence([py('+main+a', 'tasks.count', { n: 1 }), sh('+main+b', 'echo "b sees ${n}"')]),
    );
    expect(ran.result).toMatchObject({ status: 'succeeded' });
    expect(ran.story).toEqual(['started +main+a', 'succeeded +main+a', 'started +main+b', 'succeeded +main+b']);
    expect(ran.output('+main+a')).toBe('n is 1\n');
    expect(ran.output('+main+b')).toBe('b sees 2\n');
    expect(ran.events[0]).toMatchObject({ type: 'run-started', workflow: 'main', attempt: 1, session: 1 });
    expect(ran.events.at(-1)).toMatchObject({ type: 'run-ended', status: 'succeeded' });
    const { directory = '' } = ran.result;
    expect(readFileSync(join(directory, 'logs', '+main+b.log'), 'utf8')).toBe('b sees 2\n');
    expect(JSON.parse(readFileSync(join(directory, 'definition.json'), 'utf8'))).toHaveProperty('StartAt');
    expect(readAttempt(directory)).toMatchObject({ status: 'succeeded', attempt: 1, session: 1 });
    const kept: RunEvent[] = [];
    for await (const event of readEvents(directory)) kept.push(event);
    expect(kept).toEqual(ran.events);
  });

  it('lets a task take longer than the silence that its state bears', async () => {
    const compiled = sequence([sh('+main+a', 'sleep 3')]);
    Object.assign(compiled.machine.States['+main+a'] ?? {}, { HeartbeatSeconds: 2 });
    const ran = await runIn(await temporary({}), compiled);
    expect(ran.story).toEqual(['started +main+a', 'succeeded +main+a']);
  });

  it('says that a task with a second container needs a deploy', async () => {
    const beside = sh('+main+a', 'true', { _beside: { image: 'db:1' } });
    const ran = await runIn(await temporary({}), sequence([beside]));
    expect(ran.result).toMatchObject({ status: 'failed', error: 'Trowel.BadInput' });
    expect(ran.events.find(({ type }) => type === 'task-failed')).toMatchObject({
      message: expect.stringMatching(/^This task needs a second container \(db:1\).*trowel start/),
    });
  });

  it('tells a failure with its message, traceback and log', async () => {
    const project = await temporary({ 'tasks.py': TASKS });
    const ran = await runIn(
      project,
      sequence([sh('+main+a', 'true'), py('+main+b', 'tasks.boom'), sh('+main+c', 'true')]),
    );
    expect(ran.result).toMatchObject({ status: 'failed', error: 'Trowel.TaskFailed' });
    expect(ran.story.at(-1)).toBe('failed +main+b');
    const failed = ran.events.find((event) => event.type === 'task-failed');
    expect(failed).toMatchObject({
      message: expect.stringContaining('it broke'),
      log: join(ran.result.directory ?? '', 'logs', '+main+b.log'),
    });
  });

  it('keeps nothing when told so', async () => {
    const project = await temporary();
    const ran = await runIn(project, sequence([sh('+main+a', 'echo hello')]), { keep: false });
    expect(ran.result).toEqual({ status: 'succeeded' });
    expect(ran.events[0]).toMatchObject({ directory: '' });
    expect(existsSync(join(project, '.trowel'))).toBe(false);
  });

  it('runs many tasks at once', async () => {
    const project = await temporary();
    // Each waits for all the others.
    const wait = 'mktemp here.XXXXXX; while [ $(ls here.* | wc -l) -lt 30 ]; do sleep 0.1; done';
    const tasks = Array.from({ length: 30 }, (_, i) => sh(`+main+t${i}`, wait));
    expect((await runIn(project, parallel(tasks))).result.status).toBe('succeeded');
  });

  it('runs no more at once than it was told', async () => {
    const project = await temporary();
    const script = 'echo start >> log; sleep 0.05; echo end >> log';
    const tasks = Array.from({ length: 4 }, (_, i) => sh(`+main+t${i}`, script));
    await runIn(project, parallel(tasks), { host: { maxTasks: 1 } });
    expect(readFileSync(join(project, 'log'), 'utf8')).toBe('start\nend\n'.repeat(4));
  });

  it('fails one of several, and the others go on', async () => {
    const project = await temporary();
    const ran = await runIn(project, parallel([sh('+main+a', 'exit 3'), sh('+main+b', 'sleep 0.1; touch b')]));
    expect(ran.result.status).toBe('failed');
    expect(ran.story).toContain('succeeded +main+b');
    expect(existsSync(join(project, 'b'))).toBe(true);
  });

  it('retries, and says so', async () => {
    const project = await temporary();
    const retry = [{ ErrorEquals: ['Trowel.TaskFailed'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }];
    const ran = await runIn(project, sequence([{ ...sh('+main+a', 'test -e x || { touch x; exit 1; }'), retry }]));
    expect(ran.story).toEqual(['started +main+a', 'retrying +main+a', 'started +main+a', 'succeeded +main+a']);
  });

  it('says that Python is missing, and that no retry helps', async () => {
    const project = await temporary();
    const ran = await runIn(project, sequence([sh('+main+a', 'true')]), { host: { env: { PATH: '/nowhere' } } });
    expect(ran.result).toMatchObject({
      status: 'failed',
      error: 'Trowel.Environment',
      message: expect.stringContaining('python3'),
    });
  });
});

describe('what a run reaches beside Python', () => {
  const required = sequence([sh('+other+x', 'echo "${session_date} ${p} ${n}" >> ran')], 'other');

  function requiring(): Runnable {
    const compiled = sequence([]);
    const start = {
      Type: 'Task',
      Resource: 'arn:aws:states:::states:startExecution.sync:2',
      Arguments: {
        StateMachineArn: '${sm_other}',
        Name: 'other-1',
        Input: { session_time: '2031-05-06T00:00:00+00:00', params: { p: 'given', n: 1 } },
      },
      Output: {},
      Next: 'after',
      Catch: [{ ErrorEquals: ['States.ALL'], Assign: { f0: '{% $states.errorOutput %}' }, Next: 'Failed' }],
    } as const;
    const after = sequence([sh('after', 'test -e mended')]).machine.States;
    const { machine } = compiled;
    const States = { ...machine.States, ...after, Start: sessionState('main', 'req'), req: start };
    const tasks = { req: { operator: 'require', task: '+main+req' }, after: { operator: 'sh', task: '+main+after' } };
    return { ...compiled, machine: { ...machine, States }, tasks };
  }

  it('a workflow that require> names runs in its own session, and is not repeated', async () => {
    const project = await temporary();
    const options = { required: async (name: string) => (name === 'other' ? required : undefined) };
    const first = await runIn(project, requiring(), options);
    expect(first.result.status).toBe('failed');
    expect(first.story).toEqual([
      'started +main+req',
      'started +other+x',
      'succeeded +other+x',
      'succeeded +main+req',
      'started +main+after',
      'failed +main+after',
    ]);
    writeFileSync(join(project, 'mended'), '');
    const resume = lastUnsuccessful(join(project, '.trowel'), 'main');
    const second = await runIn(project, requiring(), { ...options, ...(resume && { resume }) });
    expect(second.result.status).toBe('succeeded');
    expect(second.story).toContain('succeeded again +other+x');
    expect(readFileSync(join(project, 'ran'), 'utf8')).toBe('2031-05-06 given 1\n');
  });

  it('a workflow that is not there', async () => {
    const ran = await runIn(await temporary(), requiring(), { required: async () => undefined });
    expect(ran.result).toMatchObject({ status: 'failed', message: "There is no workflow 'other' in this project" });
  });

  it('tasks that a Python task adds, their templates and other operators', async () => {
    const code = `
import digdag
def main():
    digdag.env.add_subtask({"sh>": "echo sub $\{who}", "_export": {"who": "$\{region}!"}})
    digdag.env.add_subtask({"http>": "http://$\{region}"})
`.replaceAll('\\', '');
    const project = await temporary({ 'tasks.py': code });
    const asked: unknown[] = [];
    const http = async (payload: unknown) => {
      asked.push((payload as Payload).k);
      return { stored: { status: 200 } };
    };
    const evaluated: LocalFunction = async (payload) =>
      (await evaluate(payload as unknown as Payload)) as unknown as Json;
    const functions = () => ({ session: sessionFunction, evaluate: evaluated, http });
    const tasks = [py('+main+a', 'tasks.main'), sh('+main+b', 'echo ${status}')];
    const ran = await runIn(project, sequence(tasks), { functions, params: { region: 'eu' } });
    expect(ran.result.message).toBeUndefined();
    expect(ran.story).toContain('succeeded +main+a^sub+subtask0');
    expect(ran.output('+main+a^sub+subtask0')).toBe('sub eu!\n');
    expect(asked).toMatchObject([{ 'http>': expect.stringContaining('http://') }]);
    expect(ran.output('+main+b')).toBe('200\n');
  });
});

describe('secrets', () => {
  it('reach the task that names them, and are hidden everywhere', async () => {
    const project = await temporary();
    const secrets = new SecretStore(project, { XDG_CONFIG_HOME: join(project, 'config') });
    await secrets.set({ key1: 'top-s3cret', other: 'never-given' });
    const task = sh('+main+a', 'echo "got $K"; echo "$K" > seen; exit 1', { _env: { K: '${secret:key1}' } });
    const ran = await runIn(project, sequence([task]), { secrets });
    expect(readFileSync(join(project, 'seen'), 'utf8')).toBe('top-s3cret\n');
    expect(ran.output('+main+a')).toBe('got ***\n');
    expect(JSON.stringify(ran.events)).not.toContain('s3cret');
    const { directory = '' } = ran.result;
    for (const file of ['events.jsonl', 'definition.json', 'meta.json', 'logs/+main+a.log']) {
      expect(readFileSync(join(directory, file), 'utf8')).not.toContain('s3cret');
    }
  });

  it('that are missing fail the task with the command that sets them', async () => {
    const project = await temporary();
    const secretCommand = (key: string) => `trowel secrets --local --set ${key}=...`;
    const task = sh('+main+a', 'true', { _env: { K: '${secret:key1}' } });
    const ran = await runIn(project, sequence([task]), { secretCommand });
    expect(ran.result).toMatchObject({ error: 'Trowel.Secret', message: expect.stringContaining('--set key1=...') });
  });
});

describe('stopping', () => {
  // $$$$ in a template is $$ for the shell.
  const stubborn = 'trap "" TERM; echo $$$$ > pid; (trap "" TERM; exec sleep 60) & echo $! > pid2; sleep 60; sleep 60';

  async function pids(project: string): Promise<number[]> {
    // A shell makes a file before it writes into it.
    const written = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    const files = ['pid', 'pid2'].map((name) => join(project, name));
    await eventually(() => files.every((file) => written(file).endsWith('\n')));
    const found = files.map((file) => Number(written(file)));
    for (const pid of found) expect(pid).toBeGreaterThan(1);
    return found;
  }

  it('on interruption ends the whole process tree', async () => {
    const project = await temporary();
    const stop = new AbortController();
    const script = 'sleep 60 & echo $! > pid2; echo $$$$ > pid; wait';
    const running = runIn(project, sequence([sh('+main+a', script), sh('+main+b', 'true')]), { signal: stop.signal });
    const all = await pids(project);
    stop.abort();
    const ran = await running;
    expect(ran.result.status).toBe('interrupted');
    expect(ran.story).not.toContain('started +main+b');
    for (const pid of all) expect(await isRunning(pid)).toBe(false);
    expect(readAttempt(ran.result.directory ?? '')?.status).toBe('interrupted');
  });

  it('after the _timeout ends it too, whatever it does against that', async () => {
    const project = await temporary();
    const ran = await runIn(project, sequence([sh('+main+a', stubborn, { _timeout: 1 })]));
    expect(ran.result).toMatchObject({ status: 'failed', error: 'Trowel.TaskTimeout' });
    for (const pid of await pids(project)) expect(await eventually(async () => !(await isRunning(pid)))).toBe(true);
  });

  it('kills at once when asked twice', async () => {
    const project = await temporary();
    let kill = (): void => {};
    const onRun = (run: Run): void => {
      kill = () => run.kill();
    };
    const running = runIn(project, sequence([sh('+main+a', stubborn)]), { onRun });
    const all = await pids(project);
    kill();
    expect((await running).result.status).toBe('interrupted');
    for (const pid of all) expect(await eventually(async () => !(await isRunning(pid)))).toBe(true);
  });
});

describe('resuming', () => {
  it('runs only what failed and what follows', async () => {
    const project = await temporary({ 'tasks.py': TASKS });
    const tasks = [
      py('+main+a', 'tasks.count', { n: 1 }),
      sh('+main+b', 'echo b >> ran; test -e mended'),
      sh('+main+c', 'echo "c sees ${n}, attempt ${attempt_id}" >> ran'),
    ];
    const first = await runIn(project, sequence(tasks), { params: { p: 'kept' } });
    expect(first.result.status).toBe('failed');
    writeFileSync(join(project, 'mended'), '');
    const resume = lastUnsuccessful(join(project, '.trowel'), 'main');
    const second = await runIn(project, sequence(tasks), { ...(resume && { resume }) });
    expect(second.result.status).toBe('succeeded');
    expect(second.story).toEqual([
      'started +main+a',
      'succeeded again +main+a',
      'started +main+b',
      'succeeded +main+b',
      'started +main+c',
      'succeeded +main+c',
    ]);
    expect(second.events[0]).toMatchObject({ attempt: 2, session: 1, resumes: 1 });
    expect(readFileSync(join(project, 'ran'), 'utf8')).toBe('b\nb\nc sees 2, attempt 2\n');
  });

  it('sends a request once', async () => {
    const project = await temporary();
    let sent = 0;
    const http = async (payload: unknown) => {
      sent += 1;
      return { s: { ...(payload as { l: object[] }).l[0], status: 200 } };
    };
    const tasks: TestTask[] = [
      { name: '+main+h', op: 'http', keys: { 'http>': 'x' } },
      sh('+main+b', 'test -e mended # ${status}'),
    ];
    const functions = () => ({ session: sessionFunction, http });
    expect((await runIn(project, sequence(tasks), { functions })).result.status).toBe('failed');
    writeFileSync(join(project, 'mended'), '');
    const resume = lastUnsuccessful(join(project, '.trowel'), 'main');
    const second = await runIn(project, sequence(tasks), { functions, ...(resume && { resume }) });
    expect(second.result.status).toBe('succeeded');
    expect(second.story).toContain('succeeded again +main+h');
    expect(sent).toBe(1);
  });
});
