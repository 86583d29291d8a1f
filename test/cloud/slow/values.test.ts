/**
 * Values between tasks of a deployed workflow, as many and as large as they come: a state may hold 256 KiB. Deployed and run by the small
 * AWS (aws/service.ts says what of it is played), or with TROWEL_E2E_AWS=1 by a real account.
 */
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { project } from '../../lib/cli/run-cli.ts';
import { type Cloud, HOOK_TIMEOUT, type Stack, startCloud } from '../aws/cloud.ts';
import { run } from '../aws/run.ts';

vi.setConfig({ testTimeout: 900_000 });

/** Bytes: what a state is to keep below, that of the service's 262,144 enough is left. */
const HEADROOM = 192 * 1024;

const TASKS = `
import hashlib
import digdag


def large(megabytes):
    data = b"0123456789abcdef" * (megabytes << 16)
    digdag.env.store({"large": data, "sha256": hashlib.sha256(data).hexdigest()})


def check_large(large, sha256, megabytes):
    assert len(large) == megabytes << 20, len(large)
    assert hashlib.sha256(large).hexdigest() == sha256
    print("ok")


def many(prefix, count):
    digdag.env.store({f"{prefix}_{n}": text(prefix, n) for n in range(count)})


def check_many(prefixes, count):
    for prefix in prefixes:
        for n in range(count):
            found = digdag.env.params[f"{prefix}_{n}"]
            assert found == text(prefix, n), (prefix, n, found)
    print("ok")


def text(prefix, n):
    return f"{prefix} {n} ".ljust(1000, "x")
`;

const WORKFLOWS = {
  large: `
+store:
  py>: tasks.large
  megabytes: 60
+check:
  py>: tasks.check_large
  megabytes: 60
`,
  many: `
+store:
  py>: tasks.many
  prefix: a
  count: 300
+more:
  py>: tasks.many
  prefix: b
  count: 300
+check:
  py>: tasks.check_many
  prefixes: [a, b]
  count: 300
`,
  branches: `
+store:
  _parallel: true
${['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `  +${name}:\n    py>: tasks.many\n    prefix: ${name}\n    count: 50\n`).join('')}
+check:
  py>: tasks.check_many
  prefixes: [a, b, c, d, e, f]
  count: 50
`,
  loop: `
+store:
  for_each>:
    prefix: [a, b, c, d, e, f]
  _parallel: true
  _do:
    +many:
      py>: tasks.many
      count: 50
+check:
  py>: tasks.check_many
  prefixes: [a, b, c, d, e, f]
  count: 50
`,
};

let cloud: Cloud;
let stack: Stack;

beforeAll(async () => {
  cloud = await startCloud();
  const files = Object.entries(WORKFLOWS).map(([name, text]) => [`${name}.dig`, text]);
  const folder = await project({
    ...Object.fromEntries(files),
    'tasks.py': TASKS,
    'trowel.yml': 'name: values-test\n',
  });
  stack = await cloud.deploy(folder);
}, HOOK_TIMEOUT);

afterAll(() => cloud?.stop(), HOOK_TIMEOUT);

/** The largest input, output and Assign of the states. */
function largest(events: readonly HistoryEvent[]): number {
  const sizes = events.flatMap(({ stateEnteredEventDetails: entered, stateExitedEventDetails: exited }) => [
    Buffer.byteLength(entered?.input ?? ''),
    Buffer.byteLength(exited?.output ?? ''),
    Object.values(exited?.assignedVariables ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value), 0),
  ]);
  return Math.max(...sizes);
}

test.for([
  ['large', 'one of 60 MB'],
  ['many', 'two times 300 of 1 KB, each from one task'],
  ['branches', '300 of 1 KB from parallel tasks'],
  ['loop', '300 of 1 KB from a parallel loop'],
] as const)('%s: %s', async ([workflow]) => {
  const ended = await run(cloud, stack, workflow);
  expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED', error: undefined });
  expect(largest(ended.events)).toBeLessThan(HEADROOM);

  // What succeeded is taken over, and no container starts.
  const resumed = await run(cloud, stack, workflow, { resume_from: ended.name });
  expect(resumed, resumed.cause).toMatchObject({ status: 'SUCCEEDED', error: undefined });
  const submitted = resumed.events.flatMap(({ taskSubmittedEventDetails: details }) => details?.output ?? []);
  expect(submitted.filter((output) => output.includes('taskArn'))).toEqual([]);
});
