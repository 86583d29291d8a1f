import { describe, expect, it } from 'vitest';
import { project, trowel } from '../run-cli.ts';

const MACHINE = {
  QueryLanguage: 'JSONata',
  StartAt: 'Fetch',
  States: {
    Fetch: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { FunctionName: 'fetch', Payload: '{% $states.input %}' },
      Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 600, MaxAttempts: 2 }],
      Output: '{% $states.result.n + 1 %}',
      Next: 'Pause',
    },
    Pause: { Type: 'Wait', Seconds: 3600, End: true },
  },
};

const files = {
  'machine.json': JSON.stringify(MACHINE),
  'in.json': '{"n": 3}',
  'ok.json': '[{"Throw": {"Error": "Busy"}}, {"Return": {"n": 41}}]',
  'bad.json': '[{"Throw": {"Error": "Broken", "Cause": "for good"}}]',
};

describe('trowel asl run', () => {
  it('prints what a machine comes to', async () => {
    const args = ['asl', 'run', 'machine.json', '--input', '@in.json', '--mock', 'Fetch=ok.json', '--skip-waits'];
    const { code, stdout, stderr } = await trowel(args, { cwd: await project(files) });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ status: 'SUCCEEDED', output: 42 });
    expect(code).toBe(0);
  });

  it('prints error and cause, after the events if asked', async () => {
    const args = ['asl', 'run', 'machine.json', '-i', '{}', '-m', 'Fetch=bad.json', '--events'];
    const { code, stdout } = await trowel(args, { cwd: await project(files) });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ id: 1, type: 'ExecutionStarted' });
    expect(lines.at(-1)).toEqual({ status: 'FAILED', error: 'Broken', cause: 'for good' });
    expect(code).toBe(1);
  });

  it.each([
    [['nofile.json'], 2, 'cannot read nofile.json: no such file'],
    [['machine.json', '--input', '{'], 2, '--input is not JSON'],
    [['machine.json', '--mock', 'Fetch'], 2, 'expected STATE=FILE'],
    [['machine.json', '--mock', 'Fetsch=ok.json'], 2, 'no such state'],
    [['machine.json', '--mock', 'Fetch=in.json'], 2, 'in.json: expected a JSON array'],
    [['in.json'], 1, 'in.json is not a state machine that can run here\n'],
    [['path.json'], 1, '/States/A'],
  ])('refuses %j', async (args, exit, message) => {
    const path = { StartAt: 'A', States: { A: { Type: 'Pass', InputPath: '$.x', End: true } } };
    const cwd = await project({ ...files, 'path.json': JSON.stringify(path) });
    const { code, stdout, stderr } = await trowel(['asl', 'run', ...args], { cwd });
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
  });
});
