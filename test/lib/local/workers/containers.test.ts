/**
 * No container engine runs where these tests do: `fake-engine.sh` stands for docker on PATH. It proves which commands are given, that the
 * runner's protocol goes through the engine's pipes, and what happens when it ends; not that a real engine does what they say.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pythonPackageFolder } from '../../../../lib/host/package-folder.ts';
import type { Mapping } from '../../../../lib/language/workflow.ts';
import type { ContainerUse } from '../../../../lib/local/workers/containers.ts';
import { parallel, sequence, type TestTask } from '../machines.ts';
import { type Ran, runIn } from '../project.ts';
import { temporary } from '../temporary.ts';

const IMAGE = 'python:3.11-slim';
const TASKS = `
import digdag, os
def where(**kw):
    print("in", os.environ.get("FAKE_IMAGE", "no container"), os.getcwd(), os.environ.get("GREETING"), os.environ.get("HOST_ONLY"))
    digdag.env.store({"big": list(range(20000))})
def read(big):
    print(len(big), "in", os.environ.get("FAKE_IMAGE", "no container"))
`;

const py = (name: string, docker?: Mapping, keys: Mapping = {}, command = 'tasks.where'): TestTask => ({
  name,
  op: 'py',
  keys: { 'py>': command, _command: command, ...keys, ...(docker === undefined ? {} : { docker }) },
});

interface Setting {
  readonly containers: ContainerUse;
  /** Names under which the engine is on PATH. */
  readonly engines?: readonly string[];
}

interface Contained {
  readonly ran: Ran;
  readonly project: string;
  readonly notices: readonly string[];
  /** Commands that the engine was given. */
  readonly commands: readonly string[];
}

async function run(
  tasks: Parameters<typeof runIn>[1],
  { containers, engines = ['docker'] }: Setting,
): Promise<Contained> {
  const project = await temporary({ 'tasks.py': TASKS });
  const bin = await temporary();
  // Nothing else is on PATH: this machine may have an engine.
  const where = 'command -v env; command -v cat; python3 -c "import sys; print(sys.executable)"';
  const programs = execFileSync('sh', ['-c', where], { encoding: 'utf8' }).trim().split('\n');
  const names = ['env', 'cat', 'python3'];
  for (const [at, program] of programs.entries()) await symlink(program, join(bin, names[at] ?? ''));
  for (const engine of engines) {
    await copyFile(join(import.meta.dirname, 'fake-engine.sh'), join(bin, engine));
    await chmod(join(bin, engine), 0o755);
  }
  const log = join(bin, 'log');
  const env = { ...process.env, PATH: bin, FAKE_ENGINE_LOG: log, HOST_ONLY: 'leaked' };
  const ran = await runIn(project, tasks, { host: { containers, env } });
  const notices = ran.events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
  const commands = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  return { ran, project, notices, commands };
}

describe('containers', () => {
  it.each<Setting>([{ containers: 'never' }, { containers: 'debug' }, { containers: 'auto', engines: [] }])(
    'with $containers and $engines tasks run in the Python here, and one notice says so',
    async (setting) => {
      const machine = sequence([py('+main+a', { image: IMAGE }), py('+main+b', { image: 'another' }), py('+main+c')]);
      const { ran, notices, commands } = await run(machine, setting);
      expect(ran.result).toMatchObject({ status: 'succeeded' });
      expect(ran.output('+main+a')).toContain('in no container');
      expect(notices).toEqual([expect.stringContaining(`The image ${IMAGE} is not used`)]);
      expect(commands).toEqual([]);
    },
  );

  it('run tasks in their image, in one container for each, with the project and the runner mounted', async () => {
    const machine = sequence([
      py('+main+a', { image: IMAGE }, { _env: { GREETING: 'hello' } }),
      py('+main+b', undefined, {}, 'tasks.read'),
      py('+main+c', { image: IMAGE }, {}, 'tasks.read'),
    ]);
    const { ran, project, notices, commands } = await run(machine, { containers: 'auto' });
    expect(ran.result).toMatchObject({ status: 'succeeded' });
    expect(ran.output('+main+a')).toBe(`in ${IMAGE} ${project} hello None\n`);
    expect(ran.output('+main+b')).toBe('20000 in no container\n');
    expect(ran.output('+main+c')).toBe(`20000 in ${IMAGE}\n`);
    expect(notices).toEqual([`Starting a container of ${IMAGE} (docker)`]);
    const runner = pythonPackageFolder();
    expect(commands).toEqual([
      `run --rm -i -v ${project}:${project}:rw -v ${runner}:${runner}:ro -w ${project} -e PYTHONPATH=${runner} ` +
        `-e PYTHONDONTWRITEBYTECODE=1 ${IMAGE} python3 -m trowel_task worker`,
    ]);
  });

  it('runs many tasks at once in it', async () => {
    const names = Array.from({ length: 8 }, (_, at) => `+main+t${at}`);
    const { ran, commands } = await run(parallel(names.map((name) => py(name, { image: IMAGE }))), {
      containers: 'always',
    });
    expect(names.map((name) => ran.output(name).split(' ')[1])).toEqual(names.map(() => IMAGE));
    expect(commands).toHaveLength(1);
  });

  it("takes digdag's options", async () => {
    const docker: Mapping = {
      image: IMAGE,
      docker: 'nerdctl',
      run_options: ['--network=none'],
      selinux: true,
      build: ['apt-get update', 'pip install x\npip install y'],
      build_options: ['--no-cache'],
    };
    const machine = sequence([py('+main+a', docker), py('+main+b', { image: IMAGE, pull_always: true })]);
    const { ran, commands } = await run(machine, { containers: 'auto', engines: ['podman', 'nerdctl'] });
    expect(ran.result).toMatchObject({ status: 'succeeded' });
    expect(commands[0]).toMatch(/^build --no-cache -f - -t (trowel-build:\w{20}) \S+$/);
    expect(commands.slice(1, 5)).toEqual([
      `FROM ${IMAGE}`,
      'RUN apt-get update',
      'RUN pip install x',
      'RUN pip install y',
    ]);
    expect(commands[5]).toMatch(
      /^run --network=none --rm -i .*:rw,z .*:ro,z .* trowel-build:\w{20} python3 -m trowel_task worker$/,
    );
    expect(commands[6]).toBe(`pull ${IMAGE}`);
    expect(commands[7]).toContain(` ${IMAGE} python3 -m trowel_task worker`);
    expect(ran.output('+main+a')).toContain('in trowel-build:');
  });

  it.each([
    [
      'an image that is not there',
      { image: 'broken:1' },
      {},
      /Python cannot be started \(in the image broken:1\).*Unable to find image/s,
    ],
    [
      'an image without Python',
      { image: IMAGE },
      { python: 'no-such-python' },
      /Python cannot be started \(in the image .*no-such-python/s,
    ],
    ['no engine', { image: IMAGE, docker: 'nerdctl' }, {}, /There is no container engine \(nerdctl\) on PATH/],
  ])('%s ends the task with what is missing', async (_, docker, keys, message) => {
    const { ran } = await run(sequence([py('+main+a', docker, keys)]), { containers: 'always' });
    expect(ran.result).toMatchObject({
      status: 'failed',
      error: 'Trowel.Environment',
      message: expect.stringMatching(message),
    });
  });
});
