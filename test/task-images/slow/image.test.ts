/**
 * The image of task-images/python, built from what `cdk synth` asks Docker for, and the quickstart in its containers: the deployed command as
 * it stands, in the small AWS (test/cloud/aws). Real are the Dockerfile, Debian, its Python and the image's user; the base is a Debian of
 * debootstrap's in place of python:3.11-slim, for no registry is reached here, and all tasks run in one container.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cloud, Stack } from '../../cloud/aws/cloud.ts';
import { cdk, ROOT } from '../../cloud/aws/deploy.ts';
import { containerLogs, results, run } from '../../cloud/aws/run.ts';
import { startSmallAws } from '../../cloud/aws/small-aws.ts';
import { TROWEL } from '../../trowel.ts';
import { Images, missing } from './debian.ts';

const why = missing();
const folder = mkdtempSync(join(tmpdir(), 'trowel-image-'));
const project = join(folder, 'quickstart');
const images = new Images(folder);
const SYSTEM = `+jq:
  sh>: |
    id -un
    jq --version
+apt:
  sh>: apt-get update && apt-get install -y ffmpeg
`;

/** The project's own, on top of the image that `apt:` makes. */
const DOCKERFILE = `FROM trowel
USER root
RUN echo mine > /etc/own-layer
COPY config/params.yml /etc/params.yml
USER trowel
`;

let cloud: Cloud;
let stack: Stack;
let container: string;
/** What containers printed, for a failure. */
const printed: string[] = [];

interface Source {
  readonly directory: string;
  readonly dockerFile: string;
  readonly dockerBuildArgs: { readonly [name: string]: string };
}

/** What a synthesised app wants built: the folder, the file and the arguments of Docker. */
function wanted(out: string): Source {
  const assets = JSON.parse(readFileSync(join(out, 'trowel-quickstart.assets.json'), 'utf8'));
  const [image] = Object.values<{ source: Source }>(assets.dockerImages);
  if (image === undefined) throw new Error('no image is asked for');
  return { ...image.source, directory: join(out, image.source.directory) };
}

beforeAll(async () => {
  if (why !== undefined) return;
  cpSync(join(ROOT, 'examples', 'quickstart'), project, {
    recursive: true,
    filter: (path) => !/[\\/](\.trowel|__pycache__)$/.test(path),
  });
  writeFileSync(join(project, 'system.dig'), SYSTEM);
  const bin = join(folder, 'bin');
  const small = await startSmallAws({ containerEnv: { PATH: `${bin}:${process.env.PATH}` } });
  cloud = { ...small, small };
  small.containers.hooks = { line: (_, text) => printed.push(text) };
  // Deployed with the stock image: to upload one needs Docker.
  stack = await cloud.deploy(project);
  const out = join(folder, 'cdk.out');
  writeFileSync(
    join(project, 'trowel.yml'),
    'name: quickstart\nparams: config/params.yml\napt: [jq]\ndockerfile: Dockerfile\n',
  );
  writeFileSync(join(project, 'Dockerfile'), DOCKERFILE);
  await cdk(['synth', '--quiet', '--output', out, '-c', `project=${project}`], ROOT, small.env);
  const { directory, dockerFile, dockerBuildArgs: args } = wanted(out);
  await images.base('trowel-test-base');
  expect(args).toEqual({ BASE: 'public.ecr.aws/docker/library/python:3.11-slim', PACKAGES: 'jq' });
  const given = Object.entries({ ...args, BASE: 'localhost/trowel-test-base' });
  const options = given.flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const file = ['--file', join(directory, dockerFile)];
  await images.buildah(
    'bud',
    '--quiet',
    '--isolation',
    'chroot',
    ...file,
    ...options,
    '--tag',
    'trowel-test',
    directory,
  );
  container = await images.python('trowel-test', bin);
}, 600_000);

afterAll(async () => {
  await cloud?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe.skipIf(why !== undefined)(`the image of task-images/python${why === undefined ? '' : ` (${why})`}`, () => {
  it('is not root, and holds what apt: names and what the project’s Dockerfile adds', async () => {
    const said = await images.buildah(
      'run',
      '--isolation',
      'chroot',
      container,
      '--',
      'sh',
      '-c',
      'id -u; echo $HOME; pwd; cat /etc/own-layer; ls /etc/params.yml; jq --version',
    );
    expect(said.split('\n')).toEqual([
      ...['10001', '/home/trowel', '/home/trowel', 'mine', '/etc/params.yml'],
      expect.stringMatching(/^jq-/),
    ]);
  });

  it('runs the quickstart, with the result that it has here', async () => {
    const ended = await run(cloud, stack, 'main', { session_time: '2026-11-01T00:00:00+00:00' });
    expect(ended, `${ended.cause}\n${printed.join('\n')}`).toMatchObject({ status: 'SUCCEEDED' });
    const stored = await results(cloud, ended);
    const { report } = (stored['+main+report.0.json'] as { stored: { report: string } }).stored;
    const here = execFileSync(process.execPath, [TROWEL, 'run', 'main.dig', '--session', '2026-11-01 00:00:00'], {
      cwd: project,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(here).toContain(report);
    expect(await cloud.small?.containers.left()).toEqual([]);
  }, 120_000);

  it('has the packages of apt: in tasks, and a hint for a task that would install one itself', async () => {
    const ended = await run(cloud, stack, 'system');
    expect(ended, printed.join('\n')).toMatchObject({ status: 'FAILED', error: 'Trowel.TaskFailed' });
    expect(ended.cause).toContain('Packages of the operating system come with the image: `apt: [NAME]` in trowel.yml');
    const logs = await containerLogs(cloud, 'quickstart', ended);
    expect(logs['+system+jq']).toMatch(/^trowel\njq-1\.\d/);
    expect(logs['+system+apt']).toMatch(/Permission denied/);
  }, 120_000);
});
