/** Permissive stand-ins for iam.ts and fargate.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialVariables, type Keys } from './keys.ts';
import { ACCOUNT, type ActionOf, inputOf, json, type Part, REGION, type ServiceCall } from './service.ts';
import type { DeployedStack, Mapping } from './template.ts';

export const actionOf: ActionOf = ({ headers, method, url, body }) => {
  const target = headers['x-amz-target'];
  const action =
    typeof target === 'string'
      ? target.replace(/^.*\./, '')
      : (/(?:^|&)Action=(\w+)/.exec(body.toString('latin1', 0, 4096))?.[1] ?? `${method} ${url.pathname}`);
  return { action, resources: ['*'] };
};

export class Containers implements Part {
  readonly #keys: Keys;
  readonly #env: { readonly [name: string]: string };
  readonly #processes = new Set<ChildProcess>();
  readonly logs: string[] = [];
  #definitions = new Map<string, Mapping>();

  constructor(keys: Keys, env: { readonly [name: string]: string }) {
    this.#keys = keys;
    this.#env = env;
  }

  deployed(stack: DeployedStack): void {
    for (const { physicalId, properties } of stack.ofType('AWS::ECS::TaskDefinition')) {
      this.#definitions.set(physicalId, properties);
    }
  }

  readonly service = async (call: ServiceCall) => {
    if (call.service !== 'ecs' || call.action !== 'RunTask') return undefined;
    const { taskDefinition, overrides } = inputOf(call) as { taskDefinition: string; overrides?: Mapping };
    const definition = this.#definitions.get(taskDefinition);
    const container = ((definition?.ContainerDefinitions ?? []) as Mapping[])[0] ?? {};
    const pairs = (list: unknown, name: string, value: string) =>
      Object.fromEntries(((list ?? []) as Mapping[]).map((each) => [String(each[name]), String(each[value])]));
    const [override] = (overrides?.containerOverrides ?? []) as Mapping[];
    const role = String(definition?.TaskRoleArn).replace(/^.*\//, '');
    const [command = '', ...args] = container.EntryPoint as string[];
    const child = spawn(command, args, {
      cwd: await mkdtemp(join(tmpdir(), 'trowel-container-')),
      env: {
        ...{
          PATH: process.env.PATH ?? '',
          ...this.#env,
          ...credentialVariables(this.#keys.of(role)),
          AWS_REGION: REGION,
        },
        ...pairs(container.Environment, 'Name', 'Value'),
        ...pairs(override?.environment, 'name', 'value'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#processes.add(child);
    child.on('exit', () => this.#processes.delete(child));
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => this.logs.push(text.toString()));
    const taskArn = `arn:aws:ecs:${REGION}:${ACCOUNT}:task/cluster/${randomUUID().replaceAll('-', '')}`;
    return json({ tasks: [{ taskArn }], failures: [] });
  };

  stop(): void {
    for (const child of this.#processes) child.kill('SIGKILL');
  }
}
