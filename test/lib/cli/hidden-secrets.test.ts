/** Nothing that is kept or printed shows a secret. Covers lib/local/run/run-secrets.ts, lib/expression/mask.ts, lib/cli/actions/run.ts. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { project, type Result, trowel } from './run-cli.ts';

/** Of signs that are escaped somewhere, with a word at both ends: `ZQX` in a text is a piece of it. */
const SECRET = `ZQXa/b+c&d"<e'éZQX`;
const MAIN = `
+login:
  py>: t.login
  _env: {TOKEN: "\${secret:token}"}
+loop:
  for_each>: {header: ["\${header}"]}
  _do: {echo>: "item \${header}"}
+g:
  _parallel: true
  +use: {py>: t.use}
  +subtask: {py>: t.sub}
  +sh: {sh>: 'echo "$header"; echo "\${encodeURIComponent(header)}"; exit 3'}
  +web:
    http>: "http://127.0.0.1:1/\${encodeURIComponent(header)}"
    retry: false
    _error: {echo>: "handled \${error.message}"}
  +fail: {fail>: "\${'-'.repeat(190)}\${header}"}
  +thrown: {echo>: "\${(() => { throw new Error(header) })()}"}
  +type: {if>: "\${header}", _do: {echo>: x}}
  +file: {"mail>": "\${header}.txt", to: a@b.c, from: a@b.c, subject: x, host: 127.0.0.1}
`;
const CODE = `
import base64, html, os, sys, urllib.parse

import digdag

def login():
    digdag.env.store(header="Bearer " + os.environ["TOKEN"], large={"x": ["y" * 20_000, os.environ["TOKEN"]]})

def use(header, large):
    print(header, repr(header), ascii(header), header.encode(), large["x"][1])
    print(urllib.parse.quote(header), html.escape(header), base64.b64encode(header.encode()).decode())
    sys.stdout.write("-" * 65_530 + header + "\\n")
    raise ValueError("-" * 5_320 + header + "-" * 20_000)

def sub(header):
    digdag.env.add_subtask(inner, text=header)

def inner(text):
    raise RuntimeError(text)
`;

/** Files of the history by their paths, and those of which others than the owner have a right. */
function history(cwd: string): { texts: [string, string][]; open: string[] } {
  const folder = join(cwd, '.trowel');
  const paths = ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })];
  const open = paths.filter((path) => (statSync(join(folder, path)).mode & 0o077) !== 0);
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return { texts: files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]), open };
}

const isStored = (path: string): boolean => /\/(values|results)\//.test(path);

describe('a secret that a run has used', () => {
  let cwd = '';
  const env = { XDG_CONFIG_HOME: '' };
  const run = (...more: string[]): Promise<Result> => trowel(['run', 'main', ...more], { cwd, env });
  const set = (value: string): Promise<Result> =>
    trowel(['secrets', '--local', '--set', 'token=-'], { cwd, env, stdin: value });

  beforeAll(async () => {
    cwd = await project({ 'main.dig': MAIN, 't.py': CODE });
    env.XDG_CONFIG_HOME = join(cwd, 'config');
    await set(SECRET);
  });

  const nowhere = ({ stdout, stderr }: Result): void => {
    expect(`${stdout}\n${stderr}`).toContain('***');
    const { texts, open } = history(cwd);
    const all = [...texts.filter(([path]) => !isStored(path)), ['output', `${stdout}\n${stderr}`]];
    expect(all.flatMap(([path, text]) => (/ZQ|QX/.test(`${path} ${text}`) ? [path] : []))).toEqual([]);
    expect(open).toEqual([]);
  };

  it('is nowhere in what is printed and kept but in stored values, and all of it is its owner’s only', async () => {
    const ran = await run();
    expect(ran.stderr).toContain('ok      +main+loop^sub+for-0=header=0=Bearer%20*  ');
    expect(ran.stdout).toContain('item Bearer ***\n');
    expect(ran.stdout).toContain("Bearer *** 'Bearer ***' 'Bearer ***' b'Bearer ***' ***\n");
    nowhere(ran);
    expect(history(cwd).texts.some(([path, text]) => isStored(path) && text.includes('ZQXa'))).toBe(true);
  });

  it('nor in a resumed run that does not read it, in its events, and in what shows them', async () => {
    const resumed = await run('--resume', '--json');
    const told = resumed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(told).toContainEqual(
      expect.objectContaining({ type: 'task-succeeded', task: '+main+login', replayed: true }),
    );
    nowhere(resumed);
    for (const args of [['log', '2'], ['sessions']]) {
      const { stdout, stderr, code } = await trowel(args, { cwd, env });
      expect([code, /ZQ|QX/.test(stdout + stderr)], stderr).toEqual([0, false]);
    }
  });

  it('is read anew where it has changed', async () => {
    await set('another-ZQX-value');
    const resumed = await run('--resume');
    expect(resumed.stderr).toContain('ok      +main+login');
    expect(resumed.stderr).not.toContain('kept    +main+login');
    nowhere(resumed);
  });
});
