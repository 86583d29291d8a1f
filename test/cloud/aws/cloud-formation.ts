/**
 * CloudFormation is moto's. It gives a deployed stack no outputs: they are worked out here and put into its answers. A change set that is
 * not there it calls a stack that is not, and the CDK, which waits for one to be deleted, gives up: the error gets its own name here. The previous
 * value of a parameter that names one of Systems Manager it forgets in an update: the CDK's, the only one here, is said again.
 */
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { MotoServer } from './moto.ts';
import type { Answer, Part, ServiceCall } from './service.ts';
import { type Names, readStack } from './template.ts';

export class CloudFormation implements Part {
  readonly #moto: MotoServer;
  readonly #client: CloudFormationClient;
  readonly #names: Names;

  constructor(moto: MotoServer, client: CloudFormationClient, names: Names) {
    this.#moto = moto;
    this.#client = client;
    this.#names = names;
  }

  readonly service: NonNullable<Part['service']> = async (call) => {
    if (call.service !== 'cloudformation') return undefined;
    if (call.action === 'DescribeChangeSet') return this.#changeSet(call);
    if (call.action === 'CreateChangeSet') return this.#moto.forward({ ...call, body: withVersion(call.body) }, '/');
    if (call.action !== 'DescribeStacks') return undefined;
    const answer = await this.#moto.forward(call, '/');
    const text = answer.body.toString();
    if (answer.status !== 200 || text.includes('<Outputs>')) return answer;
    let body = text;
    for (const [named, name = ''] of text.matchAll(/<StackName>([^<]+)<\/StackName>/g)) {
      // A stack that is only being made has no template yet.
      const stack = await readStack(name, this.#client, this.#names).catch(() => undefined);
      const outputs = Object.entries(stack?.outputs ?? {}).map(
        ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${escaped(value)}</OutputValue></member>`,
      );
      if (outputs.length > 0) body = body.replace(named, `${named}<Outputs>${outputs.join('')}</Outputs>`);
    }
    return { ...answer, body };
  };

  async #changeSet(call: ServiceCall): Promise<Answer> {
    const answer = await this.#moto.forward(call, '/');
    const text = answer.body.toString();
    return { ...answer, body: text.replace('<Code>ValidationError</Code>', '<Code>ChangeSetNotFound</Code>') };
  }
}

/** `BootstrapVersion` with its value in place of `UsePreviousValue`. */
function withVersion(body: Buffer): Buffer {
  const form = new URLSearchParams(body.toString());
  for (const [key, value] of [...form]) {
    const [, parameter] = /^(Parameters\.member\.\d+)\.ParameterKey$/.exec(key) ?? [];
    if (parameter === undefined || value !== 'BootstrapVersion' || !form.has(`${parameter}.UsePreviousValue`)) continue;
    form.delete(`${parameter}.UsePreviousValue`);
    form.set(`${parameter}.ParameterValue`, '/cdk-bootstrap/hnb659fds/version');
  }
  return Buffer.from(form.toString());
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
