import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SecretStore } from '../../../../lib/local/secrets.ts';
import { cleanEnv, project, trowel } from '../run-cli.ts';

async function sandbox(files: { [path: string]: string } = {}) {
  const cwd = await project({ 'main.dig': '+a:\n  echo>: x\n', ...files });
  const env = cleanEnv(await project());
  return {
    secrets: (args: string[], stdin?: string) =>
      trowel(['secrets', '--local', ...args], { cwd, env, ...(stdin !== undefined && { stdin }) }),
    value: (key: string) => new SecretStore(cwd, env).get(key),
    env,
  };
}

describe('trowel secrets --local', () => {
  it.each([
    ['k=hidden', 'k', 'hidden', undefined],
    ['k=a=b', 'k', 'a=b', undefined],
    ['k=@key.pem', 'k', 'BEGIN\nEND\n', undefined],
    ['k=-', 'k', 'typed', 'typed\n'],
    ['@more.yml', 'slack.url', 'https://x', undefined],
    ['@-', 'a.b', '987654', '{"a": {"b": 987654}}'],
  ])('--set %s', async (item, key, value, stdin) => {
    const box = await sandbox({ 'key.pem': 'BEGIN\nEND\n', 'more.yml': 'slack:\n  url: https://x\n' });
    const { code, stdout, stderr } = await box.secrets(['--set', item], stdin);
    expect(stderr).toMatch(new RegExp(`^Set ${key.replace('.', '\\.')} for the project`));
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(await box.value(key)).toBe(value);
    for (const text of [stdout, stderr]) expect(text).not.toContain(value);
  });

  it('lists names and deletes', async () => {
    const box = await sandbox();
    await box.secrets(['--set', 'b=hidden1', 'a=hidden2']);
    expect(await box.secrets(['--list'])).toMatchObject({ code: 0, stdout: 'a\nb\n' });
    expect(await box.secrets([])).toMatchObject({ code: 0, stdout: 'a\nb\n' });
    expect(await box.secrets(['--delete', 'a', 'zz'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no secret zz'),
    });
    expect(await box.secrets([])).toMatchObject({ stdout: 'b\n' });
    const folder = join(box.env.XDG_CONFIG_HOME ?? '', 'trowel', 'secrets');
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  it.each([
    [['--set', 'k'], 'no terminal to ask for k'],
    [['--set', '=v'], 'a secret needs a name'],
    [['--set', 'k=@none'], 'cannot read none: no such file'],
    [['--set', '@bad.yml'], 'bad.yml:1:'],
    [['--set', '@list.yml'], 'a: expected a text'],
    [['--set', 'a=b', '--list'], 'do not go together'],
  ])('refuses %j', async (args, message) => {
    const box = await sandbox({ 'bad.yml': 'a: "hidden', 'list.yml': 'a: [hidden]' });
    const { code, stderr } = await box.secrets(args);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('hidden');
    expect(code).toBe(2);
  });
});
