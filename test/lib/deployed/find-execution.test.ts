/** Step Functions is played: it knows one execution, and refuses ARNs that cannot be as the service does. */
import { describe, expect, it } from 'vitest';
import { AwsFault } from '../../../lib/deployed/aws-fault.ts';
import { DeployedProject } from '../../../lib/deployed/deployed-project.ts';
import { findExecution } from '../../../lib/deployed/find-execution.ts';
import type { ExecutionDescription } from '../../../lib/deployed/states.ts';

const MACHINES = 'arn:aws:states:eu-west-1:123456789012:stateMachine';
const ARN = 'arn:aws:states:eu-west-1:123456789012:execution:shop-main:main-1';
const KNOWN: ExecutionDescription = {
  arn: ARN,
  machineArn: `${MACHINES}:shop-main`,
  name: 'main-1',
  status: 'FAILED',
  started: 1,
  input: '{}',
};

const TAGS: { readonly [machine: string]: { readonly [key: string]: string } } = {
  'shop-main': { 'trowel:project': 'shop', 'trowel:workflow': 'main' },
  'shop-main_part1': { 'trowel:project': 'shop' },
  'shop-old-main': { 'trowel:project': 'shop-old', 'trowel:workflow': 'main' },
};
const states = {
  machines: async () => Object.keys(TAGS).map((name) => ({ name, arn: `${MACHINES}:${name}` })),
  tags: async (arn: string) => TAGS[arn.split(':').at(-1) ?? ''] ?? {},
  executions: async (arn: string) => (arn === KNOWN.machineArn ? [KNOWN] : []),
  execution: async (arn: string) => {
    if (!/:[\w.+=@()'!-]+$/.test(arn)) throw new AwsFault('refused', 'states:DescribeExecution', 'Invalid Arn', []);
    return arn === ARN ? KNOWN : undefined;
  },
};
const shop = () => new DeployedProject(states, 'shop');

describe('an execution', () => {
  it.each([ARN, 'main-1', 'main', undefined])('is meant by %s', async (reference) => {
    expect(await findExecution(states, shop(), reference)).toEqual({ execution: KNOWN });
  });

  it.each(['main-2', 'sub/main', 'a name', 'a:b', 'x'.repeat(81)])('is not meant by %s', async (reference) => {
    expect(await findExecution(states, shop(), reference)).toEqual({ missing: 'name', workflows: ['main'] });
  });

  it('that does not fit is none', async () => {
    const found = await findExecution(states, shop(), 'main', ({ status }) => status === 'RUNNING');
    expect(found).toEqual({ missing: 'executions', workflows: ['main'] });
  });

  it('of a project that is not deployed', async () => {
    const found = await findExecution(states, new DeployedProject(states, 'other'), undefined);
    expect(found).toEqual({ missing: 'project', workflows: [] });
  });
});

describe('a workflow', () => {
  it.each(['main_part1', 'old-main', 'none'])('is not %s: its tags say what a machine is', async (name) => {
    expect(await shop().workflow(name)).toBeUndefined();
  });

  it('is found by its name where tags may not be read', async () => {
    const tags = async (): Promise<never> => {
      throw new AwsFault('denied', 'states:ListTagsForResource', 'your AWS credentials do not allow it', []);
    };
    const found = await new DeployedProject({ ...states, tags }, 'shop').workflow('main');
    expect(found).toEqual({ workflow: 'main', arn: `${MACHINES}:shop-main` });
  });
});
