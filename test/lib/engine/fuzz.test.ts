/** Covers lib/engine/execution.ts, lib/asl/lint.ts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import type { Json, StateMachine } from '../../../lib/asl/types.ts';
import { run } from './harness.ts';

/** A machine with every type of state, of which parts are replaced at random. */
const whole: Json = {
  QueryLanguage: 'JSONata',
  StartAt: 'Pass',
  TimeoutSeconds: 1000,
  States: {
    Pass: {
      Type: 'Pass',
      Assign: { x: '{% $states.input.a %}' },
      Output: { b: ['{% $states.input %}'] },
      Next: 'Task',
    },
    Task: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { y: '{% $x + 1 %}' },
      TimeoutSeconds: 10,
      Retry: [{ ErrorEquals: ['E'], MaxAttempts: 2, IntervalSeconds: 1, BackoffRate: 2, MaxDelaySeconds: 5 }],
      Catch: [{ ErrorEquals: ['States.ALL'], Assign: { e: '{% $states.errorOutput %}' }, Next: 'Choice' }],
      Next: 'Choice',
    },
    Choice: {
      Type: 'Choice',
      Choices: [{ Condition: '{% $x > 0 %}', Assign: { z: 1 }, Next: 'Wait' }],
      Default: 'Fail',
    },
    Wait: { Type: 'Wait', Seconds: '{% $x %}', Next: 'Parallel' },
    Parallel: {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'B1', States: { B1: { Type: 'Pass', Assign: { q: '{% $x %}' }, End: true } } },
        { StartAt: 'B2', States: { B2: { Type: 'Succeed', Output: '{% [$x] %}' } } },
      ],
      Output: '{% $states.result %}',
      Next: 'Map',
    },
    Map: {
      Type: 'Map',
      Items: '{% [1..3] %}',
      ItemSelector: { v: '{% $states.context.Map.Item.Value %}' },
      MaxConcurrency: 2,
      ItemProcessor: {
        ProcessorConfig: { Mode: 'INLINE' },
        StartAt: 'I',
        States: { I: { Type: 'Pass', Output: '{% $states.input.v %}', End: true } },
      },
      Next: 'Distributed',
    },
    Distributed: {
      Type: 'Map',
      ItemBatcher: { MaxItemsPerBatch: 2 },
      ToleratedFailureCount: 1,
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        StartAt: 'D',
        States: { D: { Type: 'Pass', End: true } },
      },
      End: true,
    },
    Fail: { Type: 'Fail', Error: 'E', Cause: '{% $string($x) %}' },
  },
};

function pathsOf(value: Json, path: string[] = []): string[][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([key, item]: [string, Json]) => pathsOf(item, [...path, key]))];
}

function replaced(value: Json, [key, ...rest]: readonly string[], by: Json | undefined): Json | undefined {
  if (key === undefined) return by;
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => (String(index) === key ? (replaced(item, rest, by) ?? null) : item));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]: [string, Json]) =>
    name === key ? ([name, replaced(item, rest, by)] as const) : ([name, item] as const),
  );
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined)) as Json;
}

const paths = pathsOf(whole);
const part = fc.oneof(
  fc.constantFrom<Json | undefined>(
    undefined,
    null,
    '',
    '{% %}',
    '{% $ %}',
    '{% $x %}',
    '{% $states %}',
    '{% function($a){$a} %}',
    '{% $x ~> $string %}',
    '{% $error("no") %}',
    '{% $states.input.a.b^(c).{d: e}[0]@$f %}',
    'Pass',
    'States.ALL',
    true,
    0,
    -1,
    1.5,
    1e9,
    [],
    {},
    [null],
    [{}],
    ['E'],
    { Next: 'Pass' },
    { Type: 'Pass', End: true },
    { Type: 'Succeed' },
  ),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
  fc.string().map((text) => `{% ${text} %}`),
);

test('whatever a machine holds: faults or an outcome, never an exception', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(paths.length - 1), part), { minLength: 1, maxLength: 3 }),
      async (changes) => {
        let machine: Json | undefined = whole;
        for (const [index, by] of changes) {
          machine = machine === undefined ? machine : replaced(machine, paths[index] ?? [], by);
        }
        const faults = lintMachine(machine);
        expect(faults.every(({ rule, message }) => rule.length > 0 && message.length > 0)).toBe(true);
        if (faults.length === 0) {
          const { outcome } = await run(machine as unknown as StateMachine, { input: { a: 1 }, historyLimit: true });
          expect(['SUCCEEDED', 'FAILED', 'TIMED_OUT']).toContain(outcome.status);
        }
      },
    ),
    { numRuns: 600 },
  );
});

test('the machine itself is sound', async () => {
  expect(lintMachine(whole)).toEqual([]);
  expect((await run(whole as unknown as StateMachine, { input: { a: 1 } })).outcome).toEqual({
    status: 'SUCCEEDED',
    output: [{ Items: [1, 2] }, { Items: [3] }],
  });
});
