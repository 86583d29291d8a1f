/** What the service part of a Task's resource means in the AWS SDK for JavaScript. Tables, from Step Functions' documentation. */

export interface Service {
  /** The npm package. */
  readonly module: string;
  /** Prefix of error names, e.g. `S3` of `S3.NoSuchKeyException`. */
  readonly prefix: string;
  /** Error of an exception that the service's model does not name. */
  readonly general: string;
}

/** Optimized integrations: their own service names and error prefixes. */
const OPTIMIZED: { readonly [service: string]: readonly [client: string, prefix: string, general: string] } = {
  athena: ['athena', 'Athena', 'AmazonAthenaException'],
  batch: ['batch', 'Batch', 'AWSBatchException'],
  bedrock: ['bedrock-runtime', 'Bedrock', 'AmazonBedrockException'],
  codebuild: ['codebuild', 'CodeBuild', 'AWSCodeBuildException'],
  databrew: ['databrew', 'DataBrew', 'AWSGlueDataBrewException'],
  dynamodb: ['dynamodb', 'DynamoDB', 'AmazonDynamoDBException'],
  ecs: ['ecs', 'ECS', 'AmazonECSException'],
  eks: ['eks', 'EKS', 'AmazonEKSException'],
  elasticmapreduce: ['emr', 'ElasticMapReduce', 'AmazonElasticMapReduceException'],
  'emr-containers': ['emr-containers', 'EMRContainers', 'AmazonEMRContainersException'],
  'emr-serverless': ['emr-serverless', 'EMRServerless', 'AWSEMRServerlessException'],
  events: ['eventbridge', 'EventBridge', 'AmazonEventBridgeException'],
  glue: ['glue', 'Glue', 'AWSGlueException'],
  lambda: ['lambda', 'Lambda', 'AWSLambdaException'],
  mediaconvert: ['mediaconvert', 'MediaConvert', 'AWSMediaConvertException'],
  sagemaker: ['sagemaker', 'SageMaker', 'AmazonSageMakerException'],
  sns: ['sns', 'SNS', 'AmazonSNSException'],
  sqs: ['sqs', 'SQS', 'AmazonSQSException'],
  states: ['sfn', 'StepFunctions', 'AWSStepFunctionsException'],
};

/** Services whose package is not `client-` and the name that Step Functions uses. */
const PACKAGES: { readonly [service: string]: string } = {
  applicationautoscaling: 'application-auto-scaling',
  autoscaling: 'auto-scaling',
  bedrockagentruntime: 'bedrock-agent-runtime',
  bedrockruntime: 'bedrock-runtime',
  cloudwatchlogs: 'cloudwatch-logs',
  cognitoidentityprovider: 'cognito-identity-provider',
  config: 'config-service',
  costexplorer: 'cost-explorer',
  databasemigration: 'database-migration-service',
  elasticloadbalancingv2: 'elastic-load-balancing-v2',
  emrcontainers: 'emr-containers',
  emrserverless: 'emr-serverless',
  rdsdata: 'rds-data',
  redshiftdata: 'redshift-data',
  resourcegroupstaggingapi: 'resource-groups-tagging-api',
  route53: 'route-53',
  s3control: 's3-control',
  sagemakerruntime: 'sagemaker-runtime',
  secretsmanager: 'secrets-manager',
  servicecatalog: 'service-catalog',
  timestreamquery: 'timestream-query',
  timestreamwrite: 'timestream-write',
};

/** Prefixes that the name does not show (the SDK for Java's, which Step Functions uses). */
const PREFIXES: { readonly [service: string]: string } = {
  cloudformation: 'CloudFormation',
  cloudwatch: 'CloudWatch',
  cloudwatchlogs: 'CloudWatchLogs',
  codebuild: 'CodeBuild',
  costexplorer: 'CostExplorer',
  dynamodb: 'DynamoDb',
  emrserverless: 'EmrServerless',
  eventbridge: 'EventBridge',
  rdsdata: 'RdsData',
  redshiftdata: 'RedshiftData',
  sagemaker: 'SageMaker',
  secretsmanager: 'SecretsManager',
};

export const OPTIMIZED_SERVICES = Object.keys(OPTIMIZED);

export function optimizedService(service: string): Service | undefined {
  const found = Object.hasOwn(OPTIMIZED, service) ? OPTIMIZED[service] : undefined;
  return found && { module: `@aws-sdk/client-${found[0]}`, prefix: found[1], general: `${found[1]}.${found[2]}` };
}

export function sdkService(service: string): Service {
  const prefix = PREFIXES[service] ?? service.charAt(0).toUpperCase() + service.slice(1);
  return { module: `@aws-sdk/client-${PACKAGES[service] ?? service}`, prefix, general: `${prefix}.${prefix}Exception` };
}

/**
 * Arguments that Step Functions takes as JSON and passes on as text. `*` stands for every element of a list.
 */
export const TEXT_ARGUMENTS: { readonly [action: string]: readonly string[] } = {
  'bedrock:invokeModel': ['Body'],
  'events:putEvents': ['Entries', '*', 'Detail'],
  'lambda:invoke': ['Payload'],
  's3:putObject': ['Body'],
  'sns:publish': ['Message'],
  'sqs:sendMessage': ['MessageBody'],
  'states:startExecution': ['Input'],
};
