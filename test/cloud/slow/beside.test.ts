/**
 * A task with a second container, on the small AWS: compiled, deployed, launched, and both containers at work. The second one's image is a
 * stand-in: a small server that only the runner of the same task asks.
 * Covers lib/functions/launch/beside.ts, lib/cloud/containers.ts, lambdas/launch/compute/ecs.ts, test/cloud/aws/fargate.ts
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Cloud, HOOK_TIMEOUT, type Stack, startSmallCloud } from '../aws/cloud.ts';
import type { EcsTask } from '../aws/ecs-task.ts';
import { fastClock } from '../aws/fast-clock.ts';
import { containerLogs, end, run, start } from '../aws/run.ts';
import type { SmallAws } from '../aws/small-aws.ts';

vi.setConfig({ testTimeout: 300_000 });

/** Answers every connection with a word. */
const SERVER = `
import os, signal, socket
def stop(*_):
    print("was told to stop")
    if "STUBBORN" not in os.environ["WORD"]:
        raise SystemExit
signal.signal(signal.SIGTERM, stop)
with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as server:
    print("serves", os.environ["WORD"], "and has", [name for name in os.environ if name.startswith("TROWEL_") and name != "TROWEL_HEARTBEAT"])
    while True:
        with server.accept()[0] as asked:
            asked.sendall(os.environ["WORD"].encode())
`;
const CLIENT = `
import socket, sys, time
while True:
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as server:
            print("got", server.recv(100).decode(), flush=True)
            break
    except ConnectionRefusedError:
        time.sleep(0.1)
`;
const BESIDE = {
  image: 'stand-in:1',
  command: ['python3', '-u', '-c', SERVER],
  env: { WORD: '${word}', PORT: '${port}' },
};
const APP = `node --import tsx ${join(import.meta.dirname, 'beside-app.ts')}`;

let cloud: Cloud & { readonly small: SmallAws };
let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trowel-beside-'));
  await mkdir(join(folder, 'tasks'));
  await writeFile(join(folder, 'tasks', 'client.py'), CLIENT);
  await writeFile(join(folder, 'trowel.yml'), 'name: beside\n');
  await writeFile(join(folder, 'main.dig'), '+ask:\n  sh>: python3 tasks/client.py ${port}\n');
  await writeFile(join(folder, 'long.dig'), '+ask:\n  sh>: python3 tasks/client.py ${port} && exec sleep 1000\n');
  cloud = await startSmallCloud({
    clock: fastClock(30),
    containerEnv: { TROWEL_HEARTBEAT: '0.7' },
    unpackOnce: true,
  });
  stack = await cloud.deploy(folder, { args: ['--app', APP], env: { BESIDE: JSON.stringify(BESIDE) } });
}, HOOK_TIMEOUT);

afterAll(async () => {
  // Nobody asked for more than its role allows.
  expect(cloud?.small.proxy.refused ?? []).toEqual([]);
  await cloud?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
}, HOOK_TIMEOUT);

/** One that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function log(container: string, { id }: EcsTask): Promise<(string | undefined)[]> {
  const place = { logGroupName: '/trowel/beside/tasks', logStreamName: `task/${container}/${id}` };
  const { events = [] } = await cloud.logs.send(new GetLogEventsCommand(place));
  return events.map(({ message }) => message);
}

async function stopped(): Promise<{ readonly task: EcsTask; readonly exits: object }> {
  const task = cloud.small.containers.tasks.at(-1);
  if (task === undefined) throw new Error('no task was started');
  await expect.poll(() => task.status, { timeout: 60_000 }).toBe('STOPPED');
  await cloud.small.events.idle();
  expect(await cloud.small.containers.left()).toEqual([]);
  return { task, exits: Object.fromEntries(task.exitCodes) };
}

test('both run, each has its log, and the second is stopped when the runner has ended', async () => {
  const ended = await run(cloud, stack, 'main', { params: { word: 'hello', port: await freePort() } });
  expect(ended).toMatchObject({ status: 'SUCCEEDED' });
  const { task, exits } = await stopped();
  expect(exits).toEqual({ task: 0, beside: 0 });
  expect(await log('task', task)).toEqual(['got hello']);
  expect(await log('beside', task)).toEqual(['serves hello and has []', 'was told to stop']);
  // Who reads the log of a task reads the runner's.
  expect(await containerLogs(cloud, 'beside', ended)).toEqual({ '+main+ask': 'got hello\n' });
});

test('a second container that does not stop is killed', async () => {
  const params = { word: 'STUBBORN', port: await freePort() };
  expect(await run(cloud, stack, 'main', { params })).toMatchObject({ status: 'SUCCEEDED' });
  const { task, exits } = await stopped();
  expect(exits).toEqual({ task: 0, beside: 137 });
  expect(await log('beside', task)).toEqual(['serves STUBBORN and has []', 'was told to stop']);
});

test('a runner that is killed is a lost task, whatever the second container ends with', async () => {
  const { containers } = cloud.small;
  const first = containers.tasks.length;
  const asked = new Promise<EcsTask>((resolve) => {
    containers.hooks.line = (task, text) => text.startsWith('got') && resolve(task);
  });
  // No further try is started.
  containers.hooks.starting = (task) =>
    task === containers.tasks[first] ? undefined : 'CannotPullContainerError: not found';
  const execution = await start(cloud, stack, 'long', { params: { word: 'hello', port: await freePort() } });
  const task = await asked;
  await containers.kill(task);
  const ended = await end(cloud, execution);
  containers.hooks = {};
  const lost = ended.events.find(({ taskFailedEventDetails: failed }) => failed?.error === 'Trowel.TaskLost');
  expect(lost?.taskFailedEventDetails?.cause).toContain('SIGKILL');
  expect(Object.fromEntries(task.exitCodes)).toEqual({ task: 137, beside: 0 });
});
