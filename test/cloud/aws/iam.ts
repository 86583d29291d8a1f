/**
 * IAM of the small AWS: it is played. The roles and policies are those of the deployed templates, evaluated here for every call that comes
 * through the proxy; moto checks nothing. The account itself may do anything.
 */
import { type Check, type Context, meansPrincipal, readStatements, type Statement, speaksOf } from './policy.ts';
import { ACCOUNT, type Part, type Principal, REGION } from './service.ts';
import type { DeployedResource, DeployedStack, Mapping } from './template.ts';

export { actionOf, checksOf, type Facts, listCheck } from './iam-actions.ts';
export type { Check, Context } from './policy.ts';

/** A statement of a role, with a name for people. */
export interface RoleStatement {
  /** `ROLE-ID/POLICY#2`. */
  readonly id: string;
  readonly statement: Statement;
}

export interface Role {
  readonly name: string;
  readonly arn: string;
  /** In the template. */
  readonly id: string;
  readonly trust: readonly Statement[];
  readonly statements: readonly RoleStatement[];
  /** Of its permissions boundary. */
  readonly boundary?: readonly Statement[];
}

/** Policies of AWS's own that the CDK attaches to its helpers. */
const MANAGED: { readonly [name: string]: Statement } = {
  'service-role/AWSLambdaBasicExecutionRole': {
    Effect: 'Allow',
    Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: '*',
  },
};

/** The transport is loopback's plain HTTP, played as TLS: what the template denies to anything else is not denied here. */
const TRANSPORT: Context = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };

export class Iam implements Part {
  readonly #roles = new Map<string, Role>();
  /** By stack, policies on resources. */
  readonly #resourcePolicies = new Map<string, readonly Statement[]>();
  readonly #stacks = new Map<string, ReadonlySet<string>>();
  readonly #removed = new Set<string>();
  readonly #used = new Set<string>();

  /** What the stack had before is forgotten. @throws Error for a policy that could be misread */
  deployed(stack: DeployedStack): void {
    const resources = [...stack.resources.values()];
    for (const name of this.#stacks.get(stack.name) ?? []) this.#roles.delete(name);
    const roles = readRoles(resources);
    for (const role of roles) this.#roles.set(role.name, role);
    this.#stacks.set(stack.name, new Set(roles.map(({ name }) => name)));
    this.#resourcePolicies.set(stack.name, readResourcePolicies(resources));
  }

  roles(): readonly Role[] {
    return [...this.#roles.values()];
  }

  /** By name or ARN. */
  role(nameOrArn: string): Role | undefined {
    return this.#roles.get(nameOrArn.replace(/^arn:[^:]*:iam::\d*:role\/(?:.*\/)?/, ''));
  }

  allowed(
    principal: Principal,
    service: string,
    action: string,
    resources: readonly string[],
    context: Context = {},
  ): boolean {
    return resources.every(
      (resource) => this.refusal(principal, [{ action: `${service}:${action}`, resource, context }]) === undefined,
    );
  }

  /** Undefined if all is allowed; else why not, in the words of IAM. */
  refusal(principal: Principal, checks: readonly Check[]): string | undefined {
    for (const check of checks) {
      const reason = this.#reason(principal, { ...check, context: { ...TRANSPORT, ...check.context } });
      if (reason !== undefined) {
        const who = `arn:aws:sts::${ACCOUNT}:assumed-role/${principal.role ?? '?'}/session`;
        const on = check.resource === '*' ? '' : ` on resource: ${[check.resource].flat()[0]}`;
        return `User: ${who} is not authorized to perform: ${check.action}${on} because ${reason} the ${check.action} action`;
      }
    }
    return undefined;
  }

  #reason(principal: Principal, check: Check): string | undefined {
    if (principal.kind === 'account') return undefined;
    const role = this.#roles.get(principal.role ?? '');
    if (role === undefined) return 'no deployed role has this key, so nothing allows';
    const speaking = role.statements.filter(
      ({ id, statement }) => !this.#removed.has(id) && speaksOf(statement, check),
    );
    const arn = role.arn;
    const denies = ({ Effect }: Statement) => Effect === 'Deny';
    if (speaking.some(({ statement }) => denies(statement))) return 'an identity-based policy explicitly denies';
    const onResource = this.#onResource(check).filter((statement) => meansPrincipal(statement, 'AWS', arn));
    if (onResource.some(denies)) return 'a resource-based policy explicitly denies';
    if (role.boundary !== undefined) {
      const bound = role.boundary.filter((statement) => speaksOf(statement, check));
      if (bound.length === 0 || bound.some(denies)) return 'no permissions boundary allows';
    }
    const [first] = speaking;
    if (first === undefined && onResource.length === 0) return 'no identity-based policy allows';
    if (first !== undefined) this.#used.add(first.id);
    return undefined;
  }

  /** Whether a service may do this to a resource, by the resource's own policy (a function's permission, a queue's policy). */
  serviceAllowed(service: string, check: Check): boolean {
    const speaking = this.#onResource({ ...check, context: { ...TRANSPORT, ...check.context } }).filter((statement) =>
      meansPrincipal(statement, 'Service', service),
    );
    return speaking.length > 0 && speaking.every(({ Effect }) => Effect === 'Allow');
  }

  #onResource(check: Check): Statement[] {
    return [...this.#resourcePolicies.values()].flat().filter((statement) => speaksOf(statement, check));
  }

  /** Whether a service of this account may act as a role, by the role's trust policy. */
  mayAssume(nameOrArn: string, service: string): boolean {
    const check = { action: 'sts:AssumeRole', resource: '*', context: { 'aws:SourceAccount': ACCOUNT } };
    const role = this.role(nameOrArn);
    const speaking = (role?.trust ?? []).filter(
      (statement) => speaksOf(statement, check) && meansPrincipal(statement, 'Service', service),
    );
    return speaking.length > 0 && speaking.every(({ Effect }) => Effect === 'Allow');
  }

  /** Ids of statements that allowed something since the last `forget`. */
  used(): readonly string[] {
    return [...this.#used];
  }

  forget(): void {
    this.#used.clear();
  }

  /** As if the statement were not there, until the returned function is called. */
  without(id: string): () => void {
    this.#removed.add(id);
    return () => void this.#removed.delete(id);
  }
}

function readRoles(resources: readonly DeployedResource[]): Role[] {
  const ofType = (type: string) => resources.filter((each) => each.type === type);
  const managed = new Map(
    ofType('AWS::IAM::ManagedPolicy').map(({ physicalId, properties }) => [physicalId, policyOf(properties)[1]]),
  );
  const managedStatements = (arn: string): readonly Statement[] => {
    const own = /:iam::aws:policy\/(.+)$/.exec(arn)?.[1];
    const found = own === undefined ? managed.get(arn) : MANAGED[own] && [MANAGED[own]];
    if (found === undefined) throw new Error(`Unknown managed policy ${arn}`);
    return found;
  };
  return ofType('AWS::IAM::Role').map(({ id, physicalId: name, properties }) => {
    const { PermissionsBoundary: boundary, AssumeRolePolicyDocument } = properties;
    const list = (key: string) => (properties[key] ?? []) as Mapping[];
    const attached = ofType('AWS::IAM::Policy').filter((each) => (each.properties.Roles as string[]).includes(name));
    const policies = [
      ...list('Policies').map(policyOf),
      ...attached.map((each) => policyOf(each.properties)),
      ...list('ManagedPolicyArns').map((arn) => [String(arn), managedStatements(String(arn))] as const),
    ];
    return {
      name,
      id,
      arn: `arn:aws:iam::${ACCOUNT}:role${properties.Path ?? '/'}${name}`,
      trust: readStatements(AssumeRolePolicyDocument),
      statements: policies.flatMap(([policy, statements]) =>
        statements.map((statement, i) => ({ id: `${id}/${policy}#${i}`, statement })),
      ),
      ...(boundary !== undefined && { boundary: managedStatements(String(boundary)) }),
    };
  });
}

function policyOf({ PolicyName, PolicyDocument }: Mapping): readonly [name: string, statements: readonly Statement[]] {
  return [String(PolicyName), readStatements(PolicyDocument)];
}

/** Policies of buckets, queues and topics, and permissions of functions, which are statements of another form. */
function readResourcePolicies(resources: readonly DeployedResource[]): Statement[] {
  return resources.flatMap(({ type, properties }) => {
    if (['AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy'].includes(type))
      return readStatements(properties.PolicyDocument);
    if (type !== 'AWS::Lambda::Permission') return [];
    const { Action, FunctionName, Principal, SourceArn, SourceAccount } = properties;
    const name = String(FunctionName);
    return readStatements({
      Statement: {
        Effect: 'Allow',
        Action,
        Resource: name.startsWith('arn:') ? name : `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`,
        Principal: { Service: Principal },
        Condition: {
          ...(SourceArn !== undefined && { ArnLike: { 'aws:SourceArn': SourceArn } }),
          ...(SourceAccount !== undefined && { StringEquals: { 'aws:SourceAccount': SourceAccount } }),
        },
      },
    });
  });
}
