/** Executions as a user starts and sees them: the SDK's clients alone, here as against an account. */
import { setTimeout as delay } from 'node:timers/promises';
import { GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Cloud, Stack } from './cloud.ts';

export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly stack: Stack;
}

export interface Ended extends Execution {
  readonly status: string;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  readonly output: string | undefined;
  readonly events: readonly HistoryEvent[];
}

/** Longest that an execution of a test may take; a real container alone needs a minute to start. */
const LONGEST_MS = 900_000;

export async function start(cloud: Cloud, stack: Stack, workflow: string, input: unknown = {}): Promise<Execution> {
  const stateMachineArn = Object.values(stack.outputs).find((value) =>
    value.endsWith(`:stateMachine:${stack.name.replace(/^trowel-/, '')}-${workflow}`),
  );
  if (stateMachineArn === undefined) throw new Error(`${stack.name} has no workflow ${workflow}`);
  const started = await cloud.sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }));
  const arn = started.executionArn ?? '';
  return { arn, name: arn.slice(arn.lastIndexOf(':') + 1), stack };
}

export async function end(cloud: Cloud, execution: Execution): Promise<Ended> {
  for (const until = Date.now() + LONGEST_MS; Date.now() < until; await delay(cloud.small ? 50 : 2000)) {
    const found = await cloud.sfn.send(new DescribeExecutionCommand({ executionArn: execution.arn }));
    // Answered as an internal failure, it would be tried again for minutes.
    const [fault] = cloud.small?.proxy.faults ?? [];
    if (fault !== undefined) throw new Error('the small AWS failed', { cause: fault });
    if (found.status === 'RUNNING') continue;
    const { status = '', error, cause, output } = found;
    return { ...execution, status, error, cause, output, events: await history(cloud, execution) };
  }
  throw new Error(`${execution.arn} did not end`);
}

export async function run(cloud: Cloud, stack: Stack, workflow: string, input: unknown = {}): Promise<Ended> {
  return end(cloud, await start(cloud, stack, workflow, input));
}

/** Whole, oldest first. */
export async function history(cloud: Cloud, { arn }: Pick<Execution, 'arn'>): Promise<HistoryEvent[]> {
  const all: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await cloud.sfn.send(
      new GetExecutionHistoryCommand({ executionArn: arn, maxResults: 1000, ...(nextToken && { nextToken }) }),
    );
    all.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return all;
}

/** JSON objects below `attempts/WORKFLOW/EXECUTION/results/`, by the rest of their keys. */
export async function results(cloud: Cloud, { name, arn, stack }: Execution): Promise<{ [path: string]: unknown }> {
  const Bucket = stack.outputs.BucketName ?? '';
  const workflow = arn.split(':')[6]?.slice(`${stack.name.replace(/^trowel-/, '')}-`.length);
  const Prefix = `attempts/${workflow}/${name}/results/`;
  const { Contents = [] } = await cloud.s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const read = Contents.map(async ({ Key = '' }) => {
    const { Body } = await cloud.s3.send(new GetObjectCommand({ Bucket, Key }));
    return [decodeURIComponent(Key.slice(Prefix.length)), JSON.parse((await Body?.transformToString()) ?? '')] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** What containers printed, by task. */
export async function containerLogs(cloud: Cloud, project: string, ended: Ended): Promise<{ [task: string]: string }> {
  const logs: { [task: string]: string } = {};
  const tasks = new Map(
    ended.events.flatMap(({ id = 0, taskScheduledEventDetails: details }) => {
      const { Payload } = JSON.parse(details?.parameters ?? '{}') as { readonly Payload?: { readonly t?: string } };
      return Payload?.t === undefined ? [] : [[id, Payload.t] as const];
    }),
  );
  for (const event of ended.events) {
    const output = JSON.parse(event.taskSubmittedEventDetails?.output ?? '{}') as { Payload?: { taskArn?: string } };
    const arn = output.Payload?.taskArn;
    // TaskSubmitted follows TaskStarted, which follows TaskScheduled.
    const started = ended.events.find(({ id }) => id === event.previousEventId);
    const task = tasks.get(started?.previousEventId ?? 0);
    if (arn === undefined || task === undefined) continue;
    const stream = `task/task/${arn.slice(arn.lastIndexOf('/') + 1)}`;
    logs[task] = (logs[task] ?? '') + (await lines(cloud, `/trowel/${project}/tasks`, stream));
  }
  return logs;
}

async function lines(cloud: Cloud, logGroupName: string, logStreamName: string): Promise<string> {
  let text = '';
  let nextToken: string | undefined;
  for (;;) {
    const page = await cloud.logs
      .send(
        new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true, ...(nextToken && { nextToken }) }),
      )
      .catch((error: Error) => {
        // A container that printed nothing has no stream.
        if (error.name === 'ResourceNotFoundException') return { events: [], nextForwardToken: nextToken };
        throw error;
      });
    for (const { message } of page.events ?? []) text += `${message}\n`;
    if (page.nextForwardToken === undefined || page.nextForwardToken === nextToken) return text;
    nextToken = page.nextForwardToken;
  }
}
