import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { versionsFile, writeVersions } from '../../../lib/host/versions.ts';
import {
  type Environment,
  type PythonSettings,
  prepareEnvironment,
  readRequirements,
} from '../../../lib/python/environment.ts';
import { temporary } from '../local/temporary.ts';

/** A folder with a package that pip can install without a network. */
async function place(files: { readonly [path: string]: string } = {}) {
  const home = await temporary({
    'wheels/make.py': WHEEL,
    'project/main.dig': '',
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`project/${path}`, text])),
  });
  execFileSync('python3', [join(home, 'wheels/make.py'), join(home, 'wheels')]);
  const env = {
    ...process.env,
    XDG_CACHE_HOME: join(home, 'cache'),
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: join(home, 'wheels'),
  };
  const notices: string[] = [];
  const prepare = (python?: PythonSettings, more: NodeJS.ProcessEnv = {}): Promise<Environment> =>
    prepareEnvironment({
      project: join(home, 'project'),
      notice: (message) => notices.push(message),
      env: { ...env, ...more },
      ...(python === undefined ? {} : { python }),
    });
  return { home, notices, prepare, envs: join(home, 'cache/trowel/envs') };
}

/** Writes two wheels, little 1.0 and 2.0, by hand. */
const WHEEL = `
import sys, zipfile
for version in ("1.0", "2.0"):
    with zipfile.ZipFile(f"{sys.argv[1]}/little-{version}-py3-none-any.whl", "w") as z:
        info = f"little-{version}.dist-info"
        z.writestr("little.py", f"version = '{version}'\\n")
        z.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: little\\nVersion: {version}\\n")
        z.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: hand\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        z.writestr(f"{info}/RECORD", f"little.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
`;

function versionIn(environment: Environment): string {
  if (!environment.ok) throw new Error([environment.diagnostic.message, ...environment.diagnostic.notes].join('\n'));
  const [python = '', ...first] = environment.python;
  const code = 'import little; print(little.version)';
  return execFileSync(python, [...first, '-c', code], { env: environment.env, encoding: 'utf8' }).trim();
}

describe('without requirements', () => {
  it('takes python3 as it is', async () => {
    const { prepare, notices } = await place();
    expect(await prepare()).toMatchObject({ ok: true, python: ['python3'] });
    expect(await prepare({ requirements: { lines: ['# nothing', ''] } })).toMatchObject({ python: ['python3'] });
    expect(notices).toEqual([]);
  });

  it('takes the version asked for, or says what was looked for and what is there', async () => {
    const { home, prepare } = await place({});
    const bin = join(home, 'bin');
    execFileSync('mkdir', [bin]);
    for (const name of ['python3', 'python3.12']) symlinkSync('/bin/true', join(bin, name));
    expect(await prepare({ version: '3.12' }, { PATH: bin })).toMatchObject({ python: ['python3.12'] });
    expect(await prepare({ version: '3.10' }, { PATH: bin })).toMatchObject({
      ok: false,
      diagnostic: {
        code: 'python-version',
        message: 'There is no command python3.10 on PATH, and trowel.yml asks for Python 3.10',
        notes: ['On PATH there is: python3, python3.12.', expect.stringContaining('Install Python 3.10')],
      },
    });
    expect(await prepare({}, { PATH: '/nowhere' })).toMatchObject({
      diagnostic: { message: 'There is no command python3 on PATH' },
    });
  });
});

describe('with requirements', () => {
  it('makes an environment once, in the cache, also for two at once; a remnant anew; another when a file changes', async () => {
    const { home, notices, prepare, envs } = await place({
      'requirements.txt': '# c\nlittle\n',
      'limits.txt': 'little<2\n',
    });
    const before = readdirSync(join(home, 'project'));
    const settings = { requirements: { file: 'requirements.txt' }, constraints: 'limits.txt' };
    const [first, other] = await Promise.all([prepare(settings), prepare(settings)]);
    expect(first).toEqual(other);
    expect(versionIn(first)).toBe('1.0');
    expect(first.ok && first.env.PATH?.startsWith(join(first.folder ?? '', 'bin'))).toBe(true);
    expect(notices.filter((text) => text.startsWith('Preparing'))).toEqual([
      expect.stringMatching(/^Preparing a Python environment for requirements\.txt/),
    ]);
    expect(notices).toContainEqual(expect.stringMatching(/^Waiting for process/));
    expect(notices).toContainEqual(expect.stringMatching(/^The Python environment is ready after/));

    notices.length = 0;
    expect(await prepare(settings)).toEqual(first);
    expect(notices).toEqual([]);

    rmSync(join((first.ok && first.folder) || '', 'trowel.json'));
    expect(versionIn(await prepare(settings))).toBe('1.0');
    expect(notices[0]).toMatch(/^Preparing/);

    writeFileSync(join(home, 'project/limits.txt'), 'little<3\n');
    // Other versions are installed where those decided before cannot be had.
    const requirements = readRequirements({ project: join(home, 'project'), python: settings });
    if ('diagnostic' in requirements) throw new Error(requirements.diagnostic.message);
    const decided = versionsFile({ XDG_CACHE_HOME: join(home, 'cache') }, requirements.content);
    await writeVersions(decided, new Map([['little', '3.0']]));
    expect(versionIn(await prepare(settings))).toBe('2.0');
    expect(notices.filter((text) => text.endsWith('for AWS: little 2.0 here, 3.0 before'))).toHaveLength(1);
    expect(readdirSync(envs).filter((name) => !name.endsWith('.lock'))).toHaveLength(2);
    expect(readdirSync(join(home, 'project'))).toEqual(before);
  });

  it("shows pip's last lines and the way out, and leaves nothing", async () => {
    // Its name is no word of a connection that failed.
    const { prepare, envs } = await place({ 'requirements.txt': 'networkx==0' });
    const failed = await prepare({ requirements: { file: 'requirements.txt' } });
    expect(failed).toMatchObject({
      ok: false,
      diagnostic: {
        code: 'python-requirements',
        message: expect.stringMatching(/could not install requirements\.txt/),
        notes: [
          expect.stringContaining('networkx==0'),
          'The package index has no package networkx: correct its name in requirements.txt, then run again.',
        ],
      },
    });
    expect(existsSync(envs) ? readdirSync(envs) : []).toEqual([]);
  });

  it('says which file it misses', async () => {
    const { prepare } = await place({ 'requirements.txt': '-r more.txt' });
    expect(await prepare({ requirements: { file: 'requirements.txt' } })).toMatchObject({
      diagnostic: { code: 'python-requirements', message: expect.stringContaining('more.txt') },
    });
  });
});
