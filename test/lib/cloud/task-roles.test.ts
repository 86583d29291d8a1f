import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { describe, expect, it } from 'vitest';
import { TrowelProject } from '../../../lib/cloud/trowel-project.ts';
import {
  CALLS,
  conditions,
  deploy,
  ECHO,
  families,
  folder,
  load,
  machineRole,
  PLACES,
  permissions,
  setUp,
} from './deploy-template.ts';

setUp();

describe('roles', () => {
  it('gives every role exactly what it needs', async () => {
    const { template } = await deploy('roles', {
      'main.dig': '+p:\n  sh>: echo\n  _env: {A: "${secret:a.b}"}\n+r:\n  require>: other\n+w:\n  s3_wait>: in/x.csv\n',
      'other.dig': 'schedule:\n  daily>: 07:00:00\n+l:\n  lambda>: fn\n',
    });
    const attempts = '<ProjectBucket.Arn>/attempts/*';
    const assignments = '<ProjectBucket.Arn>/assignments/*';
    const logs = 'logs:CreateLogStream logs:PutLogEvents -> <ProjectFunctionLogs.Arn>';
    const xray = 'xray:PutTraceSegments xray:PutTelemetryRecords -> *';
    const list = 's3:ListBucket -> <ProjectBucket.Arn>';
    const secrets = 'arn:<Partition>:secretsmanager:<Region>:<AccountId>:secret:trowel/roles/*';
    const arn = (rest: string) => `arn:<Partition>:${rest}`;
    expect(permissions(template, 'Functionevaluate')).toEqual(
      [logs, list, xray, `s3:GetObject s3:PutObject -> ${attempts}/values/*`].sort(),
    );
    // What containers may call reads nothing.
    expect(permissions(template, 'Functionrender')).toEqual([logs, xray]);
    expect(permissions(template, 'Functionsession')).toEqual(
      [
        logs,
        xray,
        `states:StartExecution states:ListExecutions -> ${arn('states:<Region>:<AccountId>:stateMachine:roles-other')}`,
        'sqs:SendMessage -> <ProjectDeadLetters.Arn>',
      ].sort(),
    );
    expect(permissions(template, 'Functionlaunch')).toEqual(
      [
        logs,
        list,
        xray,
        `s3:GetObject s3:PutObject -> ${attempts}`,
        `s3:GetObject s3:PutObject -> ${assignments}`,
        's3:GetObject -> arn:<Partition>:s3:::cdk-hnb659fds-assets-<AccountId>-<Region>/trowel/roles/*.zip',
        `ecs:RunTask -> ${families(template)} [ArnEquals ecs:cluster=<ProjectCluster.Arn>]`,
        `iam:PassRole -> <ProjectTaskRoleNone.Arn> <ProjectTaskRoleOfmain.Arn> <ProjectTaskRoleOfother.Arn> <ProjectExecutionRole.Arn> [StringEquals iam:PassedToService=ecs-tasks.amazonaws.com]`,
        `secretsmanager:DescribeSecret -> ${secrets}`,
        'states:SendTaskSuccess -> *',
      ].sort(),
    );
    expect(permissions(template, 'Functiontaskstopped')).toEqual(
      [
        logs,
        list,
        xray,
        `s3:GetObject -> ${assignments}`,
        'sqs:SendMessage -> <ProjectDeadLetters.Arn>',
        'states:SendTaskFailure -> *',
      ].sort(),
    );
    expect(permissions(template, 'Functionhttp')).toEqual(
      [
        logs,
        list,
        xray,
        `s3:GetObject s3:PutObject -> ${attempts}`,
        `secretsmanager:GetSecretValue -> ${secrets}`,
      ].sort(),
    );
    expect(permissions(template, 'ScheduleRole')).toEqual([
      'lambda:InvokeFunction -> <ProjectFunctionsession.Arn>',
      'sqs:SendMessage -> <ProjectDeadLetters.Arn>',
    ]);
    for (const workflow of ['main', 'other']) {
      const own = `<ProjectBucket.Arn>/attempts/${workflow}/*`;
      expect(permissions(template, `TaskRoleOf${workflow}`)).toEqual(
        [
          `s3:GetObject s3:PutObject s3:AbortMultipartUpload -> ${own}/values/*`,
          `s3:PutObject s3:DeleteObject -> ${own}/results/*`,
          's3:GetObject -> arn:<Partition>:s3:::cdk-hnb659fds-assets-<AccountId>-<Region>/trowel/roles/*.zip',
          'lambda:InvokeFunction -> <ProjectFunctionrender.Arn>',
          'states:SendTaskFailure states:SendTaskHeartbeat states:SendTaskSuccess -> *',
        ].sort(),
      );
    }
    // Of the definitions, which all workflows share.
    expect(permissions(template, 'TaskRoleNone')).toEqual([]);
    expect(permissions(template, 'ExecutionRole')).toEqual(
      [
        'logs:CreateLogStream logs:PutLogEvents -> <ProjectTaskLogs.Arn>',
        `secretsmanager:GetSecretValue secretsmanager:DescribeSecret -> ${secrets.replace('*', 'a.b-??????')}`,
      ].sort(),
    );
    const each = [
      'logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery -> *',
      'xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets -> *',
    ];
    const states = (rest: string) => arn(`states:<Region>:<AccountId>:${rest}`);
    const versions = (...names: string[]) =>
      `lambda:InvokeFunction -> ${names.map((name) => `<ProjectFunction${name}.Arn>:*`).join(' ')}`;
    expect(permissions(template, machineRole(template, 'roles-main'))).toEqual(
      [
        ...each,
        versions('evaluate', 'launch', 'session'),
        `states:StartExecution -> ${states('stateMachine:roles-other')}`,
        `states:DescribeExecution states:StopExecution -> ${states('execution:roles-other:*')}`,
        `events:DescribeRule events:PutRule events:PutTargets -> ${arn('events:<Region>:<AccountId>:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule')}`,
        's3:GetObject -> arn:<Partition>:s3:::in/x.csv',
        's3:ListBucket -> arn:<Partition>:s3:::in',
      ].sort(),
    );
    const fn = arn('lambda:<Region>:<AccountId>:function:fn');
    expect(permissions(template, machineRole(template, 'roles-other'))).toEqual(
      [...each, versions('session'), `lambda:InvokeFunction -> ${fn} ${fn}:*`].sort(),
    );
  });

  it('lets each role be taken by its service alone, for this account', async () => {
    const { template } = await deploy('trust', { 'main.dig': `schedule:\n  daily>: 07:00:00\n${ECHO}` });
    const trust = Object.entries(template.findResources('AWS::IAM::Role')).map(([id, { Properties }]) => {
      const [{ Action, Principal, Condition, ...rest }, ...more] = Properties.AssumeRolePolicyDocument.Statement;
      expect([Action, rest, more]).toEqual(['sts:AssumeRole', { Effect: 'Allow' }, []]);
      return `${id.replace(/Role.*$/, 'Role')}: ${Principal.Service}${conditions(Condition)}`;
    });
    const mine = '[StringEquals aws:SourceAccount=<AccountId>]';
    expect(trust.sort()).toEqual(
      [
        ...['session', 'evaluate', 'render', 'launch', 'taskstopped', 'http', 'notify', 'network'].map(
          (name) => `ProjectFunction${name}Role: lambda.amazonaws.com`,
        ),
        ...['ExecutionRole', 'TaskRole', 'TaskRole'].map((name) => `Project${name}: ecs-tasks.amazonaws.com ${mine}`),
        `ProjectMachineRole: states.amazonaws.com ${mine}`,
        `ProjectScheduleRole: scheduler.amazonaws.com ${mine}`,
      ].sort(),
    );
  });

  it('lets the machine do what its aws> call, and warns of what the file does not tell', async () => {
    const { template, stack } = await deploy('calls', { 'main.dig': CALLS });
    const found = permissions(template, 'MachineRole');
    const arn = (service: string, rest: string) => `arn:<Partition>:${service}:<Region>:<AccountId>:${rest}`;
    expect(found).toContain(
      `athena:StartQueryExecution athena:GetDataCatalog -> ${arn('athena', 'workgroup/primary')} ${arn('athena', 'datacatalog/*')}`,
    );
    expect(found).toContain(`glue:StartJobRun -> ${arn('glue', 'job/sales-*')}`);
    expect(found).toContain('batch:DescribeJobs batch:TerminateJob -> *');
    expect(found).toContain('s3:PutObject -> arn:<Partition>:s3:::b/in/*');
    expect(found).toContain(
      `events:PutTargets events:PutRule events:DescribeRule -> ${arn('events', 'rule/StepFunctionsGetEventsForECSTaskRule')}`,
    );
    const warnings = Annotations.fromStack(stack)
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => String(entry.data));
    const about = warnings.filter((text) => text.includes('grantWorkflow'));
    expect(about).toHaveLength(2);
    expect(about.join('\n')).toMatch(/main: .*athena:startQueryExecution\.sync: what the query reads/);
    expect(about.join('\n')).toMatch(/main: .*ecs:runTask\.sync: iam:PassRole/);
  });

  it('grants what tasks, workflows and people need, to the roles that need it', async () => {
    const project = await load(folder('grants', { 'main.dig': '+a:\n  aws>: s3:getObject\n', 'other.dig': ECHO }));
    const stack = new Stack(new App(), 'grants');
    const data = Bucket.fromBucketName(stack, 'Data', 'data');
    const trowel = new TrowelProject(stack, 'Sales', { ...PLACES, project });
    trowel.grantTaskReadWrite(data, 'out/*');
    const statement = new PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::mine/x'] });
    trowel.grantWorkflow('main', statement);
    trowel.grantTask(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: ['arn:aws:sqs:eu-west-1:1:q'] }));
    trowel
      .machine('main')
      .taskRole.addToPolicy(
        new PolicyStatement({ actions: ['sns:Publish'], resources: ['arn:aws:sns:eu-west-1:1:t'] }),
      );
    trowel.taskRole.addManagedPolicy(ManagedPolicy.fromManagedPolicyName(stack, 'Mine', 'mine'));
    // A key's policy names who is granted.
    new Key(stack, 'Key').addToResourcePolicy(
      new PolicyStatement({ actions: ['kms:Decrypt'], resources: ['*'], principals: [trowel.taskRole] }),
    );
    const operator = new Role(stack, 'Operator', { assumedBy: new AccountRootPrincipal() });
    trowel.grantStart(operator, 'main');
    expect(() => trowel.machine('mian')).toThrow("There is no workflow 'mian' in this project");
    const template = Template.fromStack(stack);
    expect(permissions(template, 'SalesTaskRole').join('\n')).toMatch(
      /s3:DeleteObject\* s3:PutObject .* -> arn:<Partition>:s3:::data arn:<Partition>:s3:::data\/out\/\*/,
    );
    expect(permissions(template, 'SalesTaskRole')).toContain('sqs:SendMessage -> arn:aws:sqs:eu-west-1:1:q');
    // To all workflows at once, by one policy; or to one.
    const granted = Object.values(template.findResources('AWS::IAM::Policy')).map(({ Properties }) =>
      Properties.Roles.map(({ Ref }: { Ref: string }) => Ref.replace(/[0-9A-F]{8}$/, '')),
    );
    expect(granted).toContainEqual(['SalesTaskRoleOfmain', 'SalesTaskRoleOfother']);
    const [ofMain, ofOther] = ['main', 'other'].map((name) => permissions(template, `SalesTaskRoleOf${name}`));
    for (const [lines, expected] of [
      [ofMain, true],
      [ofOther, false],
    ] as const)
      expect(lines?.includes('sns:Publish -> arn:aws:sns:eu-west-1:1:t')).toBe(expected);
    const managed = Object.entries(template.findResources('AWS::IAM::Role'))
      .filter(([, { Properties }]) => JSON.stringify(Properties.ManagedPolicyArns ?? []).includes('policy/mine'))
      .map(([id]) => id.replace(/[0-9A-F]{8}$/, ''));
    expect(managed).toEqual(['SalesTaskRoleOfmain', 'SalesTaskRoleOfother']);
    expect(permissions(template, 'SalesTaskRoleNone')).toEqual([]);
    const trusted = template.findResources('AWS::KMS::Key');
    expect(JSON.stringify(trusted)).toMatch(/SalesTaskRoleOfmain[\s\S]*SalesTaskRoleOfother/);
    const [role, other] = ['grants-main', 'grants-other'].map((name) =>
      permissions(template, machineRole(template, name)),
    );
    expect(role).toContain('s3:GetObject -> arn:aws:s3:::mine/x');
    expect(other).not.toContain('s3:GetObject -> arn:aws:s3:::mine/x');
    const states = (rest: string) => `arn:<Partition>:states:<Region>:<AccountId>:${rest}`;
    expect(permissions(template, 'Operator')).toEqual([
      `states:DescribeExecution states:GetExecutionHistory states:StopExecution -> ${states('execution:grants-main:*')}`,
      `states:StartExecution states:ListExecutions -> ${states('stateMachine:grants-main')}`,
    ]);
  });
});
