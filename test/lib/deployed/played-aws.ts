/**
 * An AWS for the command line alone, without a deploy: Step Functions is that of test/cloud/aws (lib/engine behind the service's API), its
 * machines are put there as the compiler makes them. Played are the functions (`session` and `evaluate` are the real cores; `launch`
 * only says which container it would have started, and answers the token by itself) and ECS. Secrets, logs, SNS, EC2, Lambda's list of functions
 * and the rest are moto's server.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Json } from '../../../lib/asl/types.ts';
import { compile } from '../../../lib/compiler/compile.ts';
import { definitionText, substitution } from '../../../lib/compiler/definition-text.ts';
import { withTaskComments } from '../../../lib/compiler/task-comments.ts';
import {
  PROJECT_TAG,
  secretPrefix,
  stateMachineName,
  taskLogGroup,
  WORKFLOW_TAG,
} from '../../../lib/contract/deployed-names.ts';
import { reportsPart, reportsPath } from '../../../lib/contract/names.ts';
import type { LaunchPayload, Payload, SessionPayload } from '../../../lib/contract/payload.ts';
import type { Report } from '../../../lib/contract/report.ts';
import { storeResult } from '../../../lib/contract/stores.ts';
import { evaluate } from '../../../lib/functions/evaluate/core.ts';
import { session } from '../../../lib/functions/session/core.ts';
import { lineFinder } from '../../../lib/language/line-finder.ts';
import { loadProject } from '../../../lib/language/project.ts';
import type { Mapping } from '../../../lib/language/workflow.ts';
import { Keys } from '../../cloud/aws/keys.ts';
import { startMotoServer } from '../../cloud/aws/moto.ts';
import { startProxy } from '../../cloud/aws/proxy.ts';
import {
  ACCOUNT,
  ACCOUNT_KEY,
  type Answer,
  inputOf,
  json,
  REGION,
  type ServiceCall,
  ServiceFault,
} from '../../cloud/aws/service.ts';
import { StepFunctions } from '../../cloud/aws/step-functions.ts';

/** What a task does: prints, and answers; `undefined` never answers. */
export interface Play {
  readonly prints?: readonly string[];
  /** What the task of an operator with an adapter would report, before it answers. */
  readonly reports?: readonly Report[];
  readonly answer: { readonly stored: { readonly [key: string]: Json } } | { readonly error: string } | undefined;
  /** Milliseconds until it answers. */
  readonly after?: number;
}

export type PlayTask = (task: string, payload: LaunchPayload) => Play;

export interface PlayedAws {
  readonly url: string;
  /** For the command line, in the account's name. */
  readonly env: { readonly [name: string]: string };
  readonly executions: StepFunctions;
  /** ARNs of containers that were told to stop. */
  readonly stopped: string[];
  /** What each task does; may be changed. */
  play: PlayTask;
  /** IAM actions that are refused to everybody, as `states:StartExecution`. */
  readonly denied: Set<string>;
  /** Puts the machines of a project's folder there. */
  deploy(folder: string): Promise<void>;
  stop(): Promise<void>;
}

const CLUSTER = 'played';
const BUCKET = 'played';

export async function startPlayedAws(): Promise<PlayedAws> {
  const moto = await startMotoServer();
  const keys = new Keys();
  const credentials = { accessKeyId: ACCOUNT_KEY, secretAccessKey: 'test' };
  const running = new Map<string, { readonly startedBy: string; status: string }>();
  const denied = new Set<string>();
  const stopped: string[] = [];
  const going = new Set<Promise<void>>();
  let project = '';
  const proxy = await startProxy({
    moto,
    keys,
    actionOf: ({ headers }) => ({ action: String(headers['x-amz-target'] ?? '').replace(/^.*\./, ''), resources: [] }),
    authorize: () => undefined,
    hidden: () => false,
    services: [refuse, (call) => executions.service(call), lambda, ecs],
  });
  const config = { endpoint: proxy.url, region: REGION, credentials };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const logs = new CloudWatchLogsClient(config);
  const executions = new StepFunctions({ keys, s3, url: () => proxy.url });
  const aws: PlayedAws = {
    url: proxy.url,
    env: {
      AWS_ENDPOINT_URL: proxy.url,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    executions,
    stopped,
    denied,
    play: () => ({ answer: { stored: {} } }),
    deploy,
    stop: async () => {
      await Promise.all(going);
      executions.stop();
      for (const client of [s3, logs]) client.destroy();
      await proxy.close();
      await moto.stop();
    },
  };
  return aws;

  async function refuse(call: ServiceCall): Promise<Answer | undefined> {
    const action = `${call.service}:${call.action}`;
    if (!denied.has(action)) return undefined;
    const message = `User: arn:aws:iam::${ACCOUNT}:user/me is not authorized to perform: ${action}`;
    throw new ServiceFault('AccessDeniedException', message, 400);
  }

  async function lambda(call: ServiceCall): Promise<Answer | undefined> {
    const name = /^\/2015-03-31\/functions\/(\w+)\/invocations/.exec(call.url.pathname)?.[1];
    if (name === undefined) return undefined;
    try {
      return json(await invoke(name, inputOf(call)));
    } catch (error) {
      const { name: errorType, message: errorMessage } = error as Error;
      return json({ errorType, errorMessage }, 200, { 'x-amz-function-error': 'Unhandled' });
    }
  }

  async function invoke(name: string, payload: unknown): Promise<unknown> {
    if (name === 'session') return session(payload as SessionPayload);
    if (name === 'evaluate') return evaluate(payload as Payload);
    const asked = payload as LaunchPayload;
    const id = randomUUID().replaceAll('-', '');
    const taskArn = `arn:aws:ecs:${REGION}:${ACCOUNT}:task/${CLUSTER}/${id}`;
    running.set(taskArn, { startedBy: id, status: 'RUNNING' });
    const play = aws.play(asked.t, asked);
    const reports = `s3://${BUCKET}/${reportsPath(asked.t, asked.r, asked.n)}-${id}`;
    if (play.reports !== undefined) await report(reports, play.reports);
    going.add(contain(id, taskArn, asked, play));
    return { started: id, taskArn, ...(play.reports !== undefined && { reports }) };
  }

  async function report(place: string, reports: readonly Report[]): Promise<void> {
    const Key = reportsPart(place, 1).replace(`s3://${BUCKET}/`, '');
    const time = new Date().toISOString();
    const Body = reports.map((each) => `${JSON.stringify({ time, ...each })}\n`).join('');
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  }

  async function contain(id: string, taskArn: string, payload: LaunchPayload, play: Play): Promise<void> {
    const place = { logGroupName: taskLogGroup(project), logStreamName: `task/task/${id}` };
    if (play.prints !== undefined) {
      await logs.send(new CreateLogStreamCommand(place));
      const logEvents = play.prints.map((message) => ({ message, timestamp: Date.now() }));
      await logs.send(new PutLogEventsCommand({ ...place, logEvents }));
    }
    await delay(play.after ?? 20);
    if (play.answer === undefined) return;
    const task = running.get(taskArn);
    if (task !== undefined) task.status = 'STOPPED';
    if ('stored' in play.answer) {
      const { stored } = play.answer;
      executions.tokens.sendTaskSuccess(payload.token, storeResult(payload, stored as Mapping) as Json);
    } else {
      const cause = JSON.stringify({ message: play.answer.error });
      executions.tokens.sendTaskFailure(payload.token, { error: 'Trowel.TaskFailed', cause });
    }
  }

  async function ecs(call: ServiceCall): Promise<Answer | undefined> {
    if (call.service !== 'ecs') return undefined;
    const { tasks = [], task, startedBy } = inputOf(call) as { tasks?: string[]; task?: string; startedBy?: string };
    switch (call.action) {
      case 'DescribeTasks':
        return json({
          tasks: tasks.map((taskArn) => ({ taskArn, desiredStatus: running.get(taskArn)?.status ?? 'STOPPED' })),
        });
      case 'ListTasks':
        return json({ taskArns: [...running].filter(([, each]) => each.startedBy === startedBy).map(([arn]) => arn) });
      case 'StopTask': {
        const found = running.get(task ?? '');
        if (found !== undefined) found.status = 'STOPPED';
        stopped.push(task ?? '');
        return json({});
      }
      default:
        return undefined;
    }
  }

  async function deploy(folder: string): Promise<void> {
    const loaded = await loadProject(folder);
    project = loaded.name;
    const machines = [...loaded.workflows.values()].flatMap((workflow) => {
      const { workflows, sources } = loaded;
      const { compiled, diagnostics } = compile(workflow, { workflows, line: lineFinder(sources), target: 'aws' });
      if (compiled === undefined) throw new Error(JSON.stringify(diagnostics));
      const { machine, nested, tasks } = compiled;
      return [
        { name: workflow.name, whole: true, machine, tasks },
        ...Object.entries(nested).map(([name, each]) => ({ name, whole: false, machine: each, tasks })),
      ];
    });
    const arns = Object.fromEntries(
      machines.map(({ name }) => [
        substitution(`sm_${name}`),
        `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${stateMachineName(project, name)}`,
      ]),
    );
    for (const { name, whole, machine, tasks } of machines) {
      const text = definitionText(withTaskComments(machine, tasks));
      const tags = { [PROJECT_TAG]: project, ...(whole && { [WORKFLOW_TAG]: name }) };
      const body = {
        name: stateMachineName(project, name),
        definition: text.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => arns[key] ?? key),
        roleArn: `arn:aws:iam::${ACCOUNT}:role/machine`,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      };
      await executions.service({
        ...{ service: 'states', action: 'CreateStateMachine', resources: [], method: 'POST', url: new URL(proxy.url) },
        principal: { kind: 'account', accessKey: ACCOUNT_KEY },
        headers: { 'x-amz-target': 'AWSStepFunctions.CreateStateMachine' },
        body: Buffer.from(JSON.stringify(body)),
      });
    }
    await logs.send(new CreateLogGroupCommand({ logGroupName: taskLogGroup(project) })).catch(() => undefined);
  }
}

/** The whole name of a project's secret. */
export function secretName(project: string, key: string): string {
  return secretPrefix(project) + key;
}
