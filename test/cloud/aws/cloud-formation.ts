/**
 * CloudFormation is moto's, but for change sets (change-sets.ts) and the end of a stack (stack-removal.ts). moto gives a deployed stack no
 * outputs: they are worked out here and put into its answers.
 */
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ECSClient } from '@aws-sdk/client-ecs';
import { ChangeSets, type ChangeSetsOptions } from './change-sets.ts';
import type { MotoServer } from './moto.ts';
import type { Answer, Part, ServiceCall } from './service.ts';
import { removeFirst, removeLast } from './stack-removal.ts';
import { type DeployedStack, type Names, readStack } from './template.ts';

export interface CloudFormationOptions extends ChangeSetsOptions {
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

  constructor(options: CloudFormationOptions) {
    this.#options = options;
    this.#moto = options.moto;
    this.#changeSets = new ChangeSets(options);
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
      case 'DeleteStack':
        return this.#delete(call);
      default:
        return undefined;
    }
  };

  async #describe(call: ServiceCall): Promise<Answer> {
    const answer = await this.#moto.forward(call, '/');
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
    const given = new URLSearchParams(call.body.toString()).get('StackName') ?? '';
    // A stack that was never made has no template.
    const stack = await this.#read(given.replace(/^.*:stack\/([^/]+)\/.*$/, '$1')).catch(() => undefined);
    if (stack !== undefined) await removeFirst(stack, ec2, s3);
    const answer = await this.#moto.forward(call, '/');
    if (stack === undefined || answer.status !== 200) return answer;
    await removeLast(stack, ecs, logs);
    await removed(stack);
    return answer;
  }

  #read(name: string): Promise<DeployedStack> {
    const { cloudFormation, names } = this.#options;
    return readStack(name, cloudFormation, names);
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
