/**
 * What an aws> may do: IAM actions and resources from its service:action and literal arguments. The table is that of Step Functions' pages
 * "IAM policies for …" (docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html; `.sync` needs more than the call
 * itself). Other actions are `service:Action`, on a resource that a well-known argument names. What cannot be derived is left to the user.
 */
import { isMapping } from '../asl/json.ts';
import type { Mapping, Value } from '../language/workflow.ts';

export interface Grant {
  readonly actions: readonly string[];
  /** ARNs with `<partition>`, `<region>` and `<account>`. */
  readonly resources: readonly string[];
  /** For iam:PassRole: the service that may be given the role. */
  readonly passedTo?: string;
}

export interface Permissions {
  readonly grants: readonly Grant[];
  /** Rights that only the user can name, in words: `iam:PassRole for the roles of the task definition`. */
  readonly missing: readonly string[];
}

interface Rule {
  readonly actions: readonly string[];
  /** ARNs with `{Argument}` or `{Argument=default}`. */
  readonly on: readonly string[];
  readonly sync?: {
    readonly actions: readonly string[];
    readonly on: readonly string[];
    /** EventBridge rule through which Step Functions learns of the end. */
    readonly rule?: string;
  };
  /** Argument with the role under which the job runs, and the service that gets the role. */
  readonly pass?: readonly [argument: string, service: string];
  readonly missing?: string;
}

const here = (service: string, resource: string): string => `arn:<partition>:${service}:<region>:<account>:${resource}`;

const ATHENA_DATA =
  'what the query reads and writes (s3:GetObject and s3:ListBucket on the tables’ buckets, s3:PutObject and s3:GetBucketLocation on that of the results, glue:GetTable and glue:GetPartitions in the catalog)';

function sageMaker(kind: string): Rule {
  const [name, path] = [`{${kind}JobName}*`, `${kind.toLowerCase()}-job`];
  const on = [here('sagemaker', `${path}/${name}`)];
  return {
    actions: [`sagemaker:Create${kind}Job`, 'sagemaker:AddTags'],
    on,
    sync: {
      actions: [`sagemaker:Describe${kind}Job`, `sagemaker:Stop${kind}Job`],
      on,
      rule: `StepFunctionsGetEventsForSageMaker${kind}JobsRule`,
    },
    ...(kind !== 'Transform' && { pass: ['RoleArn', 'sagemaker.amazonaws.com'] as const }),
  };
}

const CLUSTER = [here('elasticmapreduce', 'cluster/{ClusterId}')];
const PROJECT = [here('codebuild', 'project/{ProjectName}')];
const APPLICATION = here('emr-serverless', '/applications/{ApplicationId}');
const VIRTUAL = here('emr-containers', '/virtualclusters/{VirtualClusterId}');
const EVERYWHERE = ['*'];

/** By `service:action` as aws> has it. */
const RULES: { readonly [action: string]: Rule } = {
  'athena:startQueryExecution': {
    actions: ['athena:StartQueryExecution', 'athena:GetDataCatalog'],
    on: [here('athena', 'workgroup/{WorkGroup=primary}'), here('athena', 'datacatalog/*')],
    sync: {
      actions: ['athena:GetQueryExecution', 'athena:StopQueryExecution'],
      on: [here('athena', 'workgroup/{WorkGroup=primary}')],
    },
    missing: ATHENA_DATA,
  },
  // A query's id does not contain its workgroup.
  ...Object.fromEntries(
    ['stopQueryExecution', 'getQueryExecution', 'getQueryResults'].map((action) => [
      `athena:${action}`,
      {
        actions: [`athena:${capital(action)}`],
        on: [here('athena', 'workgroup/*')],
        ...(action === 'getQueryResults' && { missing: 's3:GetObject on the results of the query' }),
      },
    ]),
  ),
  // Batch has resources for queues and definitions, and none for jobs.
  'batch:submitJob': {
    actions: ['batch:SubmitJob'],
    on: [here('batch', 'job-queue/{JobQueue}'), here('batch', 'job-definition/{JobDefinition}*')],
    sync: {
      actions: ['batch:DescribeJobs', 'batch:TerminateJob'],
      on: EVERYWHERE,
      rule: 'StepFunctionsGetEventsForBatchJobsRule',
    },
  },
  'bedrock:invokeModel': {
    actions: ['bedrock:InvokeModel'],
    on: ['arn:<partition>:bedrock:<region>::foundation-model/{ModelId}'],
  },
  'codebuild:startBuild': {
    actions: ['codebuild:StartBuild'],
    on: PROJECT,
    sync: {
      actions: ['codebuild:StopBuild', 'codebuild:BatchGetBuilds'],
      on: PROJECT,
      rule: 'StepFunctionsGetEventForCodeBuildStartBuildRule',
    },
  },
  'databrew:startJobRun': {
    actions: ['databrew:StartJobRun'],
    on: [here('databrew', 'job/{Name}')],
    sync: {
      actions: ['databrew:ListJobRuns', 'databrew:DescribeJobRun', 'databrew:StopJobRun'],
      on: [here('databrew', 'job/{Name}')],
    },
  },
  // A task's id is known when it has been started, and no sooner.
  'ecs:runTask': {
    actions: ['ecs:RunTask'],
    on: [here('ecs', 'task-definition/{TaskDefinition}')],
    sync: {
      actions: ['ecs:StopTask', 'ecs:DescribeTasks'],
      on: EVERYWHERE,
      rule: 'StepFunctionsGetEventsForECSTaskRule',
    },
    missing: 'iam:PassRole on the task role and the execution role of the task definition',
  },
  'elasticmapreduce:addStep': {
    actions: ['elasticmapreduce:AddJobFlowSteps'],
    on: CLUSTER,
    sync: {
      actions: ['elasticmapreduce:DescribeStep', 'elasticmapreduce:CancelSteps'],
      on: CLUSTER,
      rule: 'StepFunctionsGetEventForEMRAddJobFlowStepsRule',
    },
  },
  'elasticmapreduce:cancelStep': { actions: ['elasticmapreduce:CancelSteps'], on: CLUSTER },
  'elasticmapreduce:createCluster': {
    actions: ['elasticmapreduce:RunJobFlow'],
    on: EVERYWHERE,
    sync: {
      actions: ['elasticmapreduce:DescribeCluster', 'elasticmapreduce:TerminateJobFlows'],
      on: EVERYWHERE,
      rule: 'StepFunctionsGetEventForEMRRunJobFlowRule',
    },
    missing: 'iam:PassRole on the roles of the cluster (ServiceRole, JobFlowRole)',
  },
  'elasticmapreduce:modifyInstanceFleetByName': {
    actions: ['elasticmapreduce:ModifyInstanceFleet', 'elasticmapreduce:ListInstanceFleets'],
    on: CLUSTER,
  },
  'elasticmapreduce:modifyInstanceGroupByName': {
    actions: ['elasticmapreduce:ModifyInstanceGroups', 'elasticmapreduce:ListInstanceGroups'],
    on: CLUSTER,
  },
  'elasticmapreduce:setClusterTerminationProtection': {
    actions: ['elasticmapreduce:SetTerminationProtection'],
    on: CLUSTER,
  },
  'elasticmapreduce:terminateCluster': {
    actions: ['elasticmapreduce:TerminateJobFlows'],
    on: CLUSTER,
    sync: {
      actions: ['elasticmapreduce:DescribeCluster'],
      on: CLUSTER,
      rule: 'StepFunctionsGetEventForEMRTerminateJobFlowsRule',
    },
  },
  'emr-containers:startJobRun': {
    actions: ['emr-containers:StartJobRun'],
    on: [VIRTUAL],
    sync: { actions: ['emr-containers:DescribeJobRun', 'emr-containers:CancelJobRun'], on: [`${VIRTUAL}/jobruns/*`] },
  },
  'emr-containers:deleteVirtualCluster': {
    actions: ['emr-containers:DeleteVirtualCluster'],
    on: [VIRTUAL],
    sync: { actions: ['emr-containers:DescribeVirtualCluster'], on: [VIRTUAL] },
  },
  'emr-serverless:startJobRun': {
    actions: ['emr-serverless:StartJobRun'],
    on: [APPLICATION],
    sync: {
      actions: ['emr-serverless:GetJobRun', 'emr-serverless:CancelJobRun'],
      on: [`${APPLICATION}/jobruns/*`],
      rule: 'StepFunctionsGetEventsForEMRServerlessJobRule',
    },
    pass: ['ExecutionRoleArn', 'emr-serverless.amazonaws.com'],
  },
  'emr-serverless:cancelJobRun': { actions: ['emr-serverless:CancelJobRun'], on: [`${APPLICATION}/jobruns/*`] },
  ...Object.fromEntries(
    ['startApplication', 'stopApplication'].map((action) => [
      `emr-serverless:${action}`,
      {
        actions: [`emr-serverless:${capital(action)}`],
        on: [APPLICATION],
        sync: {
          actions: ['emr-serverless:GetApplication', 'emr-serverless:StopApplication'],
          on: [APPLICATION],
          rule: 'StepFunctionsGetEventsForEMRServerlessApplicationRule',
        },
      },
    ]),
  ),
  'glue:startJobRun': {
    actions: ['glue:StartJobRun'],
    on: [here('glue', 'job/{JobName}')],
    sync: {
      actions: ['glue:GetJobRun', 'glue:GetJobRuns', 'glue:BatchStopJobRun'],
      on: [here('glue', 'job/{JobName}')],
    },
  },
  'glue:startCrawler': { actions: ['glue:StartCrawler'], on: [here('glue', 'crawler/{Name}')] },
  'mediaconvert:createJob': {
    actions: ['mediaconvert:CreateJob'],
    on: EVERYWHERE,
    sync: {
      actions: ['mediaconvert:GetJob', 'mediaconvert:CancelJob'],
      on: EVERYWHERE,
      rule: 'StepFunctionsGetEventsForMediaConvertJobRule',
    },
    pass: ['Role', 'mediaconvert.amazonaws.com'],
  },
  'sagemaker:createProcessingJob': sageMaker('Processing'),
  'sagemaker:createTrainingJob': sageMaker('Training'),
  'sagemaker:createTransformJob': sageMaker('Transform'),
  'states:startExecution': {
    actions: ['states:StartExecution'],
    on: [here('states', 'stateMachine:{StateMachineArn}')],
    sync: {
      actions: ['states:DescribeExecution', 'states:StopExecution'],
      on: [here('states', 'execution:{StateMachineArn}:*')],
      rule: 'StepFunctionsGetEventsForStepFunctionsExecutionRule',
    },
  },
  // Messages to a telephone know no resource.
  'sns:publish': { actions: ['sns:Publish'], on: [here('sns', '{TopicArn}')] },
  'sqs:sendMessage': { actions: ['sqs:SendMessage'], on: [here('sqs', '{QueueUrl}')] },
  'events:putEvents': {
    actions: ['events:PutEvents'],
    on: [here('events', 'event-bus/{Entries.*.EventBusName=default}')],
  },
  // S3's actions are not called as its operations are.
  's3:headObject': { actions: ['s3:GetObject'], on: ['arn:<partition>:s3:::{Bucket}/{Key}'] },
  's3:headBucket': { actions: ['s3:ListBucket'], on: ['arn:<partition>:s3:::{Bucket}'] },
  's3:listObjects': { actions: ['s3:ListBucket'], on: ['arn:<partition>:s3:::{Bucket}'] },
  's3:listObjectsV2': { actions: ['s3:ListBucket'], on: ['arn:<partition>:s3:::{Bucket}'] },
  's3:listObjectVersions': { actions: ['s3:ListBucketVersions'], on: ['arn:<partition>:s3:::{Bucket}'] },
  's3:listBuckets': { actions: ['s3:ListAllMyBuckets'], on: EVERYWHERE },
  's3:deleteObjects': { actions: ['s3:DeleteObject'], on: ['arn:<partition>:s3:::{Bucket}/*'] },
  's3:copyObject': {
    actions: ['s3:PutObject'],
    on: ['arn:<partition>:s3:::{Bucket}/{Key}'],
    missing: 's3:GetObject on what is copied',
  },
  'lambda:invoke': { actions: ['lambda:InvokeFunction'], on: [here('lambda', 'function:{FunctionName}')] },
  'cloudwatch:putMetricData': { actions: ['cloudwatch:PutMetricData'], on: EVERYWHERE },
};

/** Step Functions' name of a service (in `aws-sdk:NAME:action`) where IAM has another. */
const PREFIXES: { readonly [service: string]: string } = {
  applicationautoscaling: 'application-autoscaling',
  bedrockagentruntime: 'bedrock',
  bedrockruntime: 'bedrock',
  cloudwatchlogs: 'logs',
  cognitoidentityprovider: 'cognito-idp',
  costexplorer: 'ce',
  databasemigration: 'dms',
  efs: 'elasticfilesystem',
  elasticloadbalancingv2: 'elasticloadbalancing',
  emr: 'elasticmapreduce',
  emrcontainers: 'emr-containers',
  emrserverless: 'emr-serverless',
  eventbridge: 'events',
  rdsdata: 'rds-data',
  redshiftdata: 'redshift-data',
  resourcegroupstaggingapi: 'tag',
  sagemakerruntime: 'sagemaker',
  sesv2: 'ses',
  sfn: 'states',
  timestreamquery: 'timestream',
  timestreamwrite: 'timestream',
};

/** Arguments that name the resource of most of a service's actions. */
const RESOURCES: { readonly [prefix: string]: readonly string[] } = {
  dynamodb: [here('dynamodb', 'table/{TableName}'), here('dynamodb', 'table/{TableName}/index/*')],
  firehose: [here('firehose', 'deliverystream/{DeliveryStreamName}')],
  kinesis: [here('kinesis', 'stream/{StreamName}')],
  lambda: [here('lambda', 'function:{FunctionName}')],
  logs: [here('logs', 'log-group:{LogGroupName}:*')],
  // Secrets Manager puts six characters after a secret's name.
  secretsmanager: [here('secretsmanager', 'secret:{SecretId}-??????')],
  sns: [here('sns', '{TopicArn}')],
  sqs: [here('sqs', '{QueueUrl}')],
  ssm: [here('ssm', 'parameter/{Name}')],
};

/** @param resource a Task's `Resource`; @param args its arguments, expressions among them as `${…}` */
export function permissionsOf(resource: string, args: Mapping): Permissions {
  const [, service = '', action = '', suffix] =
    /^arn:aws:states:::(?:aws-sdk:)?([\w-]+):(\w+)(\.\w+(?::2)?)?$/.exec(resource) ?? [];
  const rule = Object.hasOwn(RULES, `${service}:${action}`)
    ? RULES[`${service}:${action}`]
    : generalRule(service, action, args);
  const sync = suffix?.startsWith('.sync') === true;
  const grants: Grant[] = [];
  const missing: string[] = rule?.missing === undefined ? [] : [rule.missing];
  const allow = (actions: readonly string[], on: readonly string[]): void => {
    const resources = on.map((arn) => filled(arn, args));
    const known = resources.filter((each) => each !== undefined);
    if (known.length === resources.length && known.length > 0) grants.push({ actions, resources: known });
    else missing.push(actions.join(', '));
  };
  if (rule === undefined || (sync && rule.sync === undefined)) {
    return { grants: [], missing: [`what ${service}:${action}${suffix ?? ''} asks for`] };
  }
  allow(rule.actions, rule.on);
  if (sync && rule.sync !== undefined) {
    allow(rule.sync.actions, rule.sync.on);
    const events = ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'];
    if (rule.sync.rule !== undefined) allow(events, [here('events', `rule/${rule.sync.rule}`)]);
  }
  if (rule.pass !== undefined) {
    const [argument, passedTo] = rule.pass;
    const role = filled(`{${argument}}`, args);
    if (role === undefined) missing.push(`iam:PassRole on the job’s role (${argument})`);
    else grants.push({ actions: ['iam:PassRole'], resources: [role], passedTo });
  }
  return { grants, missing };
}

function generalRule(service: string, action: string, args: Mapping): Rule | undefined {
  const prefix = PREFIXES[service] ?? service;
  const actions = [`${prefix}:${capital(action)}`];
  if (prefix === 's3') {
    const path = 'Key' in args ? '/{Key}' : '';
    return { actions, on: [`arn:<partition>:s3:::{Bucket}${path}`] };
  }
  const known = Object.hasOwn(RESOURCES, prefix) ? RESOURCES[prefix] : undefined;
  if (known !== undefined) return { actions, on: known };
  // An ARN of the service's own among the arguments is what the action is about.
  const arn = Object.entries(args).find(
    ([name, value]) => /Arn$/i.test(name) && typeof value === 'string' && value.split(':')[2] === prefix,
  );
  return { actions, on: arn === undefined ? ['{}'] : [`{${arn[0]}}`] };
}

/** The ARN with arguments put in; undefined where one is absent, or nothing but an expression. */
function filled(arn: string, args: Mapping): string | undefined {
  const [hole, path, , fallback] = /\{([^{}=]*)(=([^{}]*))?\}/.exec(arn) ?? [];
  if (hole === undefined || path === undefined) return arn;
  const value = argument(path.split('.'), args) ?? fallback;
  if (value === undefined) return undefined;
  const text = name(path, value);
  // Whether a text is nothing but an expression, in any spelling.
  if (text === undefined || /^\**$|^\{%/.test(text)) return undefined;
  if (!text.startsWith('arn:'))
    return filled(
      arn.replace(hole, () => text),
      args,
    );
  // An ARN stands for itself, a secret's with its six characters; executions are named after their machine.
  const after = arn.slice(arn.indexOf(hole) + hole.length);
  const own = arn.includes(':execution:') ? text.replace(':stateMachine:', ':execution:') : text;
  return after.includes('?') ? own : own + after;
}

/** `*` goes into a list; its first element stands for all. */
function argument([first = '', ...rest]: readonly string[], value: Value | undefined): string | undefined {
  if (first === '' && rest.length === 0) return typeof value === 'string' ? value : undefined;
  if (first === '*') return Array.isArray(value) ? argument(rest, value[0]) : undefined;
  return isMapping(value) ? argument(rest, value[first]) : undefined;
}

/** The part of an ARN that an argument gives. The value of an expression is known only during the run, so it becomes `*`. */
function name(argument: string, value: string): string | undefined {
  const text = value.replaceAll(/\$\{[^}]*\}/g, '*');
  // https://sqs.eu-west-1.amazonaws.com/123456789012/queue
  if (argument === 'QueueUrl') return text.startsWith('http') ? text.split('/').at(-1) : undefined;
  if (argument === 'TopicArn') return text.startsWith('arn:') ? text : undefined;
  // A revision, or any.
  if (argument === 'TaskDefinition') return text.includes(':') ? text : `${text}:*`;
  return argument === 'Name' ? text.replace(/^\//, '') : text;
}

function capital(action: string): string {
  return action.charAt(0).toUpperCase() + action.slice(1);
}
