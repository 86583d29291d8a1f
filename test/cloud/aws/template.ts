/**
 * Reads a deployed stack back from CloudFormation and gives every intrinsic function its value. Physical names are moto's where it knows
 * them; versions of functions are counted here, for moto gives them no name.
 */
import {
  type CloudFormationClient,
  DescribeStackResourcesCommand,
  GetTemplateCommand,
} from '@aws-sdk/client-cloudformation';
import { ACCOUNT, REGION } from './service.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export interface Mapping {
  [key: string]: Json;
}

export interface DeployedResource {
  readonly id: string;
  readonly type: string;
  /** What `Ref` gives. */
  readonly physicalId: string;
  /** Resolved. */
  readonly properties: Mapping;
  /** `Retain` or `Delete`: what becomes of what an update replaces. */
  readonly updateReplacePolicy?: string;
  /** What becomes of it with the stack. */
  readonly deletionPolicy?: string;
}

export interface DeployedStack {
  readonly name: string;
  readonly resources: ReadonlyMap<string, DeployedResource>;
  /** By the outputs' names. */
  readonly outputs: { readonly [name: string]: string };
  ofType(type: string): DeployedResource[];
  /** The attribute of a resource. */
  attribute(id: string, name: string): string;
}

export interface Template {
  readonly Resources: {
    readonly [id: string]: {
      readonly Type: string;
      readonly Properties?: Mapping;
      readonly UpdateReplacePolicy?: string;
      readonly DeletionPolicy?: string;
    };
  };
  readonly Parameters?: { readonly [id: string]: { readonly Type: string; readonly Default?: Json } };
  readonly Conditions?: { readonly [id: string]: Json };
  readonly Mappings?: { readonly [id: string]: { readonly [key: string]: { readonly [key: string]: Json } } };
  readonly Outputs?: { readonly [id: string]: { readonly Value: Json; readonly Condition?: string } };
}

/** Names that no deploy gives: kept from one to the next. */
export class Names {
  readonly #versions = new Map<string, string>();
  readonly #count = new Map<string, number>();
  /** Attributes of resources whose function has told them, by stack and id. */
  readonly #told = new Map<string, { readonly [name: string]: string }>();

  /** @param id logical, new for each version */
  version(id: string, functionArn: string): string {
    const known = this.#versions.get(id);
    if (known !== undefined) return known;
    const number = (this.#count.get(functionArn) ?? 0) + 1;
    this.#count.set(functionArn, number);
    this.#versions.set(id, `${functionArn}:${number}`);
    return `${functionArn}:${number}`;
  }

  tell(stack: string, id: string, attributes: { readonly [name: string]: string }): void {
    this.#told.set(`${stack}/${id}`, attributes);
  }

  told(stack: string, id: string, attribute: string): string | undefined {
    return this.#told.get(`${stack}/${id}`)?.[attribute];
  }

  /** Of a stack that is gone. */
  forget(ids: Iterable<string>): void {
    for (const id of ids) this.#versions.delete(id);
  }
}

export async function readStack(name: string, client: CloudFormationClient, names: Names): Promise<DeployedStack> {
  const { TemplateBody = '{}' } = await client.send(new GetTemplateCommand({ StackName: name }));
  const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: name }));
  const known = new Map(
    StackResources.flatMap(({ LogicalResourceId, PhysicalResourceId }) =>
      LogicalResourceId && PhysicalResourceId && PhysicalResourceId !== 'None'
        ? [[LogicalResourceId, PhysicalResourceId] as const]
        : [],
    ),
  );
  return resolveStack(name, JSON.parse(TemplateBody) as Template, known, names);
}

export function resolveStack(
  name: string,
  template: Template,
  known: ReadonlyMap<string, string>,
  names: Names,
): DeployedStack {
  const resolver = new Resolver(name, template, known, names);
  const resources = new Map(
    Object.entries(template.Resources).map(([id, { Type: type, Properties = {}, ...policies }]) => [
      id,
      {
        ...{ id, type, physicalId: resolver.ref(id), properties: resolver.resolve(Properties) as Mapping },
        ...(policies.UpdateReplacePolicy !== undefined && { updateReplacePolicy: policies.UpdateReplacePolicy }),
        ...(policies.DeletionPolicy !== undefined && { deletionPolicy: policies.DeletionPolicy }),
      },
    ]),
  );
  return {
    name,
    resources,
    outputs: Object.fromEntries(
      Object.entries(template.Outputs ?? {}).map(([id, { Value }]) => [id, String(resolver.resolve(Value))]),
    ),
    ofType: (type) => [...resources.values()].filter((each) => each.type === type),
    attribute: (id, attribute) => resolver.attribute(id, attribute),
  };
}

const NOTHING = Symbol('AWS::NoValue');

class Resolver {
  readonly #stack: string;
  readonly #template: Template;
  readonly #known: ReadonlyMap<string, string>;
  readonly #names: Names;

  constructor(stack: string, template: Template, known: ReadonlyMap<string, string>, names: Names) {
    this.#stack = stack;
    this.#template = template;
    this.#known = known;
    this.#names = names;
  }

  resolve(value: Json): Json {
    const made = this.#resolve(value);
    return made === NOTHING ? null : made;
  }

  #resolve(value: Json): Json | typeof NOTHING {
    if (Array.isArray(value)) return value.map((each) => this.#resolve(each)).filter((each) => each !== NOTHING);
    if (value === null || typeof value !== 'object') return value;
    const [only, ...others] = Object.keys(value);
    if (only !== undefined && others.length === 0 && (only === 'Ref' || only.startsWith('Fn::'))) {
      return this.#intrinsic(only, value[only] ?? null);
    }
    const made: Mapping = {};
    for (const [key, each] of Object.entries(value)) {
      const resolved = this.#resolve(each);
      if (resolved !== NOTHING) made[key] = resolved;
    }
    return made;
  }

  #intrinsic(name: string, given: Json): Json | typeof NOTHING {
    switch (name) {
      case 'Ref':
        return given === 'AWS::NoValue' ? NOTHING : this.ref(String(given));
      case 'Fn::GetAtt': {
        const [id, attribute] = Array.isArray(given) ? given : String(given).split(/\.(.*)/s);
        return this.attribute(String(id), String(attribute));
      }
      case 'Fn::Join': {
        const [separator, list] = given as [string, Json];
        return (this.resolve(list) as Json[]).map(String).join(separator);
      }
      case 'Fn::Sub':
        return this.#sub(given);
      case 'Fn::Select': {
        const [index, list] = given as [Json, Json];
        return (this.resolve(list) as Json[])[Number(this.resolve(index))] ?? null;
      }
      case 'Fn::Split': {
        const [separator, text] = given as [string, Json];
        return String(this.resolve(text)).split(separator);
      }
      case 'Fn::FindInMap': {
        const [map = '', first = '', second = ''] = (given as Json[]).map((key) => String(this.resolve(key)));
        return this.#template.Mappings?.[map]?.[first]?.[second] ?? null;
      }
      case 'Fn::GetAZs':
        return ['a', 'b', 'c'].map((zone) => REGION + zone);
      case 'Fn::If': {
        const [condition, yes = null, no = null] = given as Json[];
        return this.#resolve(this.#condition(String(condition)) ? yes : no);
      }
      default:
        throw new Error(`The small AWS does not know ${name}`);
    }
  }

  #sub(given: Json): string {
    const [text, values] = Array.isArray(given) ? (given as [string, Mapping]) : [String(given), {}];
    return text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      if (Object.hasOwn(values, name)) return String(this.resolve(values[name] ?? null));
      const [id = '', attribute] = name.split(/\.(.*)/s);
      return attribute === undefined || name.startsWith('AWS::') ? this.ref(name) : this.attribute(id, attribute);
    });
  }

  #condition(name: string): boolean {
    const test = (value: Json): boolean => {
      const [only = '', given = null] = Object.entries(value as Mapping)[0] ?? [];
      const list = given as Json[];
      switch (only) {
        case 'Fn::Equals':
          return JSON.stringify(this.resolve(list[0] ?? null)) === JSON.stringify(this.resolve(list[1] ?? null));
        case 'Fn::Not':
          return !test(list[0] ?? null);
        case 'Fn::And':
          return list.every(test);
        case 'Fn::Or':
          return list.some(test);
        case 'Condition':
          return this.#condition(String(given));
        default:
          throw new Error(`The small AWS does not know the condition ${only}`);
      }
    };
    return test(this.#template.Conditions?.[name] ?? null);
  }

  ref(id: string): string {
    const pseudo = PSEUDO[id];
    if (pseudo !== undefined) return pseudo;
    if (id === 'AWS::StackName') return this.#stack;
    if (id === 'AWS::StackId') return `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${this.#stack}/0`;
    const parameter = this.#template.Parameters?.[id];
    if (parameter !== undefined) return String(parameter.Default ?? '');
    const resource = this.#template.Resources[id];
    if (resource === undefined) throw new Error(`The template names ${id}, which it does not have`);
    if (resource.Type === 'AWS::Lambda::Version') {
      const { FunctionName = null } = resource.Properties ?? {};
      return this.#names.version(id, functionArn(String(this.resolve(FunctionName))));
    }
    const named = NAME_PROPERTIES.map((key) => resource.Properties?.[key]).find((each) => each !== undefined);
    return this.#known.get(id) ?? (named === undefined ? `${this.#stack}-${id}` : String(this.resolve(named)));
  }

  attribute(id: string, name: string): string {
    const type = this.#template.Resources[id]?.Type ?? '';
    const physical = this.ref(id);
    if (type === 'AWS::IAM::Role' && name === 'Arn') {
      const path = this.resolve(this.#template.Resources[id]?.Properties?.Path ?? '/');
      return `arn:aws:iam::${ACCOUNT}:role${path}${physical}`;
    }
    const told = this.#names.told(this.#stack, id, name);
    if (told !== undefined) return told;
    const make = ATTRIBUTES[`${type} ${name}`];
    if (make !== undefined) return make(physical);
    // A name for what nothing here reads.
    return `${physical}/${name}`;
  }
}

const PSEUDO: { readonly [name: string]: string } = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

const NAME_PROPERTIES = ['Name', 'AlarmName', 'StateMachineName', 'ScheduleName', 'RoleName', 'PolicyName'];

function functionArn(name: string): string {
  return name.startsWith('arn:') ? name : `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
}

const last = (text: string): string => text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf(':')) + 1);

/** From what `Ref` gives. */
const ATTRIBUTES: { readonly [typeAndName: string]: (physical: string) => string } = {
  'AWS::S3::Bucket Arn': (name) => `arn:aws:s3:::${name}`,
  'AWS::S3::Bucket RegionalDomainName': (name) => `${name}.s3.${REGION}.amazonaws.com`,
  'AWS::SQS::Queue Arn': (url) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${last(url)}`,
  'AWS::SQS::Queue QueueName': last,
  'AWS::SNS::Topic TopicArn': (arn) => arn,
  'AWS::SNS::Topic TopicName': last,
  'AWS::Lambda::Function Arn': functionArn,
  'AWS::Lambda::Version Version': last,
  'AWS::ECS::Cluster Arn': (name) => `arn:aws:ecs:${REGION}:${ACCOUNT}:cluster/${name}`,
  'AWS::EC2::SecurityGroup GroupId': (id) => id,
  'AWS::Logs::LogGroup Arn': (name) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${name}:*`,
  'AWS::Events::Rule Arn': (name) => `arn:aws:events:${REGION}:${ACCOUNT}:rule/${name}`,
  'AWS::StepFunctions::StateMachine Arn': (arn) => arn,
  'AWS::StepFunctions::StateMachine Name': last,
  'AWS::CloudWatch::Alarm Arn': (name) => `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:${name}`,
  'AWS::KMS::Key Arn': (id) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${last(id)}`,
};
