/**
 * Findings of cdk-nag's AwsSolutions pack that are meant to be so, each with its reason. A wildcard in a policy is acknowledged only
 * where it is one of those below: whatever else comes into a role is found.
 */
import type { IConstruct } from 'constructs';
import { cdk, ec2, ecs, iam, s3 } from './cdk.ts';
import { READS, ZONES } from './shared-network.ts';

interface Acknowledged {
  readonly id: string;
  readonly reason: string;
}

/** Actions for which the API knows no resources. */
const WITHOUT_RESOURCES = new Set([
  ...['states:SendTaskFailure', 'states:SendTaskHeartbeat', 'states:SendTaskSuccess'],
  ...['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
  'ecr:GetAuthorizationToken',
  ...['logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:DescribeLogGroups', 'logs:DescribeResourcePolicies'],
  ...['logs:GetLogDelivery', 'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:UpdateLogDelivery'],
  // For aws> (aws-permissions.ts): jobs and tasks whose names are known only after their start.
  ...['batch:DescribeJobs', 'batch:TerminateJob', 'ecs:DescribeTasks', 'ecs:StopTask'],
  ...['elasticmapreduce:DescribeCluster', 'elasticmapreduce:RunJobFlow', 'elasticmapreduce:TerminateJobFlows'],
  ...['mediaconvert:CancelJob', 'mediaconvert:CreateJob', 'mediaconvert:GetJob'],
  ...['cloudwatch:PutMetricData', 's3:ListAllMyBuckets'],
  // For the function that makes the shared network, through CloudFormation only (shared-network.ts).
  ...READS,
  ...ZONES,
]);

const WILDCARDS: readonly (readonly [resource: RegExp, reason: string])[] = [
  [/\/assignments\/\*$/, 'Each container has an assignment of its own; its name is not known beforehand'],
  [
    /\/attempts\/(?:[^*/]+\/)?\*\/(?:values|results)\/\*$/,
    'Each execution has a folder of its own in this bucket; its name is not known beforehand',
  ],
  [/:role\/trowel\/[^*]+\/\*$/, 'So many roles of this project’s tasks that a policy cannot name each'],
  [/\/attempts\/\*$/, 'Each execution has a folder of its own in this bucket; its name is not known beforehand'],
  [/\/[^/]*\*\.zip$/, 'Executions that began before a deploy run with the bundle of that time'],
  [
    /:task-definition\/[\w-]+-\*:\*$/,
    'So many task definitions of this project that a policy cannot name each; executions that began before a deploy run with older revisions',
  ],
  [/:task-definition\/[\w-]+:\*$/, 'Executions that began before a deploy run with the revision of that time'],
  [/:secret:trowel\/[\w-]+\/\*$/, 'The secrets of this project; a key may be an expression, known when it runs'],
  [/^<\w*Function\w+\.Arn>:\*$/, 'Executions that began before a deploy call the versions of that time'],
  [
    /:execution:[\w-]+-\*:\*$|:stateMachine:[\w-]+-\*$/,
    'So many state machines of this project that a policy cannot name each',
  ],
  [/:execution:[\w-]+:\*$/, 'Executions of this one state machine'],
  [/:identity\/\*$/, 'The sender of a mail> may be an expression; SES sends from verified identities alone'],
  [/:function:[\w-]+:\*$/, 'Versions and aliases of this one function'],
  [/:stack\/TrowelNetwork\/\*$/, 'This one stack, whose id is known when it has been made'],
  [/:ec2:[^*]*:\*\/\*$/, 'Through CloudFormation only, for what is in the one stack that the role may make'],
  [
    /^arn:<AWS::Partition>:s3:::[^*]+\/[^*]*\*/,
    'The key that an s3_wait> or aws> asks for holds an expression, known when it runs',
  ],
  [/:athena:[^*]*:(datacatalog|workgroup)\/\*$/, 'A query’s text names its catalogs, and its id tells no workgroup'],
  [
    /^arn:<AWS::Partition>:[\w-]+:<AWS::Region>:<AWS::AccountId>:\/?[\w-]+[/:][^*]+\*/,
    'What an aws> names: a part of its name is an expression, or it is what belongs to it (indexes, revisions, runs)',
  ],
];

const REASONS: readonly (readonly [applies: (node: IConstruct) => boolean, id: string, reason: string])[] = [
  [
    (node) => node instanceof s3.CfnBucket,
    'AwsSolutions-S1',
    'Values between tasks, read and written by roles of this stack alone; an access log costs a second bucket',
  ],
  [
    (node) => node instanceof ec2.CfnVPC,
    'AwsSolutions-VPC7',
    'Nothing listens in this VPC; whoever wants flow logs gives a VPC of their own',
  ],
  [
    (node) => node instanceof ecs.CfnCluster,
    'AwsSolutions-ECS4',
    'Container Insights are charged by metric and a prop of the construct; alarms watch executions',
  ],
  [
    (node) => node instanceof ecs.CfnTaskDefinition,
    'AwsSolutions-ECS2',
    'Names of a bucket and of a bundle; secrets come through the task definition’s secrets',
  ],
];

export function acknowledge(scope: IConstruct): void {
  for (const node of scope.node.findAll()) {
    const found = [
      ...REASONS.filter(([applies]) => applies(node)).map(([, id, reason]) => ({ id, reason })),
      ...(node instanceof iam.CfnRole || node instanceof iam.CfnPolicy ? wildcards(node) : []),
    ];
    if (found.length > 0) cdk.Validations.of(node).acknowledge(...found);
  }
}

interface Statement {
  readonly Action?: string | readonly string[];
  readonly Resource?: unknown;
}

function wildcards(node: InstanceType<typeof iam.CfnRole> | InstanceType<typeof iam.CfnPolicy>): Acknowledged[] {
  const documents = node instanceof iam.CfnRole ? node.policies : [{ policyDocument: node.policyDocument }];
  const resolved = (cdk.Stack.of(node).resolve(documents) ?? []) as readonly {
    readonly policyDocument: { readonly Statement: readonly Statement[] };
  }[];
  const statements = resolved.flatMap(({ policyDocument }) => policyDocument.Statement);
  const found = new Map<string, string>();
  const everything = statements.filter(({ Resource }) => asList(Resource).includes('*'));
  if (
    everything.length > 0 &&
    everything.every(({ Action }) => asList(Action).every((each) => WITHOUT_RESOURCES.has(String(each))))
  )
    found.set('*', 'These actions know no resources');
  for (const resource of statements.flatMap(({ Resource }) => asList(Resource)).map(flat)) {
    const reason = resource.includes('*') && WILDCARDS.find(([pattern]) => pattern.test(resource))?.[1];
    if (reason) found.set(resource, reason);
  }
  return [...found].map(([resource, reason]) => ({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason }));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** A reference of a template as cdk-nag writes it: `<Bucket.Arn>/attempts/*`. */
function flat(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  const [[name, inner] = ['', '']] = Object.entries(value);
  if (name === 'Ref') return `<${String(inner)}>`;
  if (name === 'Fn::GetAtt') return `<${asList(inner).join('.')}>`;
  if (name === 'Fn::Sub') return String(asList(inner)[0]).replaceAll(/\$\{([^}]+)\}/g, '<$1>');
  if (name !== 'Fn::Join') return '';
  const [separator, parts] = inner as [string, unknown[]];
  return parts.map(flat).join(separator);
}
