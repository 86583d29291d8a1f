/** Which network a project is given, against an account that is played by its answers: what no stack of moto's does is told here. */
import { describe, expect, it } from 'vitest';
import {
  type Network,
  type NetworkAccount,
  type NetworkRequest,
  network,
  physicalId,
  type StackEvent,
} from '../../../../lib/functions/network/core.ts';

const NETWORK: Network = { vpc: 'vpc-1', subnets: ['subnet-1', 'subnet-2'] };
const PARAMETER = JSON.stringify(NETWORK);
const STACK = 'arn:aws:cloudformation:us-east-1:1:stack/TrowelNetwork/1';

interface Told {
  /** At each look; the last one stays. */
  readonly parameter?: readonly (string | undefined)[];
  /** Status at each look, by which the stack was asked for. */
  readonly stack?: readonly (string | undefined)[];
  readonly created?: readonly (string | undefined)[];
  readonly events?: readonly StackEvent[];
  readonly resources?: readonly { readonly type: string; readonly id: string; readonly name: string }[];
  readonly looks?: number;
}

function account(told: Told): NetworkAccount & { readonly asked: string[] } {
  const asked: string[] = [];
  const counts: { [what: string]: number } = {};
  const next = <T>(what: string, list: readonly T[] = []): T | undefined => {
    const at = counts[what] ?? 0;
    counts[what] = at + 1;
    return list[Math.min(at, list.length - 1)];
  };
  return {
    asked,
    parameter: async () => next('parameter', told.parameter),
    stack: async (name) => {
      asked.push(`stack ${name}`);
      const status = next('stack', told.stack);
      return status === undefined ? undefined : { id: STACK, status };
    },
    create: async () => {
      asked.push('create');
      return next('create', told.created);
    },
    events: async (id) => {
      asked.push(`events ${id}`);
      return told.events ?? [];
    },
    protect: async () => void asked.push('protect'),
    resources: async () => told.resources ?? [],
    pause: async () => {
      asked.push('pause');
      return asked.filter((each) => each === 'pause').length <= (told.looks ?? 50);
    },
  };
}

function request(type: NetworkRequest['RequestType'], more: Partial<NetworkRequest> = {}): NetworkRequest {
  return {
    ...{ RequestType: type, ResponseURL: '', StackId: 'own', RequestId: '1', LogicalResourceId: 'Network' },
    ResourceProperties: { OwnVpc: 'ProjectVpc718CB5D6' },
    ...more,
  };
}

const create = (told: Told) => network(request('Create'), account(told));

describe('a project that is deployed', () => {
  it('is given the network that the parameter names', async () => {
    const there = account({ parameter: [PARAMETER] });
    expect(await network(request('Create'), there)).toEqual(NETWORK);
    expect(there.asked).toEqual([]);
  });

  it('makes one where there is none, waits for it and protects it then', async () => {
    const none = account({
      parameter: [undefined, undefined, undefined, PARAMETER],
      stack: [undefined, 'CREATE_IN_PROGRESS'],
      created: [STACK],
    });
    expect(await network(request('Create'), none)).toEqual(NETWORK);
    expect(none.asked.join(', ')).toBe(
      `stack TrowelNetwork, create, stack ${STACK}, pause, stack ${STACK}, pause, protect`,
    );
  });

  it('waits for the one that another project’s deploy is making', async () => {
    const other = account({ parameter: [undefined, undefined, PARAMETER], stack: ['CREATE_IN_PROGRESS'] });
    expect(await network(request('Create'), other)).toEqual(NETWORK);
    expect(other.asked).not.toContain('create');
  });

  it('waits where another was quicker between two questions', async () => {
    const raced = account({
      parameter: [undefined, undefined, PARAMETER],
      stack: [undefined, 'CREATE_IN_PROGRESS'],
      created: [undefined],
    });
    expect(await network(request('Create'), raced)).toEqual(NETWORK);
  });

  it('makes another one when the old one has been deleted', async () => {
    const going = account({
      parameter: [undefined, undefined, undefined, PARAMETER],
      stack: ['DELETE_IN_PROGRESS', undefined, 'CREATE_IN_PROGRESS'],
      created: [STACK],
    });
    expect(await network(request('Create'), going)).toEqual(NETWORK);
    expect(going.asked[2]).toBe('stack TrowelNetwork');
  });

  it('keeps what it was given, whatever the parameter says now', async () => {
    const PhysicalResourceId = physicalId(NETWORK);
    const moved = account({ parameter: ['{"vpc": "vpc-2", "subnets": ["subnet-9"]}'] });
    expect(await network(request('Update', { PhysicalResourceId }), moved)).toEqual(NETWORK);
    expect(await network(request('Delete', { PhysicalResourceId }), moved)).toBeUndefined();
    expect(moved.asked).toEqual([]);
  });
});

describe('what is said', () => {
  const events = [
    {
      type: 'AWS::EC2::InternetGateway',
      id: 'Gateway',
      status: 'CREATE_FAILED',
      reason: 'Resource creation cancelled',
    },
    {
      type: 'AWS::EC2::VPC',
      id: 'Vpc',
      status: 'CREATE_FAILED',
      reason: 'The maximum number of VPCs has been reached',
    },
  ];

  it('of a stack that failed: the first cause, that nothing is left, the quota', async () => {
    const failing = {
      stack: [undefined, 'CREATE_IN_PROGRESS', 'DELETE_IN_PROGRESS', 'DELETE_COMPLETE'],
      created: [STACK],
      events,
    };
    const message = await create(failing).catch((error: Error) => error.message);
    expect(message).toContain('AWS::EC2::VPC Vpc: The maximum number of VPCs has been reached');
    expect(message).toContain('Nothing of it is left');
    expect(message).toContain('`VPCs per Region`');
  });

  it.each([
    ['one whose rest is in the way', ['ROLLBACK_FAILED'], 'aws cloudformation delete-stack --stack-name TrowelNetwork'],
    ['one that failed and stayed', ['CREATE_FAILED'], 'aws cloudformation delete-stack --stack-name TrowelNetwork'],
    ['one without its parameter', ['CREATE_COMPLETE'], 'aws ssm put-parameter --name /trowel/network'],
  ])('of %s: the command', async (_, stack, command) => {
    await expect(create({ stack })).rejects.toThrow(command);
  });

  it('of one that takes longer than the function may', async () => {
    await expect(create({ stack: ['CREATE_IN_PROGRESS'], looks: 3 })).rejects.toThrow('is not ready yet: deploy again');
  });

  it.each(['vpc-1', '{}', '{"vpc": "vpc-1", "subnets": []}', 'null'])('of the parameter %s', async (text) => {
    await expect(create({ parameter: [text] })).rejects.toThrow('/trowel/network names no network');
  });

  it('of a project with a VPC of its own, unless it says that it wants to leave it', async () => {
    const own = { type: 'AWS::EC2::VPC', id: 'ProjectVpc718CB5D6', name: 'vpc-9' };
    const resources = [{ ...own, id: 'Other12345678' }, own];
    await expect(create({ resources, parameter: [PARAMETER] })).rejects.toThrow('`network: {vpc: own}`');
    const leaving = request('Create', { ResourceProperties: {} });
    expect(await network(leaving, account({ resources, parameter: [PARAMETER] }))).toEqual(NETWORK);
    const others = { resources: resources.slice(0, 1), parameter: [PARAMETER] };
    expect(await create(others)).toEqual(NETWORK);
  });
});
