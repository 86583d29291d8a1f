/**
 * CloudFormation is moto's, but for change sets (change-sets.ts) and the end of a stack (stack-removal.ts). moto gives a deployed stack no
 * outputs: they are worked out here and put into its answers. A stack that a role makes is made in its name: whatever that needs is asked of
 * its policies, by AWS's schemas of the resources.
 */
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ECSClient } from '@aws-sdk/client-ecs';
import { ChangeSets, type ChangeSetsOptions } from './change-sets.ts';
import type { FailedResource } from './custom-resources.ts';
import { escaped, FailedStacks, member, xml } from './failed-stacks.ts';
import type { Iam } from './iam.ts';
import type { MotoServer } from './moto.ts';
import { permissionsOf } from './resource-schemas.ts';
import { ACCOUNT, type Answer, type Part, REGION, type ServiceCall } from './service.ts';
import { removeFirst, removeLast } from './stack-removal.ts';
import { type DeployedStack, type Names, readStack, type Template } from './template.ts';

export interface CloudFormationOptions extends Omit<ChangeSetsOptions, 'failed' | 'current'> {
  readonly iam: Iam;
  readonly cloudFormation: CloudFormationClient;
  readonly ec2: EC2Client;
  readonly ecs: ECSClient;
  readonly names: Names;
  /** The stack as it was. */
  readonly removed: (stack: DeployedStack) => Promise<void>;
}

export class CloudFormation implements Part {
  readonly #options: CloudFormationOptions;
  readonly #moto: MotoServer;
  readonly #changeSets: ChangeSets;
  readonly #failed: FailedStacks;
  readonly #protected = new Set<string>();
  /** What fails of the next stack that a function makes. */
  failing: FailedResource | undefined;

  constructor(options: CloudFormationOptions) {
    this.#options = options;
    this.#moto = options.moto;
    this.#failed = new FailedStacks(options.moto);
    this.#changeSets = new ChangeSets({ ...options, failed: this.#failed, current: (stack) => this.#current(stack) });
  }

  readonly service: NonNullable<Part['service']> = async (call) => {
    if (call.service !== 'cloudformation') return undefined;
    switch (call.action) {
      case 'CreateChangeSet':
        return this.#changeSets.create(call);
      case 'DescribeChangeSet':
        return this.#changeSets.describe(call);
      case 'DeleteChangeSet':
        return this.#changeSets.delete(call);
      case 'DescribeEvents':
        return this.#changeSets.events(call);
      case 'ExecuteChangeSet':
        return this.#changeSets.execute(call);
      case 'DescribeStacks':
        return this.#describe(call);
      case 'ListStackResources':
        return this.#resources(call);
      case 'DescribeStackEvents':
        return this.#failed.events(call, stackNameOf(call));
      case 'CreateStack':
        return this.#create(call);
      case 'UpdateTerminationProtection':
        return this.#protect(call);
      case 'DeleteStack':
        return this.#delete(call);
      default:
        return undefined;
    }
  };

  async #describe(call: ServiceCall): Promise<Answer> {
    const answer = await this.#failed.describe(call, stackNameOf(call));
    const text = answer.body.toString();
    if (answer.status !== 200 || text.includes('<Outputs>')) return answer;
    let body = text;
    for (const [named, name = ''] of text.matchAll(/<StackName>([^<]+)<\/StackName>/g)) {
      // A stack that is only being made has no template yet.
      const stack = await this.#read(name).catch(() => undefined);
      const outputs = Object.entries(stack?.outputs ?? {}).map(
        ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${escaped(value)}</OutputValue></member>`,
      );
      if (outputs.length > 0) body = body.replace(named, `${named}<Outputs>${outputs.join('')}</Outputs>`);
    }
    return { ...answer, body };
  }

  async #delete(call: ServiceCall): Promise<Answer> {
    const { ec2, ecs, s3, logs, removed } = this.#options;
    const name = plainName(call);
    if (this.#protected.has(name)) {
      const message = `Stack [${name}] cannot be deleted while TerminationProtection is enabled`;
      const body = `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`;
      return { status: 400, headers: { 'content-type': 'text/xml' }, body };
    }
    this.#failed.forget(name);
    const template = await this.#current(name);
    if (template !== undefined) await this.#options.custom.remove(name, template);
    // A stack that was never made has no template.
    const stack = await this.#read(name).catch(() => undefined);
    if (stack !== undefined) await removeFirst(stack, ec2, s3);
    const answer = await this.#moto.forward(call, '/');
    if (stack === undefined || answer.status !== 200) return answer;
    await removeLast(stack, ecs, logs);
    await removed(stack);
    return answer;
  }

  /** In the name of a role, all that CloudFormation does for it, and what it may have to take back. */
  async #create(call: ServiceCall): Promise<Answer> {
    const form = new URLSearchParams(call.body.toString());
    const failing = this.failing ?? this.#refused(call, JSON.parse(form.get('TemplateBody') ?? '{}') as Template);
    this.failing = undefined;
    if (failing === undefined) return this.#moto.forward(call, '/');
    if (form.get('OnFailure') !== 'DELETE') throw new Error('Only a stack that is deleted where it fails is played');
    const id = this.#failed.deleted(stackNameOf(call), failing);
    return xml('CreateStack', `<StackId>${id}</StackId>`);
  }

  #refused({ principal }: ServiceCall, { Resources }: Template): FailedResource | undefined {
    if (principal.kind === 'account') return undefined;
    const context = { 'aws:CalledVia': 'cloudformation.amazonaws.com' };
    const zones = ['AvailabilityZones', 'AccountAttributes', 'Subnets'].map((what) => ({
      action: `ec2:Describe${what}`,
      resource: '*',
    }));
    const refused = this.#options.iam.refusal(principal, zones);
    if (refused !== undefined)
      return { id: 'SubnetA', type: 'AWS::EC2::Subnet', status: 'CREATE_FAILED', reason: refused };
    for (const [id, { Type: type, Properties }] of Object.entries(Resources)) {
      const service = type === 'AWS::SSM::Parameter' ? `parameter${Properties?.Name}` : 'any/any';
      const checks = permissionsOf(type, ['create', 'read', 'delete']).map((action) => ({
        ...{ action, context },
        resource: /:Describe/.test(action) ? '*' : `arn:aws:${action.split(':')[0]}:${REGION}:${ACCOUNT}:${service}`,
      }));
      const reason = this.#options.iam.refusal(principal, checks);
      if (reason !== undefined) return { id, type, status: 'CREATE_FAILED', reason };
    }
    return undefined;
  }

  /** moto leaves the types out. One that is only being made has none. */
  async #resources(call: ServiceCall): Promise<Answer> {
    const stack = await this.#read(plainName(call)).catch(() => undefined);
    const all = [...(stack?.resources.values() ?? [])].map(({ id, type, physicalId }) =>
      member({
        LogicalResourceId: id,
        ResourceType: type,
        PhysicalResourceId: physicalId,
        ResourceStatus: 'CREATE_COMPLETE',
      }),
    );
    return xml('ListStackResources', `<StackResourceSummaries>${all.join('')}</StackResourceSummaries>`);
  }

  #protect(call: ServiceCall): Answer {
    const name = stackNameOf(call);
    if (call.body.toString().includes('EnableTerminationProtection=true')) this.#protected.add(name);
    else this.#protected.delete(name);
    return xml('UpdateTerminationProtection', `<StackId>${name}</StackId>`);
  }

  async #current(StackName: string): Promise<Template | undefined> {
    const { cloudFormation } = this.#options;
    const { TemplateBody = '' } = await cloudFormation
      .send(new GetTemplateCommand({ StackName }))
      .catch(() => ({ TemplateBody: '' }));
    return TemplateBody.startsWith('{') && TemplateBody !== '{}' ? (JSON.parse(TemplateBody) as Template) : undefined;
  }

  #read(name: string): Promise<DeployedStack> {
    const { cloudFormation, names } = this.#options;
    return readStack(name, cloudFormation, names);
  }
}

function plainName(call: ServiceCall): string {
  return stackNameOf(call).replace(/^.*:stack\/([^/]+)\/.*$/, '$1');
}

function stackNameOf(call: ServiceCall): string {
  return new URLSearchParams(call.body.toString()).get('StackName') ?? '';
}
