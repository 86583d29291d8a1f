import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../../../lib/asl/types.ts';
import { VirtualClock } from '../../../../lib/engine/clock.ts';
import { machineOf, outputOf, pass, run, task } from '../harness.ts';

const map = (states: { [name: string]: object }, more: object = {}) => ({
  Type: 'Map',
  ItemProcessor: { StartAt: Object.keys(states)[0], States: states },
  End: true,
  ...more,
});

test.each<[string, object, Json, Json]>([
  ['the input', map({ I: pass({ Output: '{% $states.input + 1 %}' }) }), [1, 2], [2, 3]],
  ['nothing', map({ I: pass() }), [], []],
  ['literal Items', map({ I: pass() }, { Items: [{ a: '{% $states.input.n %}' }] }), { n: 7 }, [{ a: 7 }]],
  ['Items from an expression', map({ I: pass() }, { Items: '{% [1..3] %}' }), {}, [1, 2, 3]],
  [
    'an ItemSelector',
    map(
      { I: pass() },
      {
        Items: ['a', 'b'],
        ItemSelector: {
          i: '{% $states.context.Map.Item.Index %}',
          v: '{% $states.context.Map.Item.Value %}',
          all: '{% $states.input.x %}',
        },
      },
    ),
    { x: 1 },
    [
      { i: 0, v: 'a', all: 1 },
      { i: 1, v: 'b', all: 1 },
    ],
  ],
  [
    'the item in the context of the states inside, the nearest Map first',
    map({ I: { ...map({ J: pass({ Output: '{% $states.context.Map.Item %}' }) }), Items: ['x'] } }, { Items: ['a'] }),
    {},
    [[{ Index: 0, Value: 'x' }]],
  ],
])('over %s', async (_name, state, input, expected) => {
  expect(await outputOf({ M: state }, { input })).toEqual(expected);
});

test('iterations read what is around them, and assign only for themselves', async () => {
  expect(
    await outputOf({
      S: { Type: 'Pass', Assign: { x: 10 }, Next: 'M' },
      M: map(
        { I: { Type: 'Pass', Assign: { y: '{% $states.input * $x %}' }, Next: 'J' }, J: pass({ Output: '{% $y %}' }) },
        { Items: [1, 2, 3] },
      ),
    }),
  ).toEqual([10, 20, 30]);
});

test.each([
  ['MaxConcurrency', 3, 100, 3],
  ['at most 40', 0, 100, 40],
  ['at most 40 also if more are asked for', 1000, 100, 40],
])('%s', async (_name, width, count, most) => {
  const clock = new VirtualClock();
  let running = 0;
  let peak = 0;
  await outputOf(
    { M: map({ T: task() }, { Items: `{% [1..${count}] %}`, MaxConcurrency: `{% ${width} %}` }) },
    {
      clock,
      invoke: async () => {
        running += 1;
        peak = Math.max(peak, running);
        await clock.sleep(10);
        running -= 1;
        return null;
      },
    },
  );
  expect(peak).toBe(most);
});

test('an iteration that fails stops the others; none is begun any more', async () => {
  const { outcome, events } = await run(
    machineOf({
      M: map(
        {
          C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input = 1 %}', Next: 'V' }], Default: 'W' },
          V: { Type: 'Wait', Seconds: 5, Next: 'F' },
          F: { Type: 'Fail', Error: 'One' },
          W: { Type: 'Wait', Seconds: 60, End: true },
        },
        { Items: '{% [0..9] %}', MaxConcurrency: 2 },
      ),
    }),
  );
  expect(outcome).toEqual({ status: 'FAILED', error: 'One' });
  const count = (type: string) => events.filter((event) => event.type === type).length;
  expect(count('MapIterationStarted')).toBe(2);
  expect(count('MapIterationFailed')).toBe(1);
  expect(count('MapIterationAborted')).toBe(1);
  expect(count('WaitStateAborted')).toBe(1);
});

test.each<[string, object, Json, string]>([
  ['input that is no array', map({ I: pass() }), { a: 1 }, 'Map state input must be an array but was: {"a":1}'],
  [
    'Items that are none',
    map({ I: pass() }, { Items: '{% 1 %}' }),
    {},
    "Expected 'array', but was 'number' for value: 1",
  ],
  ['MaxConcurrency below 0', map({ I: pass() }, { Items: [1], MaxConcurrency: '{% -1 %}' }), {}, 'MaxConcurrency'],
])('%s', async (_name, state, input, message) => {
  const { outcome } = await run(machineOf({ M: state }), { input });
  expect(outcome).toMatchObject({ error: 'States.QueryEvaluationError', cause: expect.stringContaining(message) });
});

test('outputs stand in the order of the items, whatever takes how long', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(100), { maxLength: 60 }), fc.nat(10), async (items, width) => {
      const clock = new VirtualClock();
      const output = await outputOf(
        { M: map({ T: task() }, { MaxConcurrency: width }) },
        {
          clock,
          input: items,
          invoke: async (call) => {
            await clock.sleep(Number(call.arguments) * 1000);
            return call.arguments;
          },
        },
      );
      expect(output).toEqual(items);
    }),
    { numRuns: 20 },
  );
});
