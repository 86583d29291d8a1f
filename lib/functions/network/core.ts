/**
 * Which network a project gets whose trowel.yml names none: the one that all projects of the account and region share. The first project makes
 * it, as a stack of its own; it is kept when projects go. CloudFormation asks, as for a resource of the project's stack.
 */
import { NETWORK_PARAMETER, NETWORK_STACK } from './template.ts';

/** What CloudFormation sends; docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html */
export interface NetworkRequest {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: {
    /** Logical id of the VPC that the project's stack has if it has its own; absent where trowel.yml says `shared`. */
    readonly OwnVpc?: string;
  };
}

export interface Network {
  readonly vpc: string;
  readonly subnets: readonly string[];
}

export interface NetworkStack {
  readonly id: string;
  /** As CloudFormation names it: `CREATE_COMPLETE`. */
  readonly status: string;
}

export interface StackEvent {
  readonly type: string;
  readonly id: string;
  readonly status: string;
  readonly reason: string;
}

/** What the core asks AWS for. */
export interface NetworkAccount {
  /** Text of the parameter. */
  parameter(): Promise<string | undefined>;
  /** By name, or a deleted one by its id. */
  stack(nameOrId: string): Promise<NetworkStack | undefined>;
  /** @returns its id; undefined if another is there or being made */
  create(): Promise<string | undefined>;
  /** Oldest first. */
  events(stackId: string): Promise<readonly StackEvent[]>;
  protect(): Promise<void>;
  /** Resources of a stack. */
  resources(stackId: string): Promise<readonly { readonly type: string; readonly id: string; readonly name: string }[]>;
  /** Until the next look; false when there is no time for another. */
  pause(): Promise<boolean>;
}

/** What a person has to do something about. */
export class NetworkFault extends Error {
  override readonly name = 'NetworkFault';
}

/** Of the resource, by which later requests find what the first was given. */
export function physicalId({ vpc, subnets }: Network): string {
  return `${vpc}/${subnets.join(',')}`;
}

/** Undefined for a request that needs none. @throws NetworkFault */
export async function network(request: NetworkRequest, account: NetworkAccount): Promise<Network | undefined> {
  const { RequestType, PhysicalResourceId = '' } = request;
  // Other projects use it, or will.
  if (RequestType === 'Delete') return undefined;
  // A project stays where it is, whatever has become of the parameter.
  if (RequestType === 'Update') return fromPhysicalId(PhysicalResourceId);
  await refuseIfOwn(request, account);
  return shared(account);
}

function fromPhysicalId(id: string): Network {
  const [vpc = '', subnets = ''] = id.split('/');
  return { vpc, subnets: subnets.split(',') };
}

/** A deploy that goes on would delete a VPC that may be known elsewhere: by its addresses, in a peering. */
async function refuseIfOwn({ StackId, ResourceProperties }: NetworkRequest, account: NetworkAccount): Promise<void> {
  const { OwnVpc } = ResourceProperties;
  if (OwnVpc === undefined) return;
  const resources = await account.resources(StackId);
  const own = resources.find(({ type, id }) => type === 'AWS::EC2::VPC' && id === OwnVpc);
  if (own === undefined) return;
  throw new NetworkFault(
    `This project has a VPC of its own, ${own.name}, which this deploy would delete. ` +
      'To keep it, write into trowel.yml: `network: {vpc: own}`. ' +
      'To move to the VPC that all projects of the account share: `network: {vpc: shared}`. Its stack stays as it was.',
  );
}

/** At a stack that has ended, before it counts: its parameter is read from another service, and one that failed is about to be deleted. */
const LOOKS = 12;
const BEGUN: NetworkStack = { id: NETWORK_STACK, status: 'DELETE_IN_PROGRESS' };
const ENDED = /^(?:(?:CREATE|UPDATE)_COMPLETE|CREATE_FAILED)$/;

async function shared(account: NetworkAccount): Promise<Network> {
  // The stack that this request waits for: its own, or one that another project's deploy has begun.
  let waited: string | undefined;
  for (let looks = 0; ; ) {
    const text = await account.parameter();
    if (text !== undefined) {
      if (waited !== undefined) await account.protect();
      return parse(text);
    }
    const stack = await account.stack(waited ?? NETWORK_STACK);
    if (stack === undefined && waited === undefined) {
      waited = await account.create();
      if (waited !== undefined) continue;
    }
    // Known by its id only as long as events of it are; and where another deploy was quicker, there will be one at the next look.
    const { id, status } = stack ?? (waited === undefined ? BEGUN : { id: waited, status: 'DELETE_COMPLETE' });
    // One that somebody deletes is not waited for, but for its end: then there is room for another.
    if (status.endsWith('_IN_PROGRESS')) waited = status === 'DELETE_IN_PROGRESS' ? waited : id;
    else if (!ENDED.test(status) || ++looks > LOOKS) throw await failed({ id, status }, account);
    if (!(await account.pause())) throw new NetworkFault(`The stack ${NETWORK_STACK} is not ready yet: deploy again.`);
  }
}

const WITHOUT_PARAMETER =
  `The stack ${NETWORK_STACK} is there, but its parameter ${NETWORK_PARAMETER} is not. Write it again, with the ids of the stack's resources: ` +
  `aws ssm put-parameter --name ${NETWORK_PARAMETER} --type String --value '{"vpc": "vpc-…", "subnets": ["subnet-…", "subnet-…"]}'`;

async function failed({ id, status }: NetworkStack, account: NetworkAccount): Promise<NetworkFault> {
  if (/^(?:CREATE|UPDATE)_COMPLETE$/.test(status)) return new NetworkFault(WITHOUT_PARAMETER);
  const events = await account.events(id);
  // The first is the cause; the others were given up for it.
  const cause = events.find((each) => each.status.endsWith('_FAILED') && !/cancelled/i.test(each.reason));
  const why = cause === undefined ? status : `${cause.type} ${cause.id}: ${cause.reason}`;
  const left = status === 'DELETE_COMPLETE' ? 'Nothing of it is left: deploy again when that is mended.' : ANEW;
  return new NetworkFault(
    `The VPC that Trowel's projects share could not be made (stack ${NETWORK_STACK}): ${why}. ${left} ${quota(why)}${OR}`,
  );
}

const ANEW = `Delete the stack and deploy again: aws cloudformation delete-stack --stack-name ${NETWORK_STACK}`;
const OR = 'Or name a VPC in trowel.yml: `network: {vpc: vpc-…}`.';

/** `The maximum number of VPCs has been reached. (Service: Ec2, Status Code: 400, …)`, of VPCs or internet gateways: one bounds the other. */
function quota(why: string): string {
  if (!/maximum number|LimitExceeded/i.test(why)) return '';
  return 'More VPCs: Service Quotas, `VPCs per Region` (L-F678F1CE). ';
}

/** Somebody may have written it. */
function parse(text: string): Network {
  try {
    const { vpc, subnets } = JSON.parse(text) as Partial<Network>;
    const known = Array.isArray(subnets) && subnets.length > 0 && subnets.every((each) => typeof each === 'string');
    if (typeof vpc === 'string' && known) return { vpc, subnets };
  } catch {}
  throw new NetworkFault(
    `The parameter ${NETWORK_PARAMETER} names no network: it should be like {"vpc": "vpc-…", "subnets": ["subnet-…"]}, and is ${text}`,
  );
}
