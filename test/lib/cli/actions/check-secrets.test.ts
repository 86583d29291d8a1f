import { join } from 'node:path';
import { expect, it } from 'vitest';
import { project, trowel } from '../run-cli.ts';

it('warns of each secret that is named and not set, where it is named first', async () => {
  const main = `_secrets: {db: {password: other.key}}
+a:
  sh>: "echo \${secret:one} \${secret:one}"
  _env: {A: "\${secret:two}", B: "\${secret:db.password}", C: "\${secret:\${x}.y}"}
+b: {slack>: done}
+c: {echo>: hi, _error: {http>: "http://localhost/\${secret:three}"}}
`;
  const cwd = await project({ 'main.dig': main, 'trowel.yml': 'params: p.yml\n', 'p.yml': 'x: 1\n' });
  const home = await project();
  const env = { HOME: home, XDG_CONFIG_HOME: join(home, 'config') };
  const found = async () => {
    const { stdout } = await trowel(['check', '--format', 'json'], { cwd, env });
    const all = JSON.parse(stdout) as readonly { code: string; line: number; message: string }[];
    return all.filter(({ code }) => code === 'secret-missing').map(({ line, message }) => `${line} ${message}`);
  };
  expect(await found()).toEqual([
    '3 The secret one is not set here',
    '4 The secret two is not set here',
    '4 The secret other.key is not set here',
    '5 The secret slack.webhook is not set here',
    '6 The secret three is not set here',
  ]);
  const set = ['one', 'two', 'other.key', 'slack.webhook'].flatMap((key) => ['--set', `${key}=x`]);
  await trowel(['secrets', '--local', ...set], { cwd, env });
  expect(await found()).toEqual(['6 The secret three is not set here']);
});
