import { createHash } from 'node:crypto';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import type { OperatorSpec } from '../../../lib/language/operators/spec.ts';
import { OPERATORS } from '../../../lib/language/operators.ts';
import type { Mapping } from '../../../lib/language/workflow.ts';
import { deploy, ECHO, folder, launches, load, setUp } from './deploy-template.ts';

const TABLE = OPERATORS as { [name: string]: OperatorSpec };

setUp();

describe('containers', () => {
  it('keeps task tokens a day longer than the longest task, and knows the project’s heartbeat', async () => {
    const { template, definition } = await deploy('long', {
      'main.dig':
        '+a:\n  py>: tasks.a\n+g:\n  _parallel: true\n  +b:\n    py>: tasks.b\n    _timeout: 3d\n    resources: {heartbeat: 20m}\n',
      'trowel.yml': 'task: {timeout: 30h, heartbeat: 10m}\n',
    });
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([Match.objectLike({ Id: 'assignments', ExpirationInDays: 5 })]),
      },
    });
    launches(template, { TROWEL_HEARTBEAT: '600', TROWEL_TASK_TIMEOUT: '108000' });
    const text = definition('main');
    expect(JSON.parse(text).States['+main+a']).toMatchObject({
      TimeoutSeconds: 108_000 + 3_600,
      HeartbeatSeconds: 600,
    });
    expect(text).toMatch(/"TimeoutSeconds": ?262800,\s*"HeartbeatSeconds": ?1200/);
  });

  it('makes a task definition for each image and set of secrets, and names it in the state', async () => {
    const { template, definition } = await deploy('definitions', {
      'main.dig':
        '+a:\n  py>: tasks.a\n+b:\n  py>: tasks.b\n  _env: {A: "${secret:one}"}\n+c:\n  py>: tasks.c\n  _env: {B: "${secret:one}"}\n+d:\n  py>: tasks.d\n  docker: {image: "python:3.12"}\n',
      'trowel.yml': 'name: definitions\ntask: {cpu: 1024, memory: 2GB, architecture: arm64}\n',
    });
    template.resourceCountIs('AWS::ECS::TaskDefinition', 3);
    template.hasResource('AWS::ECS::TaskDefinition', {
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Family: 'definitions-default',
        Cpu: '1024',
        Memory: '2048',
        RuntimePlatform: { CpuArchitecture: 'ARM64' },
        ContainerDefinitions: [
          Match.objectLike({
            Name: 'task',
            Image: 'public.ecr.aws/docker/library/python:3.11-slim',
            EntryPoint: ['python3', '-c', { 'Fn::FindInMap': Match.arrayWith(['bootstrap', 'source']) }],
            Secrets: Match.absent(),
            StopTimeout: 120,
            LogConfiguration: {
              LogDriver: 'awslogs',
              Options: Match.objectLike({ mode: 'non-blocking', 'max-buffer-size': '26214400b' }),
            },
          }),
        ],
      },
    });
    template.hasMapping('*', { bootstrap: { source: 'print("bootstrap")\n' } });
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [Match.objectLike({ Secrets: [Match.objectLike({ Name: 'TROWEL_SECRET_one' })] })],
    });
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [Match.objectLike({ Image: 'python:3.12' })],
    });
    const { States } = JSON.parse(definition('main')) as {
      States: { [name: string]: { Arguments?: { Payload?: { d?: string } } } };
    };
    const key = (state: string) => States[state]?.Arguments?.Payload?.d;
    expect(key('+main+a')).toBeUndefined();
    expect(key('+main+b')).toMatch(/^[0-9a-f]{12}$/);
    expect(key('+main+c')).toBe(key('+main+b'));
    expect(key('+main+d')).not.toBe(key('+main+b'));
  });

  it('makes a second container for an operator that asks for one, in a task definition of its own', async () => {
    const { sh } = OPERATORS;
    const env = { WORD: '${session_date}' };
    TABLE.served = { ...(sh as OperatorSpec & { kind: 'container' }), beside: { image: 'stand-in:1', env } };
    const { template, definition } = await deploy('beside', {
      'main.dig': '+a:\n  served>: "true"\n+b:\n  sh>: "true"\n  _beside: {image: "not-wanted:1"}\n',
      'trowel.yml': 'name: beside\n',
    }).finally(() => delete TABLE.served);
    template.resourceCountIs('AWS::ECS::TaskDefinition', 2);
    const { States } = JSON.parse(definition('main')) as {
      States: { [name: string]: { Arguments?: { Payload?: { d?: string; k: Mapping } } } };
    };
    const payload = (state: string) => States[state]?.Arguments?.Payload;
    expect(payload('+main+a')).toMatchObject({ d: expect.stringMatching(/^[0-9a-f]{12}$/) });
    expect(payload('+main+a')?.k._beside).toEqual({ image: 'stand-in:1', env });
    expect(payload('+main+b')).not.toHaveProperty('d');
    expect(payload('+main+b')?.k).not.toHaveProperty('_beside');
    const log = { LogDriver: 'awslogs', Options: Match.objectLike({ 'awslogs-stream-prefix': 'task' }) };
    template.hasResourceProperties('AWS::ECS::TaskDefinition', {
      Family: `beside-${payload('+main+a')?.d}`,
      ContainerDefinitions: [
        Match.objectLike({ Name: 'task', Essential: true, StopTimeout: 120, LogConfiguration: log }),
        {
          Name: 'beside',
          Image: 'stand-in:1',
          Essential: false,
          StopTimeout: 120,
          LogConfiguration: log,
          LinuxParameters: { Capabilities: {}, InitProcessEnabled: true },
        },
      ],
    });
  });

  it('trap: an inactive revision cannot start tasks: replaced ones are retained', async () => {
    const { template } = await deploy('revisions', {
      'main.dig': '+a:\n  py>: tasks.a\n+b:\n  py>: tasks.b\n  docker: {image: "python:3.12"}\n',
    });
    const definitions = Object.values(template.findResources('AWS::ECS::TaskDefinition'));
    expect(definitions.map(({ UpdateReplacePolicy }) => UpdateReplacePolicy)).toEqual(['Retain', 'Retain']);
  });

  it('trap: a changed task definition makes a new version of launch, so that an execution keeps its own', async () => {
    const version = async (name: string, yml: string) => {
      const { template } = await deploy(name, { 'main.dig': '+a:\n  py>: tasks.a\n', 'trowel.yml': yml });
      return Object.keys(template.findResources('AWS::Lambda::Version')).find((id) => id.includes('Functionlaunch'));
    };
    const before = await version('version1', 'name: version\ntask: {cpu: 512}\n');
    expect(await version('version2', 'name: version\ntask: {cpu: 1024, memory: 2GB}\n')).not.toBe(before);
  });

  it.each([
    ['that asks for Spot', { 'main.dig': '+a: {py>: tasks.a, resources: {spot: true}}\n' }, 1],
    ['that may ask for Spot', { 'main.dig': '+a: {py>: tasks.a, resources: {spot: "${s}"}}\n' }, 1],
    ['whose _export may', { 'main.dig': '_export: {resources: {spot: "${s}"}}\n+a: {py>: tasks.a}\n' }, 1],
    ['with Spot in trowel.yml', { 'main.dig': ECHO, 'trowel.yml': 'name: shop\ntask: {spot: true}\n' }, 1],
    ['that does not ask for Spot', { 'main.dig': '+a: {py>: tasks.a, resources: {spot: false}}\n' }, 0],
  ])('a cluster has capacity providers only for a project %s', async (_, files, expected) => {
    const name = `spot-${createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 8)}`;
    const { template } = await deploy(name, files);
    template.resourceCountIs('AWS::ECS::ClusterCapacityProviderAssociations', expected);
  });

  it('more task definitions than a function may know are an error, with a way out', async () => {
    const tasks = Array.from({ length: 121 }, (_, i) => `+t${i}:\n  py>: tasks.a\n  _env: {A: "\${secret:key${i}}"}\n`);
    const loading = load(folder('many-definitions', { 'main.dig': tasks.join('') }));
    await expect(loading).rejects.toThrow(/needs 122 task definitions.* may have 120[\s\S]*split the project/);
  });
});
