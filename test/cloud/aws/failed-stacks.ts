/**
 * Stacks that fail, which moto does not know: every one of its stacks succeeds. One that another's change has failed keeps what it had; one
 * that was to be deleted where it fails is known by its id alone.
 */
import type { FailedResource } from './custom-resources.ts';
import type { MotoServer } from './moto.ts';
import { ACCOUNT, type Answer, REGION, type ServiceCall } from './service.ts';

interface Failed {
  readonly name: string;
  readonly id: string;
  readonly status: string;
  readonly resource: FailedResource;
  readonly time: string;
}

export class FailedStacks {
  readonly #moto: MotoServer;
  /** By name or id. */
  readonly #failed = new Map<string, Failed>();
  #count = 0;

  constructor(moto: MotoServer) {
    this.#moto = moto;
  }

  /** A stack that is there: moto has it as it was. */
  rolledBack(name: string, isNew: boolean, resource: FailedResource): void {
    const id = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${name}/0`;
    this.#failed.set(name, {
      name,
      id,
      status: isNew ? 'ROLLBACK_COMPLETE' : 'UPDATE_ROLLBACK_COMPLETE',
      resource,
      time: now(),
    });
  }

  /** @returns its id */
  deleted(name: string, resource: FailedResource): string {
    const id = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${name}/failed-${++this.#count}`;
    this.#failed.set(id, { name, id, status: 'DELETE_COMPLETE', resource, time: now() });
    return id;
  }

  forget(name: string): void {
    this.#failed.delete(name);
  }

  async describe(call: ServiceCall, stackName: string): Promise<Answer> {
    const failed = this.#find(stackName);
    if (failed === undefined) return this.#moto.forward(call, '/');
    const { name, id, status, resource, time } = failed;
    const why = `The following resource(s) failed to create: [${resource.id}]. `;
    if (status === 'DELETE_COMPLETE') {
      const fields = { StackId: id, StackName: name, StackStatus: status, CreationTime: time };
      return xml('DescribeStacks', `<Stacks>${member(fields)}</Stacks>`);
    }
    const answer = await this.#moto.forward(call, '/');
    const reason = `<StackStatus>${status}</StackStatus><StackStatusReason>${why}</StackStatusReason>`;
    return { ...answer, body: answer.body.toString().replace(/<StackStatus>\w+<\/StackStatus>/, reason) };
  }

  #find(nameOrId: string): Failed | undefined {
    return this.#failed.get(nameOrId) ?? this.#failed.get(/:stack\/([^/]+)\//.exec(nameOrId)?.[1] ?? '');
  }

  async events(call: ServiceCall, stackName: string): Promise<Answer> {
    const failed = this.#find(stackName);
    if (failed === undefined) return this.#moto.forward(call, '/');
    const { name, id, status, resource, time } = failed;
    const common = { StackId: id, StackName: name, Timestamp: time };
    const own = member({
      ...{ EventId: `${resource.id}-failed`, ...common, LogicalResourceId: resource.id, ResourceType: resource.type },
      ...{ PhysicalResourceId: '', ResourceStatus: resource.status, ResourceStatusReason: resource.reason },
    });
    const others = member({
      ...{ EventId: 'other-cancelled', ...common, LogicalResourceId: 'Other', ResourceType: 'AWS::SNS::Topic' },
      ...{ ResourceStatus: 'CREATE_FAILED', ResourceStatusReason: 'Resource creation cancelled' },
    });
    const end = member({
      ...{ EventId: 'stack-failed', ...common, LogicalResourceId: name, ResourceType: 'AWS::CloudFormation::Stack' },
      ...{ PhysicalResourceId: id, ResourceStatus: status },
    });
    // Newest first.
    const made = end + others + own;
    if (status === 'DELETE_COMPLETE') return xml('DescribeStackEvents', `<StackEvents>${made}</StackEvents>`);
    const answer = await this.#moto.forward(call, '/');
    return { ...answer, body: answer.body.toString().replace('<StackEvents>', `<StackEvents>${made}`) };
  }
}

export function xml(action: string, result: string): Answer {
  const body = `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`;
  return { status: 200, headers: { 'content-type': 'text/xml' }, body };
}

/** As a list of CloudFormation's has it. */
export function member(fields: { readonly [name: string]: string }): string {
  const inner = Object.entries(fields).map(([name, value]) => `<${name}>${escaped(value)}</${name}>`);
  return `<member>${inner.join('')}</member>`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function now(): string {
  return new Date().toISOString();
}
