/** Many and large workflows in one stack. Covers lib/cloud/machines.ts, lib/cloud/task-roles.ts, lib/cloud/project-functions.ts. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deploy, ECHO, machineRole, permissions, plain, setUp, written } from './deploy-template.ts';

setUp();

describe('limits', () => {
  it('a hundred scheduled workflows stay below 500 resources', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [
        `w${i}.dig`,
        `schedule:\n  daily>: 07:00:00\n+p:\n  py>: tasks.a\n  _env: {A: "\${secret:key${i % 5}}"}\n+h:\n  http>: https://example.com\n`,
      ]),
    );
    const { template } = await deploy('hundred', files);
    // One more is the CDK's own.
    expect(Object.keys(template.toJSON().Resources).length + 1).toBeLessThan(500);
    // Each workflow has a role of its machine and one of its tasks.
    const machines = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
    const roles = machines.flatMap(({ Properties }) => [
      Properties.RoleArn['Fn::GetAtt'][0],
      Properties.DefinitionSubstitutions.task_role['Fn::GetAtt'][0],
    ]);
    expect(new Set(roles).size).toBe(200);
    // Too many to be named one by one: by their path, in this region.
    expect(permissions(template, 'Functionlaunch').filter((line) => line.startsWith('iam:PassRole'))).toEqual([
      'iam:PassRole -> arn:<Partition>:iam::<AccountId>:role/trowel/<Region>/hundred/* <ProjectExecutionRole.Arn> [StringEquals iam:PassedToService=ecs-tasks.amazonaws.com]',
    ]);
  });

  it('trap: a hundred workflows with long names, each with a schedule, a secret and an object of its own, keep to the limits of AWS', async () => {
    const name = (i: number) => `a-workflow-with-a-rather-long-name-of-sales-${i}`;
    const files = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [
        `${name(i)}.dig`,
        `schedule:\n  daily>: 07:00:00\n+p:\n  py>: tasks.a\n  _env: {A: "\${secret:key${i}}"}\n+w:\n  s3_wait>: in/${i}.csv\n`,
      ]),
    );
    const { template } = await deploy('a-hundred-workflows', files);
    const text = JSON.stringify(template.toJSON());
    // One more is the CDK's own.
    expect(Object.keys(template.toJSON().Resources).length + 1).toBeLessThan(500);
    expect(Object.keys(template.toJSON().Outputs).length).toBeLessThan(200);
    // So machines that call the same share a role; tasks never do.
    const roles = Object.values(template.findResources('AWS::StepFunctions::StateMachine')).map(({ Properties }) => [
      Properties.RoleArn['Fn::GetAtt'][0],
      Properties.DefinitionSubstitutions.task_role['Fn::GetAtt'][0],
    ]);
    expect([0, 1].map((i) => new Set(roles.map((pair) => pair[i])).size)).toEqual([1, 100]);
    // With the real bootstrap, and what the command line adds.
    const { size } = statSync(
      join(import.meta.dirname, '..', '..', '..', 'task-images/python/src/trowel_task/aws/bootstrap.py'),
    );
    expect(text.length + 1.1 * size).toBeLessThan(1_000_000);
    // Policies of a role without their spaces, and the variables of a function, with all references as long as they get.
    for (const [id, { Properties }] of Object.entries(template.findResources('AWS::IAM::Role'))) {
      const documents = (Properties.Policies ?? []).map((each: { PolicyDocument: object }) => each.PolicyDocument);
      const attached = Object.values(template.findResources('AWS::IAM::Policy'))
        .filter((policy) => policy.Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === id))
        .map((policy) => policy.Properties.PolicyDocument);
      expect(written([...documents, ...attached]).length, id).toBeLessThan(10_240);
    }
    for (const [id, { Properties }] of Object.entries(template.findResources('AWS::Lambda::Function'))) {
      const variables = Properties.Environment?.Variables ?? {};
      const length = Object.entries(variables).reduce((sum, [key, value]) => sum + key.length + plain(value).length, 0);
      expect(length, id).toBeLessThan(4_096);
    }
  });

  it('a workflow that requires very many others may start those of the project', async () => {
    const name = (i: number) => `a-workflow-with-a-rather-long-name-of-sales-${i}`;
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${name(i)}.dig`, ECHO]));
    const requires = Object.keys(files).map((_, i) => `+r${i}:\n  require>: ${name(i)}\n`);
    const { template } = await deploy('requires', { ...files, 'main.dig': requires.join('') });
    const role = machineRole(template, 'requires-main');
    const states = (rest: string) => `arn:<Partition>:states:<Region>:<AccountId>:${rest}`;
    const lines = permissions(template, role).filter((line) => line.startsWith('states:'));
    expect(lines).toEqual([
      `states:DescribeExecution states:StopExecution -> ${states('execution:requires-*:*')}`,
      `states:StartExecution -> ${states('stateMachine:requires-*')}`,
    ]);
    const { Policies } = template.findResources('AWS::IAM::Role')[role]?.Properties ?? {};
    expect(written(Policies.map((each: { PolicyDocument: object }) => each.PolicyDocument)).length).toBeLessThan(
      10_240,
    );
  });
});
