/** Random trees of tasks that store, at the same time and one after the other: here, by Python itself, and deployed. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { project, trowel } from '../../lib/cli/run-cli.ts';
import { compiledText, playCompiled } from '../../lib/compiler/play.ts';
import { stores } from '../../lib/compiler/random-stores.ts';
import { type Cloud, HOOK_TIMEOUT, type Stack, startCloud } from '../aws/cloud.ts';
import { run } from '../aws/run.ts';

vi.setConfig({ testTimeout: 900_000 });

/** Other seeds and more trees: TROWEL_SEED=7 TROWEL_RUNS=20. */
const TREES = fc.sample(stores, {
  seed: Number(process.env.TROWEL_SEED ?? 3),
  numRuns: Number(process.env.TROWEL_RUNS ?? 3),
});

const TASKS = `
import hashlib
import json

import digdag


def fill(path, size, seed):
    value = (seed * (size // len(seed) + 1))[:size]
    for name in reversed(path):
        value = {name: value}
    digdag.env.store(value)


def sum(show, expected):
    params = digdag.env.params
    texts = (f"{name}={text(params[name])}" for name in show if name in params)
    found = hashlib.sha256(" ".join(texts).encode()).hexdigest()
    assert found == expected, found


def text(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
`;

let cloud: Cloud;
let stack: Stack;
let folder: string;

beforeAll(async () => {
  cloud = await startCloud();
  const files: [string, string][] = [];
  for (const [index, { together, inSequence }] of TREES.entries()) {
    const { seen } = await playCompiled(compiledText(inSequence.replaceAll('"py>":"', '"py>":"t.')), {});
    const expected = seen.at(-1)?.split(' ').at(-1);
    const text = (dig: string): string =>
      dig.replaceAll('"py>":"', '"py>":"tasks.').replace('"show":', `"expected":${JSON.stringify(expected)},"show":`);
    files.push([`together${index}.dig`, text(together)], [`sequence${index}.dig`, text(inSequence)]);
  }
  folder = await project({ ...Object.fromEntries(files), 'tasks.py': TASKS, 'trowel.yml': 'name: stores-test\n' });
  stack = await cloud.deploy(folder);
}, HOOK_TIMEOUT);

afterAll(() => cloud?.stop(), HOOK_TIMEOUT);

test.for(TREES.flatMap((_, index) => [`together${index}`, `sequence${index}`]))('%s', async (workflow) => {
  const here = await trowel(['run', workflow], { cwd: folder });
  expect(here.code, here.stdout + here.stderr).toBe(0);
  const ended = await run(cloud, stack, workflow);
  expect(ended, ended.cause).toMatchObject({ status: 'SUCCEEDED', error: undefined });
});
