/** Covers lib/cli/main.ts, lib/cli/commands/index.ts. */
import { describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { project, trowel } from './run-cli.ts';

describe('the command line', () => {
  it.each([['--version'], ['-V'], ['version']])('answers %s', async (flag) => {
    expect(await trowel([flag])).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  it.each([
    [['--help'], 0],
    [['help', 'run'], 0],
    [['run', '--help'], 0],
    [['asl', 'run', '--help'], 0],
    [[], 2],
    [['asl'], 2],
  ])('%j shows help', async (args, code) => {
    const result = await trowel(args);
    expect(result.code).toBe(code);
    expect(code === 0 ? result.stdout : result.stderr).toContain('Usage: trowel');
    expect(code === 0 ? result.stderr : result.stdout).toBe('');
  });

  it.each([
    [['chekc'], "unknown command 'chekc'\n(Did you mean check?)"],
    [['run', '--sesion', 'daily'], "unknown option '--sesion'\n(Did you mean --session?)"],
    [['run', 'a', '+b', 'c'], 'too many arguments'],
    [['run', '-p', 'novalue'], 'expected KEY=VALUE'],
    [['run', '-s', '+a', '-g', '+b'], "'-s, --start <task>' cannot be used with option '-g, --goal <task>'"],
    [['run', '-g', '+a', '-e', '+b'], 'cannot be used with'],
    [['run', '-a', '-s', '+b'], 'cannot be used with'],
    [['run', '-a', '-g', '+b'], 'cannot be used with'],
    [['run', '--max-task-threads', '0'], 'Expected a whole number above 0'],
    [['run', '--project', 'nowhere'], '--project nowhere: no such folder'],
    [['run', '-P', 'nofile.yml', 'main'], 'cannot read nofile.yml: no such file'],
    [['check', '--format', 'xml'], 'Allowed choices are text, json, github'],
    [['schema', 'toml'], 'Allowed choices are dig, trowel'],
    [['log'], 'no attempt is recorded'],
    [['secrets', '--list'], 'Say one of --local'],
  ])('%j is a usage error', async (args, message) => {
    const cwd = await project({ 'main.dig': '+a:\n  echo>: hello\n' });
    const { code, stdout, stderr } = await trowel(args, { cwd });
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('suggests another workflow for one that is not there', async () => {
    const cwd = await project({ 'main.dig': '+a:\n  echo>: hello\n' });
    const { code, stderr } = await trowel(['run', 'mian'], { cwd });
    expect(stderr).toBe("error: workflow 'mian' does not exist\n  Did you mean 'main'?\n  There is main.dig\n");
    expect(code).toBe(1);
  });

  it('says where two workflows are', async () => {
    const cwd = await project({ 'a.dig': '+a:\n  echo>: hello\n', 'b.dig': '+a:\n  echo>: hello\n' });
    const { code, stderr } = await trowel(['run'], { cwd });
    expect(stderr).toBe('error: which workflow?\n  There are a.dig, b.dig\n');
    expect(code).toBe(2);
  });
});
