import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isExcluded } from '../../../lib/language/config/project-config.ts';
import { loadProject, type Project } from '../../../lib/language/project.ts';
import { brief, type Files } from './helpers.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folder(files: Files, name = 'my_project'): string {
  const parent = mkdtempSync(join(tmpdir(), 'trowel-project-'));
  folders.push(parent);
  const dir = join(parent, name);
  mkdirSync(dir);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

function say(project: Project, name?: string): string[] {
  const diagnostics = name === undefined ? project.diagnostics : project.diagnosticsOf(name);
  return brief(diagnostics, Object.fromEntries(project.sources));
}

const OK = '+t: {echo>: x}\n';

describe('workflows', () => {
  test('those of the root folder; names with a dot are skipped; sub-folders when called', async () => {
    const dir = folder({
      'main.dig': '+t: {call>: sub/part}',
      'other.dig': OK,
      '.hidden.dig': 'x: 1',
      'sub/part.dig': OK,
      'sub/far.dig': OK,
      'a.txt': '',
    });
    const project = await loadProject(dir);
    expect([...project.workflows.keys()]).toEqual(['main', 'sub/part', 'other']);
    expect(project.workflow('sub/far')?.root.name).toBe('+sub/far');
    expect(project.workflowNames()).toEqual(['main', 'other', 'sub/far', 'sub/part']);
    expect(say(project)).toEqual([]);
    expect(project).toMatchObject({ dir, name: 'my-project', config: { timezone: 'UTC', containers: 'never' } });
  });

  test('a broken neighbour is reported, but not for another workflow', async () => {
    const dir = folder({
      'main.dig': '+t: {call>: part.dig}\n+r: {require>: more}',
      'part.dig': '+t: {shel>: x}',
      'more.dig': 'x: 1\n+t: {echo>: x}',
      'bad.dig': 'y: 1',
    });
    const project = await loadProject(dir);
    expect(say(project)).toEqual([
      'error unknown-top-key «y»',
      'error unknown-top-key «x»',
      'error unknown-operator «shel>»',
    ]);
    expect(say(project, 'main')).toEqual(['error unknown-top-key «x»', 'error unknown-operator «shel>»']);
    expect(say(await loadProject(dir, { workflows: ['part'] }))).toEqual(['error unknown-operator «shel>»']);
  });

  test('a workflow that is not there', async () => {
    const project = await loadProject(folder({ 'nightly.dig': OK }));
    expect(project.workflow('nihgtly')).toBeUndefined();
    expect(project.diagnosticsOf('nihgtly')).toMatchObject([
      { code: 'file-not-found', notes: ["Did you mean 'nightly'?"] },
    ]);
  });

  test('a file that is no text', async () => {
    const dir = folder({ 'main.dig': OK });
    writeFileSync(join(dir, 'bin.dig'), Buffer.from([0xff, 0xfe, 0x00, 0x80]));
    expect((await loadProject(dir)).diagnostics.map(({ code }) => code)).toEqual(['file-not-text']);
  });
});

describe('calls', () => {
  test.each<[string, Files, string[]]>([
    ['a missing file', { 'main.dig': '+t: {call>: absent}' }, ['error call-not-found «absent»']],
    ['in a body', { 'main.dig': '+t: {loop>: 2, _do: {call>: absent}}' }, ['error call-not-found «absent»']],
    ['in a handler', { 'main.dig': '_error: {call>: absent}\n+t: {echo>: x}' }, ['error call-not-found «absent»']],
    [
      'relative to the folder of the workflow',
      {
        'main.dig': '+t: {call>: sub/a}',
        'sub/a.dig': '+t: {call>: b}\n+u: {call>: ../c}',
        'sub/b.dig': OK,
        'c.dig': OK,
      },
      [],
    ],
    [
      'not relative to the project',
      { 'main.dig': '+t: {call>: sub/a}', 'sub/a.dig': '+t: {call>: sub/b}', 'sub/b.dig': OK },
      ['error call-not-found «sub/b»'],
    ],
    [
      'upwards out of the project',
      { 'main.dig': '+t: {call>: ../../etc/passwd}' },
      ['error file-outside-project «../../etc/passwd»'],
    ],
    ['an absolute path', { 'main.dig': '+t: {call>: /etc/passwd}' }, ['error file-outside-project «/etc/passwd»']],
    ['itself', { 'main.dig': '+t: {call>: main}' }, ['error call-cycle «main»']],
    [
      'in a circle',
      { 'main.dig': '+t: {call>: a}', 'a.dig': '+t: {if>: true, _do: {call>: main.dig}}' },
      ['error call-cycle «main.dig»', 'error call-cycle «a»'],
    ],
    ['an expression', { 'main.dig': '+t: {call>: "${x}"}' }, []],
    ['require> what is missing', { 'main.dig': '+t: {require>: nope}' }, ['error require-not-found «nope»']],
    ['require> out of the project', { 'main.dig': '+t: {require>: ../x}' }, ['error file-outside-project «../x»']],
    [
      'require> in a circle',
      { 'main.dig': '+t: {require>: a}', 'a.dig': '+t: {require>: main}' },
      ['warning call-cycle «main»', 'warning call-cycle «a»'],
    ],
    ['require> of another project', { 'main.dig': '+t: {require>: x, project_name: p}' }, []],
  ])('%s', async (_, files, expected) => {
    expect(say(await loadProject(folder(files)))).toEqual(expected);
  });
});

describe('links', () => {
  test('nothing outside is read', async () => {
    const dir = folder({
      'main.dig': '+a: {call>: out}\n+b: {call>: far/x}\n+c: {!include : conf.yml}\n',
      'real/y.dig': OK,
    });
    const outside = join(dir, '..', 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'x.dig'), '+secret: {echo>: secret}');
    symlinkSync(join(outside, 'x.dig'), join(dir, 'out.dig'));
    symlinkSync(join(outside, 'x.dig'), join(dir, 'conf.yml'));
    symlinkSync(outside, join(dir, 'far'));
    symlinkSync(join(dir, 'real'), join(dir, 'near'));
    const project = await loadProject(dir);
    expect(new Set(project.diagnostics.map(({ code }) => code))).toEqual(new Set(['file-outside-project']));
    expect([...project.sources.values()].join()).not.toContain('secret');
    expect(project.workflow('near/y')).toBeDefined();
  });
});

test('${secret:…} where nothing replaces it', async () => {
  const text = [
    '_export: {a: "${secret:a}", http: {headers: [{h: "${secret:b}"}]}}',
    '+p: {py>: m.f, key: "${secret:td.apikey}", _env: {K: "${secret:k}"}}',
    '+s: {sh>: "curl ${secret:s}"}',
    '+h: {http>: "${secret:u}", content: {t: "${secret:c}"}}',
    '+e: {echo>: "${ secret:e }"}',
  ].join('\n');
  expect(say(await loadProject(folder({ 'main.dig': text })))).toEqual([
    'warning secret-not-here «${secret:a}»',
    'warning secret-not-here «${secret:td.apikey}»',
    'warning secret-not-here «${ secret:e }»',
  ]);
});

describe('trowel.yml', () => {
  const load = (text: string, more: Files = {}) => loadProject(folder({ 'trowel.yml': text, 'main.dig': OK, ...more }));

  test('every key', async () => {
    const text = `
name: my-pipeline
timezone: Asia/Tokyo
params: [config/params.yml]
python: {version: 3.10, requirements: [numpy==2.0], constraints: c.txt, preload: [numpy]}
apt: [curl]
dockerfile: Dockerfile
image: python:3.12-slim
containers: auto
task: {cpu: 1024, memory: 2GB, disk: 30, timeout: 2h, spot: true, architecture: arm64, heartbeat: 90s}
secrets: [a.b]
notifications: {slack: "secret:slack.webhook", email: [a@b.c], on: [failure, sla], links: false}
network: {vpc: vpc-1, subnets: private, endpoints: true}
retention: {logs: 7, values: 8, history: 9}
values: {pickle: true}
tags: {team: data}
apps: {count: {image: "x:1", args: [a]}, say: {command: python3 -m say}}
deploy: {exclude: [test.dig]}
`;
    const project = await load(text, {
      'config/params.yml': 'a: 1',
      'c.txt': '',
      Dockerfile: 'FROM x',
      'test.dig': '+a: {echo>: x}',
    });
    expect(say(project)).toEqual([]);
    expect(project.config).toEqual({
      name: 'my-pipeline',
      timezone: 'Asia/Tokyo',
      params: ['config/params.yml'],
      python: { version: '3.10', requirements: { lines: ['numpy==2.0'] }, constraints: 'c.txt', preload: ['numpy'] },
      apt: ['curl'],
      dockerfile: 'Dockerfile',
      image: 'python:3.12-slim',
      containers: 'auto',
      task: { cpu: 1024, memory: 2048, disk: 30, timeout: 7200, spot: true, architecture: 'arm64', heartbeat: 90 },
      secrets: ['a.b'],
      notifications: { slack: 'slack.webhook', email: ['a@b.c'], on: ['failure', 'sla'], links: false },
      network: { vpc: 'vpc-1', subnets: 'private', endpoints: true },
      retention: { logs: 7, values: 8, history: 9 },
      values: { pickle: true },
      tags: { team: 'data' },
      apps: { count: { image: 'x:1', args: ['a'] }, say: { command: ['python3', '-m', 'say'], args: [] } },
      deploy: { exclude: ['test.dig'] },
    });
  });

  test('a pattern that keeps nothing out of a deploy', async () => {
    const text = 'deploy:\n  exclude: [test.dig, tset.dig]\n';
    const project = await load(text, { 'test.dig': '+a: {echo>: x}' });
    expect(say(project)).toEqual(['warning project-file «tset.dig»']);
    expect(project.diagnostics[0]?.notes).toEqual(["Did you mean 'test.dig'?"]);
  });

  test.each([
    ['test.dig', 'test', true],
    ['test', 'test', true],
    ['./test.dig', 'test', true],
    ['test', 'tests', false],
    ['test*', 'test_load', true],
    ['*_test.dig', 'load_test', true],
    ['*', 'sub/test', false],
    ['sub/*', 'sub/test', true],
    ['**', 'sub/test', true],
    ['**/test.dig', 'sub/deep/test', true],
    ['**/test.dig', 'test', true],
    ['t?st', 'test', true],
    ['t.st', 'test', false],
    ['a+(b).dig', 'a+(b)', true],
  ])('the pattern %s and the workflow %s: %s', (pattern, workflow, expected) => {
    expect(isExcluded({ deploy: { exclude: [pattern] } }, workflow)).toBe(expected);
    expect(isExcluded({}, workflow)).toBe(false);
  });

  test.each(['', '# nothing', 'retention:\ntags:\n'])('nothing said: %j', async (text) => {
    const project = await load(text);
    expect(say(project)).toEqual([]);
    expect(project.config.task).toEqual({
      cpu: 512,
      memory: 1024,
      disk: 21,
      timeout: 86_400,
      spot: false,
      architecture: 'x86_64',
      heartbeat: 300,
    });
    expect(project.config.values.pickle).toBe(false);
  });

  test('requirements.txt is taken where it is', async () => {
    const project = await loadProject(folder({ 'main.dig': OK, 'requirements.txt': 'numpy' }));
    expect(project.config.python.requirements).toEqual({ file: 'requirements.txt' });
    expect(
      (await load('python: {requirements: []}', { 'requirements.txt': 'numpy' })).config.python.requirements,
    ).toBeUndefined();
  });

  test.each<[string, string]>([
    ['timezon: UTC', 'project-file «timezon»'],
    ['python: {preloads: [a]}', 'project-file «preloads»'],
    ['name: My Project', 'project-file «My Project»'],
    ['timezone: Mars', 'bad-timezone «Mars»'],
    ['python: {version: "2.7"}', 'python-version «"2.7"»'],
    ['python: {version: 3.15}', 'python-version «3.15»'],
    ['task: {cpu: 500}', 'project-file «500»'],
    ['task: {memory: lots}', 'project-file «lots»'],
    ['task: {memory: 8GB}', 'project-file «8GB»'],
    ['task: {cpu: 256, memory: 1.5GB}', 'project-file «1.5GB»'],
    ['task: {cpu: 4096}', 'project-file «4096»'],
    ['task: {disk: 10}', 'project-file «10»'],
    ['task: {timeout: soon}', 'project-file «soon»'],
    ['task: {heartbeat: 1.5}', 'project-file «1.5»'],
    ['containers: sometimes', 'project-file «sometimes»'],
    ['notifications: {slack: "https://x"}', 'project-file «"https://x"»'],
    ['notifications: {on: [failure, sucess]}', 'project-file «sucess»'],
    ['apt: curl', 'project-file «curl»'],
    ['apps: {a: {image: x, command: y}}', 'project-file «a»'],
    ['image: "x:${tag}"', 'project-file «"x:${tag}"»'],
    ['params: no.yml', 'file-not-found «no.yml»'],
    ['params: ../no.yml', 'file-not-found «../no.yml»'],
    ['dockerfile: no', 'file-not-found «no»'],
    ['python: {requirements: pyproject.toml}', 'python-requirements «pyproject.toml»'],
    ['- a', 'project-file «- a»'],
    ['apt: [ffmpeg, "a; rm -rf /"]', 'project-file «"a; rm -rf /"»'],
    ['image: python 3.11', 'project-file «python 3.11»'],
    ['tags: {"aws:x": y}', 'project-file «y»'],
    ['a: b: c', 'yaml-syntax «b:»'],
  ])('%s', async (text, expected) => {
    expect(say(await load(text))).toEqual([`error ${expected}`]);
  });

  test('what is at fault keeps its default, the rest counts', async () => {
    const { config } = await load(
      'name: good\ntask: {cpu: 7, spot: true}\nnotifications: {on: [x], email: [a@b.c]}\nnope: 1',
    );
    expect(config).toMatchObject({
      name: 'good',
      task: { cpu: 512, spot: true },
      notifications: { on: ['failure'], email: ['a@b.c'] },
    });
  });

  test('a conda environment is refused with the lines to write', async () => {
    const conda =
      'name: base\ndependencies:\n  - python=3.11\n  - numpy=1.26.4=py311_0\n  - conda-forge::pandas>=2.0\n  - pip\n  - pip:\n    - pytd==1.4.3\n';
    const { diagnostics } = await load('python: {requirements: environment.yml}', { 'environment.yml': conda });
    expect(diagnostics).toMatchObject([{ code: 'python-requirements' }]);
    expect(diagnostics[0]?.notes[0]).toBe(
      'Write:\npython:\n  version: "3.11"\n  requirements:\n    - numpy==1.26.4\n    - pandas>=2.0\n    - pytd==1.4.3',
    );
  });

  test('trowel.yaml is pointed out', async () => {
    const project = await loadProject(folder({ 'main.dig': OK, 'trowel.yaml': 'name: x' }));
    expect(project.diagnostics).toMatchObject([{ code: 'project-file', severity: 'warning' }]);
  });
});
