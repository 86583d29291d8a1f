import { describe, expect, it } from 'vitest';
import { rightsOf } from '../../../lib/cloud/rights.ts';
import { compiledText } from '../compiler/play.ts';

function rights(task: string) {
  const { needs } = compiledText(`+t:\n  ${task.trim().replaceAll('\n', '\n  ')}\n`, {}, { target: 'aws' });
  return rightsOf(needs);
}

/** `actions -> resources [service]`, a line a grant. */
function grants(task: string): string[] {
  return rights(task).grants.map(
    ({ actions, resources, passedTo }) =>
      `${actions.join(' ')} -> ${resources.join(' ').replaceAll('<region>:<account>', '…')}${passedTo === undefined ? '' : ` [${passedTo}]`}`,
  );
}

describe('what aws> may do', () => {
  it.each<[string, string, string[]]>([
    [
      'a query that is waited for',
      'aws>: athena:startQueryExecution.sync\narguments: {QueryString: select 1, WorkGroup: wg}',
      [
        'athena:GetQueryExecution athena:StopQueryExecution -> arn:<partition>:athena:…:workgroup/wg',
        'athena:StartQueryExecution athena:GetDataCatalog -> arn:<partition>:athena:…:workgroup/wg arn:<partition>:athena:…:datacatalog/*',
      ],
    ],
    [
      'a query that is started',
      'aws>: athena:startQueryExecution\narguments: {QueryString: select 1}',
      [
        'athena:StartQueryExecution athena:GetDataCatalog -> arn:<partition>:athena:…:workgroup/primary arn:<partition>:athena:…:datacatalog/*',
      ],
    ],
    [
      'a Glue job',
      'aws>: glue:startJobRun.sync\narguments: {JobName: "sales-${session_date}"}',
      [
        'glue:GetJobRun glue:GetJobRuns glue:BatchStopJobRun -> arn:<partition>:glue:…:job/sales-*',
        'glue:StartJobRun -> arn:<partition>:glue:…:job/sales-*',
      ],
    ],
    [
      'a Batch job',
      'aws>: batch:submitJob.sync\narguments: {JobName: n, JobQueue: q, JobDefinition: "arn:aws:batch:eu-west-1:123456789012:job-definition/d"}',
      [
        'batch:DescribeJobs batch:TerminateJob -> *',
        'batch:SubmitJob -> arn:<partition>:batch:…:job-queue/q arn:aws:batch:eu-west-1:123456789012:job-definition/d*',
        'events:PutTargets events:PutRule events:DescribeRule -> arn:<partition>:events:…:rule/StepFunctionsGetEventsForBatchJobsRule',
      ],
    ],
    [
      'an EMR Serverless job',
      'aws>: emr-serverless:startJobRun.sync\narguments: {ApplicationId: app, ExecutionRoleArn: "arn:aws:iam::123456789012:role/job"}',
      [
        'emr-serverless:GetJobRun emr-serverless:CancelJobRun -> arn:<partition>:emr-serverless:…:/applications/app/jobruns/*',
        'emr-serverless:StartJobRun -> arn:<partition>:emr-serverless:…:/applications/app',
        'events:PutTargets events:PutRule events:DescribeRule -> arn:<partition>:events:…:rule/StepFunctionsGetEventsForEMRServerlessJobRule',
        'iam:PassRole -> arn:aws:iam::123456789012:role/job [emr-serverless.amazonaws.com]',
      ],
    ],
    [
      'a container',
      'aws>: ecs:runTask.sync\narguments: {Cluster: c, TaskDefinition: "report:7", LaunchType: FARGATE}',
      [
        'ecs:RunTask -> arn:<partition>:ecs:…:task-definition/report:7',
        'ecs:StopTask ecs:DescribeTasks -> *',
        'events:PutTargets events:PutRule events:DescribeRule -> arn:<partition>:events:…:rule/StepFunctionsGetEventsForECSTaskRule',
      ],
    ],
    [
      'a SageMaker job',
      'aws>: sagemaker:createTrainingJob.sync\narguments: {TrainingJobName: train, RoleArn: "arn:aws:iam::123456789012:role/sm"}',
      [
        'events:PutTargets events:PutRule events:DescribeRule -> arn:<partition>:events:…:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule',
        'iam:PassRole -> arn:aws:iam::123456789012:role/sm [sagemaker.amazonaws.com]',
        'sagemaker:CreateTrainingJob sagemaker:AddTags -> arn:<partition>:sagemaker:…:training-job/train*',
        'sagemaker:DescribeTrainingJob sagemaker:StopTrainingJob -> arn:<partition>:sagemaker:…:training-job/train*',
      ],
    ],
    [
      'another state machine',
      'aws>: states:startExecution.sync:2\narguments: {StateMachineArn: "arn:aws:states:eu-west-1:123456789012:stateMachine:m"}',
      [
        'events:PutTargets events:PutRule events:DescribeRule -> arn:<partition>:events:…:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule',
        'states:DescribeExecution states:StopExecution -> arn:aws:states:eu-west-1:123456789012:execution:m:*',
        'states:StartExecution -> arn:aws:states:eu-west-1:123456789012:stateMachine:m',
      ],
    ],
    [
      'a model',
      'aws>: bedrock:invokeModel\narguments: {ModelId: amazon.titan-text-lite-v1, Body: {}}',
      ['bedrock:InvokeModel -> arn:<partition>:bedrock:<region>::foundation-model/amazon.titan-text-lite-v1'],
    ],
    [
      'S3, whose actions have other names than its operations',
      'aws>: s3:listObjectsV2\narguments: {Bucket: b, Prefix: "in/${session_date}/"}',
      ['s3:ListBucket -> arn:<partition>:s3:::b'],
    ],
    [
      'an object',
      'aws>: s3:putObject\narguments: {Bucket: b, Key: "in/${session_date}.csv", Body: x}',
      ['s3:PutObject -> arn:<partition>:s3:::b/in/*.csv'],
    ],
    [
      'a table',
      'aws>: dynamodb:getItem\narguments: {TableName: t, Key: {id: {S: a}}}',
      ['dynamodb:GetItem -> arn:<partition>:dynamodb:…:table/t arn:<partition>:dynamodb:…:table/t/index/*'],
    ],
    [
      'a queue',
      'aws>: sqs:sendMessage\narguments: {QueueUrl: "https://sqs.eu-west-1.amazonaws.com/123456789012/q", MessageBody: x}',
      ['sqs:SendMessage -> arn:<partition>:sqs:…:q'],
    ],
    [
      'a topic',
      'aws>: sns:publish\narguments: {TopicArn: "arn:aws:sns:eu-west-1:123456789012:t", Message: x}',
      ['sns:Publish -> arn:aws:sns:eu-west-1:123456789012:t'],
    ],
    [
      'a parameter',
      'aws>: ssm:getParameter\narguments: {Name: /sales/last}',
      ['ssm:GetParameter -> arn:<partition>:ssm:…:parameter/sales/last'],
    ],
    [
      'a secret',
      'aws>: secretsmanager:getSecretValue\narguments: {SecretId: s}',
      ['secretsmanager:GetSecretValue -> arn:<partition>:secretsmanager:…:secret:s-??????'],
    ],
    [
      'a service that IAM calls otherwise, by the ARN among its arguments',
      'aws>: sfn:describeStateMachine\narguments: {StateMachineArn: "arn:aws:states:eu-west-1:123456789012:stateMachine:m"}',
      ['states:DescribeStateMachine -> arn:aws:states:eu-west-1:123456789012:stateMachine:m'],
    ],
    [
      'metrics, which know no resource',
      'aws>: cloudwatch:putMetricData\narguments: {Namespace: n}',
      ['cloudwatch:PutMetricData -> *'],
    ],
  ])('%s', (_, task, expected) => {
    expect(grants(task)).toEqual(expected);
  });

  it.each<[string, string, RegExp]>([
    [
      'a resource that only an expression names',
      'aws>: s3:getObject\narguments: {Bucket: "${b}", Key: k}',
      /s3:GetObject/,
    ],
    ['arguments that only an expression gives', 'aws>: s3:getObject\narguments: "${args}"', /s3:GetObject/],
    [
      'an action of whose resource nothing is known',
      'aws>: redshiftdata:executeStatement\narguments: {Sql: x}',
      /redshift-data:ExecuteStatement/,
    ],
    [
      'roles of a task definition',
      'aws>: ecs:runTask\narguments: {TaskDefinition: t}',
      /iam:PassRole on the task role/,
    ],
    ['the data of a query', 'aws>: athena:startQueryExecution\narguments: {QueryString: x}', /s3:GetObject/],
    ['a wait that no page describes', 'aws>: bedrock:createModelCustomizationJob.sync\narguments: {}', /asks for/],
    ['a function that an expression names', 'lambda>: "${fn}"', /lambda> of a function/],
    ['a bucket that an expression names', 's3_wait>: "${b}/k"', /s3_wait> of a bucket/],
  ])('leaves to the user: %s', (_, task, unknown) => {
    expect(rights(task).unknown.join('\n')).toMatch(unknown);
  });
});

describe('what lambda> and s3_wait> may do', () => {
  it.each<[string, string[]]>([
    ['lambda>: fn', ['fn']],
    ['lambda>: fn\npayload: {day: "${session_date}"}', ['fn']],
    ['lambda>: fn\nqualifier: live', ['fn:live']],
    [
      'lambda>: "arn:aws:lambda:eu-west-1:123456789012:function:fn"',
      ['arn:aws:lambda:eu-west-1:123456789012:function:fn'],
    ],
  ])('%s', (task, invoked) => {
    expect(rights(task)).toMatchObject({ invoked, unknown: [] });
  });

  it('the version of an object is a permission of its own', () => {
    expect(rights('s3_wait>: b/k\nversion_id: v')).toMatchObject({ objects: ['b/k'], versions: ['b/k'] });
    expect(rights('s3_wait>: "b/in/${session_date}"')).toMatchObject({ objects: ['b/in/*'], versions: [] });
  });
});
