/** What trowel.yml says of images, in the template and in what Docker is asked to build. No image is built here: test/task-images does. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, it } from 'vitest';
import { loadTrowelProject } from '../../../lib/cloud/load-project.ts';
import { ProjectError } from '../../../lib/cloud/project-error.ts';
import { TrowelStack } from '../../../lib/cloud/trowel-stack.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'trowel-images-'));
const ENV = { ...process.env, XDG_CACHE_HOME: join(ROOT, 'cache') };
const DIG = '+a:\n  py>: tasks.a\n+b:\n  py>: tasks.b\n  docker: {image: "python:3.12"}\n';
const STOCK = 'public.ecr.aws/docker/library/python:3.11-slim';
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

interface Container {
  readonly Image: string | object;
  readonly User?: string;
  readonly EntryPoint: readonly string[];
  readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
}

interface Built {
  readonly directory: string;
  readonly dockerFile?: string;
  readonly dockerBuildArgs?: { readonly [name: string]: string };
  readonly platform?: string;
}

/** Containers by image, and what is to be built. */
async function synth(name: string, files: { readonly [path: string]: string }) {
  const dir = join(ROOT, name);
  for (const [path, text] of Object.entries({ 'main.dig': DIG, 'tasks.py': '', ...files })) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  const project = await loadTrowelProject(dir, { env: ENV, notice: () => {} });
  const outdir = join(ROOT, `${name}.out`);
  const app = new App({ outdir });
  const template = Template.fromStack(new TrowelStack(app, 'stack', { project }));
  const { dockerImages } = JSON.parse(readFileSync(join(outdir, 'stack.assets.json'), 'utf8'));
  const definitions = Object.values(template.findResources('AWS::ECS::TaskDefinition'));
  const containers: Container[] = definitions.map(({ Properties }) => Properties.ContainerDefinitions[0]);
  const [own, other] = containers;
  if (own === undefined || other === undefined) throw new Error('a container is missing');
  const built = Object.values<{ source: Built }>(dockerImages ?? {}).map(({ source }) => source);
  return { template, outdir, own, other, built };
}

describe('images', () => {
  it('a stock Python, as nobody, without Docker', async () => {
    const { own, other, built } = await synth('stock', {});
    expect(own).toMatchObject({ Image: STOCK, User: '65534:65534' });
    expect(own.Environment).toContainEqual({ Name: 'HOME', Value: '/tmp' });
    // An image of the user's is used as it is, and gets the bundle too.
    expect(other).toMatchObject({ Image: 'python:3.12', EntryPoint: own.EntryPoint });
    expect(other.User).toBeUndefined();
    const variable = (container: Container) => container.Environment.find(({ Name }) => Name === 'TROWEL_BUNDLE');
    expect(variable(other)).toEqual(variable(own));
    expect(variable(own)).toBeDefined();
    expect(built).toEqual([]);
  });

  it('image: as it is; of an ECR repository with the right to pull it', async () => {
    const name = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/tools/py:1';
    const { own, template, built } = await synth('named', { 'trowel.yml': `image: ${name}\n` });
    expect(own.Image).toBe(name);
    expect([own.User, built]).toEqual([undefined, []]);
    expect(JSON.stringify(template.findResources('AWS::IAM::Policy'))).toContain('repository/tools/py');
  });

  it('apt: built from task-images/python, for the processor that is asked for', async () => {
    const { own, other, built, outdir } = await synth('apt', {
      'trowel.yml': 'apt: [ffmpeg, git]\npython: {version: "3.12"}\ntask: {architecture: arm64}\n',
    });
    const [{ directory, ...rest } = { directory: '' }, ...more] = built;
    expect(more).toEqual([]);
    expect(rest).toEqual({
      dockerBuildArgs: { BASE: STOCK.replace('3.11', '3.12'), PACKAGES: 'ffmpeg git' },
      platform: 'linux/arm64',
    });
    expect(readdirSync(join(outdir, directory))).toEqual(['Dockerfile']);
    expect(typeof own.Image).toBe('object');
    // The image has a user of its own, and the same command.
    expect(own.User).toBeUndefined();
    expect(own.EntryPoint).toEqual(other.EntryPoint);
  });

  it('dockerfile: the project’s own, with the project around it but for what tools left behind', async () => {
    const { built, outdir } = await synth('own', {
      'trowel.yml': 'dockerfile: images/Dockerfile\n',
      'images/Dockerfile': 'FROM python:3.11-slim\nCOPY tasks.py /\n',
      '.git/HEAD': 'x',
      'node_modules/a.js': 'x',
    });
    expect(built).toMatchObject([{ dockerFile: 'images/Dockerfile', platform: 'linux/amd64' }]);
    const names = readdirSync(join(outdir, built[0]?.directory ?? ''));
    expect(names.sort()).toEqual(['images', 'main.dig', 'tasks.py', 'trowel.yml']);
  });

  it('FROM trowel: on top of the image that apt: makes', async () => {
    const { built, outdir } = await synth('both', {
      'trowel.yml': 'dockerfile: Dockerfile\napt: [git]\nimage: python:3.13-slim\n',
      Dockerfile: 'FROM trowel\nUSER root\nRUN pip install x\nUSER trowel\n',
      '.git/HEAD': 'x',
    });
    expect(built).toMatchObject([{ dockerBuildArgs: { BASE: 'python:3.13-slim', PACKAGES: 'git' } }]);
    const folder = join(outdir, built[0]?.directory ?? '');
    const text = readFileSync(join(folder, built[0]?.dockerFile ?? ''), 'utf8');
    expect(text).toMatch(/FROM \$\{BASE\} AS trowel\n[\s\S]*\nUSER trowel\n\nFROM trowel\nUSER root\n/);
    expect(readdirSync(folder)).not.toContain('.git');
  });

  it('apt: beside a Dockerfile that would not install it is an error', async () => {
    const loading = synth('ignored', {
      'trowel.yml': 'dockerfile: Dockerfile\napt: [git]\n',
      Dockerfile: 'FROM python:3.11-slim\n',
    });
    await expect(loading).rejects.toThrow(ProjectError);
    await expect(loading).rejects.toMatchObject({
      diagnostics: [
        { code: 'project-file', message: expect.stringContaining('`apt: [git]` would not be in the image') },
      ],
    });
  });
});
