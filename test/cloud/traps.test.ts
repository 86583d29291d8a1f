/**
 * What others fell into on AWS (docs/aws-traps.md), as far as it can be seen in a compiled machine: over the examples, and a workflow with
 * everything that becomes a state of its own. The table's other rows name tests elsewhere; that those are there is looked up here.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { State, StateMachine } from '../../lib/asl/types.ts';
import { statesOf } from '../../lib/cloud/states.ts';
import { compile } from '../../lib/compiler/compile.ts';
import { loadProject } from '../../lib/language/project.ts';
import { compiledText } from '../lib/compiler/play.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const EVERYTHING = `
_error:
  slack>: failed
+g:
  _retry: 2
  _parallel: true
  +py: {py>: t.f, _retry: {limit: 3, interval: 10s}}
  +checked: {py>: t.f, _retry: 2, _check: {+c: {sh>: "true"}}}
  +short: {sh>: "true", _timeout: 1m, resources: {heartbeat: 1d}}
  +counted: {py>: t.f, _retry: "\${n}"}
+many:
  for_range>: {from: 0, to: 20000, step: 1}
  _parallel: true
  _do: {py>: t.f}
+each:
  for_each>: {x: "\${list}"}
  _do: {http>: "https://example.com/\${x}"}
+web: {lambda>: fn}
+wait: {wait>: 10s}
`;

const machines: { readonly name: string; readonly machine: StateMachine }[] = [];

beforeAll(async () => {
  const add = (
    name: string,
    { machine, nested }: { machine: StateMachine; nested: { [name: string]: StateMachine } },
  ) =>
    machines.push({ name, machine }, ...Object.entries(nested).map(([part, each]) => ({ name: part, machine: each })));
  add('everything', compiledText(EVERYTHING, {}, { target: 'aws' }));
  for (const example of ['quickstart', 'operator-guide']) {
    const project = await loadProject(join(ROOT, 'examples', example));
    for (const name of project.workflowNames()) {
      const workflow = project.workflow(name);
      if (workflow === undefined) throw new Error(`${example}/${name} cannot be read`);
      const { compiled } = compile(workflow, { workflows: project.workflows, target: 'aws' });
      if (compiled !== undefined) add(`${example}/${name}`, compiled);
    }
  }
});

function* states(): Generator<readonly [place: string, state: State]> {
  for (const { name, machine } of machines)
    for (const [state, each] of statesOf(machine.States)) yield [`${name}: ${state}`, each];
}

function tasks(): readonly (readonly [place: string, state: State & { readonly Type: 'Task' }])[] {
  return [...states()].flatMap(([place, state]) => (state.Type === 'Task' ? [[place, state] as const] : []));
}

const waiting = () => tasks().filter(([, { Resource }]) => Resource.endsWith('.waitForTaskToken'));

describe('trap', () => {
  it('a state that waits for a task token has a heartbeat and a timeout, the heartbeat the shorter one', () => {
    expect(waiting().length).toBeGreaterThan(10);
    for (const [place, { TimeoutSeconds, HeartbeatSeconds }] of waiting()) {
      expect([typeof TimeoutSeconds, typeof HeartbeatSeconds], place).toEqual(['number', 'number']);
      expect(Number(HeartbeatSeconds), place).toBeLessThan(Number(TimeoutSeconds));
    }
  });

  it('a cold start of a large image fits the heartbeat, which is counted from scheduling', () => {
    // Others measured 70 s with an image of 900 MB.
    for (const [place, { HeartbeatSeconds }] of waiting())
      expect(Number(HeartbeatSeconds), place).toBeGreaterThan(4 * 70);
    const { machine } = compiledText(
      '+a: {py>: t.f}',
      {},
      { target: 'aws', task: { timeout: 86_400, heartbeat: 1800 } },
    );
    expect(machine.States['+main+a']).toMatchObject({ HeartbeatSeconds: 1800 });
  });

  it('a lost heartbeat is tried again under both of its names', () => {
    for (const [place, { Retry = [] }] of waiting()) {
      const names = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
      for (const name of ['States.Timeout', 'States.HeartbeatTimeout', 'Trowel.TaskLost'])
        expect(names, place).toContain(name);
    }
  });

  it('throttled and refused containers are tried with full jitter until a quota is free again', () => {
    for (const [place, { Retry = [] }] of waiting()) {
      for (const name of ['Trowel.Throttled', 'Trowel.NoCapacity']) {
        const first = Retry.find(({ ErrorEquals }) => ErrorEquals.includes(name));
        expect(first, place).toMatchObject({ JitterStrategy: 'FULL', MaxAttempts: 24 });
        // The language's default is 2.
        expect(first?.BackoffRate ?? 2, place).toBe(2);
      }
    }
  });

  it('no state is a Distributed Map, whose children see no outer variable', () => {
    for (const [place, state] of states())
      if (state.Type === 'Map') expect(state.ItemProcessor.ProcessorConfig?.Mode ?? 'INLINE', place).toBe('INLINE');
  });

  it('no state sends its input on: what travels is what a branch gives back', () => {
    for (const [place, state] of states())
      if (state.Type === 'Task' || state.Type === 'Choice') expect(state, place).toHaveProperty('Output');
  });
});

it('trap: a bare npx cdk would fetch another version: it is pinned exactly', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(devDependencies['aws-cdk']).toMatch(/^2\.\d+\.\d+$/);
  const template = JSON.parse(readFileSync(join(ROOT, 'templates', 'project', 'package.json'), 'utf8'));
  expect(template.devDependencies?.['aws-cdk'] ?? template.dependencies?.['aws-cdk']).toBe(devDependencies['aws-cdk']);
});

describe('the table of traps', () => {
  const text = readFileSync(join(ROOT, 'docs', 'aws-traps.md'), 'utf8');
  const named = [...text.matchAll(/\[`([^`]+)`\]\(\.\.\/([^)]+)\)/g)].map(([, name = '', file = '']) => ({
    name,
    file,
  }));

  it('names a test in each row', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| trap'));
    expect(rows.length).toBeGreaterThan(30);
    for (const row of rows) expect(row).toMatch(/\]\(\.\.\/(test|task-images)\//);
  });

  it.each(named)('$file has a test "$name"', ({ name, file }) => {
    // What a comment says is no test.
    const code = readFileSync(join(ROOT, file), 'utf8').replaceAll(/^\s*(?:\/\/|#|\*).*$/gm, '');
    expect(code).toContain(name);
  });
});
