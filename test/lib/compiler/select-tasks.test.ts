import { describe, expect, it } from 'vitest';
import { type Selection, selectTasks } from '../../../lib/compiler/select-tasks.ts';
import type { Directives, Group, Node, Parallelism, Workflow } from '../../../lib/language/workflow.ts';

const span = { file: 'main.dig', start: 0, end: 0 };

function task(name: string, directives: Directives = {}): Node {
  const parallel: Parallelism = { kind: 'sequential' };
  return { kind: 'task', name, span, directives, operator: 'echo', command: '', keys: {}, spans: {}, parallel };
}

function group(
  name: string,
  children: Node[],
  parallel: Parallelism = { kind: 'sequential' },
  directives: Directives = {},
): Group {
  return { kind: 'group', name, span, directives, parallel, children };
}

function workflow(...children: Node[]): Workflow {
  return {
    name: 'main',
    file: 'main.dig',
    root: group('+main', children, { kind: 'sequential' }, { export: { a: 1 } }),
  };
}

/** `+a (+b +c)`: names in order, groups with their children in parentheses. */
function outline(node: Node): string {
  if (node.kind === 'task') return node.name;
  return `${node.name}(${node.children.map(outline).join(' ')})`;
}

const background: Directives = { background: true };
const SAMPLE = workflow(
  task('+make'),
  group('+clean', [task('+eu'), task('+us'), task('+asia')], { kind: 'parallel' }),
  task('+side', background),
  group('+model', [task('+train'), task('+test')]),
  task('+report'),
);
const AFTER = workflow(
  group('+p', [task('+a'), task('+b', { after: ['+a'] }), task('+c'), task('+d', { after: ['+b', '+c'] })], {
    kind: 'parallel',
  }),
);
const CHUNKS = workflow(
  group(
    '+p',
    ['+a', '+b', '+c', '+d', '+e'].map((name) => task(name)),
    { kind: 'limit', limit: 2 },
  ),
);

const CASES: [string, Workflow, Selection, string][] = [
  ['nothing', SAMPLE, {}, '+main(+make +clean(+eu +us +asia) +side +model(+train +test) +report)'],
  ['a task', SAMPLE, { only: '+us' }, '+main(+clean(+us))'],
  ['a group', SAMPLE, { only: '+model' }, '+main(+model(+train +test))'],
  ['a full name', SAMPLE, { only: '+main+model+test' }, '+main(+model(+test))'],
  ['the root', SAMPLE, { only: '+main' }, '+main(+make +clean(+eu +us +asia) +side +model(+train +test) +report)'],
  ['from a task on', SAMPLE, { start: '+test' }, '+main(+model(+test) +report)'],
  [
    'from a parallel task on, with its siblings',
    SAMPLE,
    { start: '+us' },
    '+main(+clean(+eu +us +asia) +side +model(+train +test) +report)',
  ],
  [
    'from a background task on',
    SAMPLE,
    { start: '+side' },
    '+main(+make +clean(+eu +us +asia) +side +model(+train +test) +report)',
  ],
  [
    'what a task needs and itself',
    SAMPLE,
    { goal: '+test' },
    '+main(+make +clean(+eu +us +asia) +side +model(+train +test))',
  ],
  ['a parallel goal', SAMPLE, { goal: '+us' }, '+main(+make +clean(+us))'],
  ['up to a task', SAMPLE, { end: '+model' }, '+main(+make +clean(+eu +us +asia) +side)'],
  ['up to a task in a group', SAMPLE, { end: '+test' }, '+main(+make +clean(+eu +us +asia) +side +model(+train))'],
  ['a part', SAMPLE, { start: '+clean', end: '+report' }, '+main(+clean(+eu +us +asia) +side +model(+train +test))'],
  ['a part of a subtree', SAMPLE, { only: '+model', start: '+test' }, '+main(+model(+test))'],
  ['_after, upwards', AFTER, { goal: '+d' }, '+main(+p(+a +b +c +d))'],
  ['_after, a part', AFTER, { goal: '+b' }, '+main(+p(+a +b))'],
  ['_after, downwards', AFTER, { start: '+b' }, '+main(+p(+b +c +d))'],
  ['chunks', CHUNKS, { goal: '+c' }, '+main(+p(+a +b +c))'],
  ['chunks, downwards', CHUNKS, { start: '+d' }, '+main(+p(+c +d +e))'],
];

describe('selectTasks', () => {
  it.each(CASES)('selects %s', (_, from, selection, expected) => {
    const { workflow: selected, diagnostics } = selectTasks(from, selection);
    expect(diagnostics).toEqual([]);
    expect(selected && outline(selected.root)).toBe(expected);
  });

  it('keeps directives, and of _after only what is left', () => {
    const { workflow: selected } = selectTasks(AFTER, { start: '+d' });
    expect(selected?.root.directives.export).toEqual({ a: 1 });
    expect(selected && outline(selected.root)).toBe('+main(+p(+d))');
    const [p] = selected?.root.children ?? [];
    expect(p?.kind === 'group' && p.children[0]?.directives).toEqual({});
  });

  it.each([
    [
      '+t',
      workflow(group('+a', [task('+t')]), group('+b', [task('+t')])),
      "Task pattern '+t' is ambiguous. Matching candidates are [+main+a+t, +main+b+t]",
    ],
    ['+repot', SAMPLE, "Task pattern '+repot' doesn't match with any tasks"],
  ])('refuses %s', (pattern, from, message) => {
    const { workflow: selected, diagnostics } = selectTasks(from, { only: pattern });
    expect(selected).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'task-pattern', severity: 'error', message }]);
  });

  it('suggests, and explains that loops cannot be entered', () => {
    expect(selectTasks(SAMPLE, { goal: '+repot' }).diagnostics[0]?.notes).toContain("Did you mean '+report'?");
    const loop = { ...task('+loop'), body: group('^sub', [task('+inner')]) } as Node;
    expect(selectTasks(workflow(loop), { only: '+inner' }).diagnostics[0]?.notes.join()).toContain(
      'name the loop itself',
    );
  });
});
