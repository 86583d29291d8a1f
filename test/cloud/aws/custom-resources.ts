/**
 * Resources whose function answers CloudFormation itself. moto would ask its own Lambda for them: here the deployed code is asked, by the
 * service's protocol, before a change set is executed, so that one which fails changes nothing. moto then fetches what was answered.
 * The function's role and its variables are those of the template, under names for the time being: nothing of the stack is made yet.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { listen, recorder } from '../../lib/functions/http/server.ts';
import type { Functions } from './lambda.ts';
import { ACCOUNT, REGION } from './service.ts';
import { type DeployedStack, Names, resolveStack, type Template } from './template.ts';

/** Played here; the CDK's own are not. */
const TYPE = 'Custom::TrowelNetwork';

export interface CustomAnswer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
  readonly Data?: { readonly [name: string]: string };
}

export interface FailedResource {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

/** What the resource needs of the others. */
export interface CustomResourcesOptions {
  readonly functions: () => Functions;
  /** Tells the services of a stack that is not whole. */
  readonly announce: (stack: DeployedStack) => Promise<void>;
  readonly names: Names;
}

export interface CustomResources {
  /** Where moto asks for what was answered. */
  readonly url: string;
  /** @returns the resource that failed, if one did */
  change(stack: string, before: Template | undefined, after: Template): Promise<FailedResource | undefined>;
  remove(stack: string, template: Template): Promise<void>;
  close(): Promise<void>;
}

type Kind = 'Create' | 'Update' | 'Delete';

export async function startCustomResources(options: CustomResourcesOptions): Promise<CustomResources> {
  const answers = new Map<string, CustomAnswer>();
  const received: Parameters<typeof recorder>[0] = [];
  const waiting = new Map<string, (answer: CustomAnswer) => void>();
  const server = createServer(
    recorder(received, ({ method, url, body, headers }) => {
      if (method === 'GET') {
        const { PhysicalResourceId, Data = {} } = answers.get(url.slice(1)) ?? { PhysicalResourceId: '' };
        return { body: JSON.stringify({ id: PhysicalResourceId, data: Data }) };
      }
      // The address is signed for a request without one.
      if (headers['content-type']) return { status: 403 };
      waiting.get(url)?.(JSON.parse(body) as CustomAnswer);
      return {};
    }),
  );
  const { url, close } = await listen(server, 'http');

  async function ask(kind: Kind, stack: string, id: string, template: Template): Promise<CustomAnswer> {
    const provisional = resolveStack(stack, template, new Map(), new Names());
    const name = `${stack} while it is made`;
    await options.announce(only(name, provisional, /^AWS::(?:Lambda::Function|IAM::Role)$/));
    const properties = provisional.resources.get(id)?.properties ?? {};
    const place = `/answer/${randomUUID()}`;
    const answered = new Promise<CustomAnswer>((resolve) => waiting.set(place, resolve));
    const before = answers.get(`${stack}/${id}`);
    const request = {
      RequestType: kind,
      ResponseURL: url + place,
      StackId: `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stack}/0`,
      RequestId: randomUUID(),
      LogicalResourceId: id,
      ResourceType: TYPE,
      ResourceProperties: properties,
      ...(kind !== 'Create' && { PhysicalResourceId: before?.PhysicalResourceId }),
    };
    const { functionError, payload } = await options
      .functions()
      .invoke(String(properties.ServiceToken), JSON.stringify(request));
    if (functionError !== undefined) throw new Error(`The function of ${id} failed: ${payload}`);
    const answer = await answered;
    waiting.delete(place);
    await options.announce(only(name, provisional, /^$/));
    return answer;
  }

  return {
    url,
    close,
    change: async (stack, before, after) => {
      for (const id of idsIn(after)) {
        const [was, is] = [before?.Resources[id], after.Resources[id]];
        if (was !== undefined && JSON.stringify(was.Properties) === JSON.stringify(is?.Properties)) continue;
        const answer = await ask(was === undefined ? 'Create' : 'Update', stack, id, after);
        if (answer.Status === 'FAILED') {
          // It is taken back, too.
          answers.set(`${stack}/${id}`, answer);
          await ask('Delete', stack, id, after);
          answers.delete(`${stack}/${id}`);
          const reason = `Received response status [FAILED] from custom resource. Message returned: ${answer.Reason}`;
          return { id, type: TYPE, status: was === undefined ? 'CREATE_FAILED' : 'UPDATE_FAILED', reason };
        }
        answers.set(`${stack}/${id}`, answer);
        options.names.tell(stack, id, answer.Data ?? {});
      }
      for (const id of idsIn(before))
        if (after.Resources[id] === undefined) await ask('Delete', stack, id, before as Template);
      return undefined;
    },
    remove: async (stack, template) => {
      for (const id of idsIn(template)) await ask('Delete', stack, id, template);
    },
  };
}

function idsIn(template: Template | undefined): string[] {
  return Object.entries(template?.Resources ?? {}).flatMap(([id, { Type }]) => (Type === TYPE ? [id] : []));
}

function only(name: string, stack: DeployedStack, types: RegExp): DeployedStack {
  const resources = new Map([...stack.resources].filter(([, { type }]) => types.test(type)));
  return {
    ...stack,
    name,
    resources,
    ofType: (type) => [...resources.values()].filter((each) => each.type === type),
  };
}
