/** CloudFormation is moto's, which gives a deployed stack no outputs: they are worked out here and put into its answers. */
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { MotoServer } from './moto.ts';
import type { Part } from './service.ts';
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
    if (call.service !== 'cloudformation' || call.action !== 'DescribeStacks') return undefined;
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
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
