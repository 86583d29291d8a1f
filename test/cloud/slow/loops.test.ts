/**
 * Loops over some thousands of items, deployed: the items are in the value store, and nested machines run slices of slices. A few of the rounds store,
 * and those after them see it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LIMITS } from '../../../lib/asl/limits.ts';
import { project } from '../../lib/cli/run-cli.ts';
import { type Cloud, HOOK_TIMEOUT, type Stack, startCloud } from '../aws/cloud.ts';
import { run } from '../aws/run.ts';

const COUNT = 2000;
/** Every such round stores. */
const EVERY = 500;

const TASKS = `
import digdag

CHOSEN = list(range(${EVERY - 1}, ${COUNT}, ${EVERY}))


def find():
    pad = "x" * 200
    parts = [{"n": n, "chosen": n in CHOSEN, "pad": pad} for n in range(${COUNT})]
    digdag.env.store({"parts": parts, "count": ${COUNT}})


def choose(n, before=()):
    digdag.env.store({"before": [*before, n], "chosen": {str(n): True}})


def check(chosen, before, in_order):
    assert sorted(map(int, chosen)) == CHOSEN, chosen
    assert not in_order or list(map(int, before)) == CHOSEN, before
    print("ok")
`;

function workflow(loop: string, chosen: string, n: string, parallel?: string): string {
  return `
+find: {py>: tasks.find}
+each:
  ${loop}${parallel === undefined ? '' : `\n  _parallel: ${parallel}`}
  _do:
    if>: \${${chosen}}
    _do: {py>: tasks.choose, n: "\${${n}}"}
+check: {py>: tasks.check, in_order: ${parallel === undefined}}
`;
}

const EACH = ['for_each>: {part: "${parts}"}', 'part.chosen', 'part.n'] as const;
const RANGE = [
  'for_range>: {from: 0, to: "${count}", step: 1}',
  `range.index % ${EVERY} == ${EVERY - 1}`,
  'range.from',
] as const;

const WORKFLOWS = {
  'items-in-sequence': workflow(...EACH),
  'items-in-parallel': workflow(...EACH, 'true'),
  'range-in-chunks': workflow(...RANGE, '{limit: 10}'),
};

let cloud: Cloud;
let stack: Stack;

beforeAll(async () => {
  cloud = await startCloud();
  const files = Object.entries(WORKFLOWS).map(([name, text]) => [`${name}.dig`, text]);
  const folder = await project({ ...Object.fromEntries(files), 'tasks.py': TASKS, 'trowel.yml': 'name: loops-test\n' });
  stack = await cloud.deploy(folder);
}, HOOK_TIMEOUT);

afterAll(() => cloud?.stop(), HOOK_TIMEOUT);

test.each(Object.keys(WORKFLOWS))(`${COUNT} rounds: %s`, async (name) => {
  const ended = await run(cloud, stack, name);
  expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED', error: undefined });
  // Nested machines have the rounds.
  expect(ended.events.length).toBeLessThan(LIMITS.historyEvents / 100);
});
