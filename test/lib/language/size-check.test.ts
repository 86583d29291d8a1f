import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadProject } from '../../../lib/language/project.ts';
import { brief } from './helpers.ts';

const made: string[] = [];
afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true });
});

async function check(workflow: string, config = ''): Promise<{ brief: string[]; notes: string[] }> {
  const dir = mkdtempSync(join(tmpdir(), 'trowel-sizes-'));
  made.push(dir);
  const files = { 'main.dig': workflow, 'trowel.yml': config };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text);
  const { diagnostics } = await loadProject(dir);
  return { brief: brief(diagnostics, files), notes: diagnostics.flatMap(({ notes }) => notes) };
}

const of = (resources: string) => `+t: {sh>: ls, resources: ${resources}}`;

test.each([
  ['a pair', of('{cpu: 1024, memory: 2GB}')],
  ['a text', of('{cpu: "1024", memory: 2G, disk: "50"}')],
  ['only disk', of('{disk: 200}')],
  ['the memory of an export', `_export: {resources: {memory: 4GB}}\n${of('{cpu: 1024}')}`],
  [
    'the size of an export that a task changes',
    `_export: {resources: {cpu: 256, memory: 99GB}}\n${of('{memory: 2GB}')}`,
  ],
  ['an expression', of('{cpu: "${n}", memory: 99GB}')],
  ['an expression above', `_export: {resources: "\${sizes}"}\n${of('{cpu: 4096}')}`],
  ['an export that no container reads', '_export: {resources: {cpu: 4}}\n+t: {echo>: x}'],
  ['an export of another kind', '_export: {resources: [1]}\n+t: {sh>: ls}'],
  ['nothing after the key', of('{cpu: , memory: }')],
])('%s is good', async (_, workflow) => {
  expect((await check(workflow)).brief).toEqual([]);
});

test.each([
  ['a cpu', of('{cpu: 300}'), 'error bad-option «300»', 'The next size is 512.'],
  ['a cpu of 4 vCPU', of('{cpu: 4}'), 'error bad-option «4»', 'The next size is 256.'],
  ['memory without unit', of('{memory: 2048}'), 'error bad-option «2048»', 'With its unit: `2048MB`.'],
  ['much memory', of('{cpu: 16384, memory: 121GB}'), 'error bad-option «121GB»', undefined],
  ['little disk', of('{disk: 20}'), 'error bad-option «20»', undefined],
  [
    'a pair',
    of('{cpu: 1024, memory: 99GB}'),
    'error bad-option «99GB»',
    'With cpu 1024, memory is 2GB to 8GB in steps of 1GB; the next size is 104GB, with cpu 16384.',
  ],
  [
    'a pair of both files',
    of('{cpu: 2048}'),
    'warning bad-option «2048»',
    'With cpu 2048, memory is 4GB to 16GB in steps of 1GB; 1GB goes with cpu 256 or 512.',
  ],
  [
    'a pair of an export and a task',
    `_export:\n  resources: {memory: 1GB}\n${of('{cpu: 2048}')}`,
    'error bad-option «2048»',
    'With cpu 2048, memory is 4GB to 16GB in steps of 1GB; 1GB goes with cpu 256 or 512.',
  ],
  [
    'a cpu of an export, said once',
    '_export: {resources: {cpu: 2}}\n+t: {sh>: ls}\n+u: {loop>: 2, _do: {py>: a.b}}',
    'error bad-option «2»',
    'The next size is 256.',
  ],
])('%s is reported', async (_, workflow, expected, hint) => {
  const found = await check(workflow);
  expect(found.brief).toEqual([expected]);
  expect(found.notes[0]).toBe(hint);
});

test('the rest of a pair is the project’s', async () => {
  expect((await check(of('{cpu: 2048}'), 'task: {cpu: 1024, memory: 4GB}')).brief).toEqual([]);
  expect((await check(of('{memory: 1GB}'), 'task: {cpu: 1024, memory: 4GB}')).brief).toEqual([
    'warning bad-option «1GB»',
  ]);
});
