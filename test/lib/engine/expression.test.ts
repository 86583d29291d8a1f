import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../lib/asl/types.ts';
import { evaluate, machineOf, outputOf, pass, run } from './harness.ts';

const failure = async (expression: string, input: Json = {}) => {
  const { outcome } = await run(machineOf({ A: pass({ Output: `{% ${expression} %}` }) }), { input });
  return outcome;
};

describe('values', () => {
  const cases: [string, Json, Json][] = [
    ['1 + 2', {}, 3],
    ["'a' & $states.input.b", { b: 'c' }, 'ac'],
    ['$states.input', { a: [1] }, { a: [1] }],
    ['$states.input.a', { a: [] }, []],
    ['$states.input.a', { a: [1] }, [1]],
    ['$states.input.a', { a: null }, null],
    ['$states.input.a.b', { a: [{ b: 1 }, { b: [2, 3] }] }, [1, 2, 3]],
    ['$states.input.a.b', { a: [{ b: 1 }] }, 1],
    ['[$states.input.a.b]', { a: [{ b: 1 }] }, [1]],
    ['$states.input.a[0]', { a: [5, 6] }, 5],
    ['$states.input.a[]', { a: 5 }, [5]],
    ['{"a": $states.input.none}', {}, {}],
    ['null', {}, null],
    ['true', {}, true],
    ["$states.input.'a b'", { 'a b': 1 }, 1],
    ['$exists($nowhere) ? 1 : 2', {}, 2],
    ['$states.context.Execution.Input.x', { x: 1 }, 1],
    ['$states.context.State.Name', {}, 'A'],
    ['$count($states.context.State.EnteredTime)', {}, 1],
  ];
  test.each(cases)('%s of %j', async (expression, input, expected) => {
    expect(await evaluate(expression, input)).toEqual(expected);
  });

  test('only strings that begin with {% and end with %} are expressions, at any depth', async () => {
    const template = { a: ['{% 1 + 1 %}', ' {% 1 %}', ' {% 1 %} ', { '{% 1 %}': '$states.input' }], __proto__: {} };
    expect(await outputOf({ A: pass({ Output: template }) })).toEqual({
      a: [2, ' {% 1 %}', ' {% 1 %} ', { '{% 1 %}': '$states.input' }],
    });
  });

  test('expressions that are literals are evaluated where nothing else has to be', async () => {
    const template = { a: '{% "\\u0024{" %}', b: ['{% 1 %}', { c: '{% null %}' }], d: 'x' };
    expect(await outputOf({ A: pass({ Output: template }) })).toEqual({ a: '${', b: [1, { c: null }], d: 'x' });
  });

  test('a sequence that one expression gives is a plain array to the next', async () => {
    const output = await outputOf(
      {
        A: { Type: 'Pass', Assign: { s: '{% [$states.input.a.b] %}' }, Next: 'B' },
        B: pass({ Output: '{% {"s": $s} %}' }),
      },
      { input: { a: [{ b: 1 }] } },
    );
    expect(output).toEqual({ s: [1] });
  });

  test('__proto__ in data stays data', async () => {
    const input = JSON.parse('{"__proto__": {"x": 1}, "a": 1}') as Json;
    expect(JSON.stringify(await outputOf({ A: pass({ Output: { all: '{% $states.input %}' } }) }, { input }))).toBe(
      '{"all":{"__proto__":{"x":1},"a":1}}',
    );
  });
});

describe('failures', () => {
  const where = "An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression ";
  const cases: [string, Json, string][] = [
    ['$nowhere', {}, `'$nowhere' specified for the field 'Output' returned nothing (undefined).`],
    ['$states.input.a', {}, `'$states.input.a' specified for the field 'Output' returned nothing (undefined).`],
    [
      '$states.input.toString',
      {},
      `'$states.input.toString' specified for the field 'Output' returned an unsupported result type.`,
    ],
    [
      '$f := function($x){$x}',
      {},
      `'$f := function($x){$x}' specified for the field 'Output' returned an unsupported result type.`,
    ],
    [
      '$nope(1)',
      {},
      `'$nope(1)' specified for the field 'Output' threw an error during evaluation. T1006: Attempted to invoke a non-function`,
    ],
    [
      "$eval('1')",
      {},
      `'$eval('1')' specified for the field 'Output' threw an error during evaluation. T1006: Attempted to invoke a non-function`,
    ],
    ['1 / 0', {}, `'1 / 0' specified for the field 'Output' returned an unsupported result type.`],
  ];
  test.each(cases)('%s', async (expression, input, message) => {
    expect(await failure(expression, input)).toEqual({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: where + message,
    });
  });

  test('are recorded with state and place', async () => {
    const { events } = await run(machineOf({ A: pass({ Assign: { x: { y: ['{% $no %}'] } } }) }));
    expect(events.at(-2)).toMatchObject({
      type: 'EvaluationFailed',
      evaluationFailedEventDetails: { state: 'A', location: 'Assign/x/y[0]', error: 'States.QueryEvaluationError' },
    });
  });
});

describe('depth', () => {
  const merge =
    "($m:=function($a,$b){$type($a)&$type($b)='objectobject'?$merge([$a,$each($b,function($v,$k){{$k:$m($lookup($a,$k),$v)}})]):$b};$reduce([$states.input,$states.input],$m))";
  const nested = (levels: number): Json => (levels === 0 ? 1 : { k: nested(levels - 1), l: levels });

  // 7 frames and 4 a level: 23 levels are 99.
  test('a deep merge of 23 levels is within 100 frames', async () => {
    expect(await evaluate(merge, nested(23))).toEqual(nested(23));
  });

  test('one of 24 is not', async () => {
    expect(await failure(merge, nested(24))).toMatchObject({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining('U1001: Stack overflow error: more than 100 frames'),
    });
  });

  test('siblings do not count as depth', async () => {
    const items = Array.from({ length: 300 }, (_, index) => `$f(${index})`).join();
    expect(await evaluate(`($f := function($x) { $x * 2 }; $sum([${items}]))`)).toBe(300 * 299);
    const groups = Array.from({ length: 150 }, (_, index) => `"k${index}": $f([$f(${index}), 1][0])`).join();
    expect(await evaluate(`($f := function($x) { $x }; $count($keys({${groups}})))`)).toBe(150);
  });

  test('a constructor inside itself', async () => {
    const tree = '($t := function($n) { $n = 0 ? [] : [[$t($n - 1)], [$t($n - 1)]] }; $t(3))';
    expect(JSON.stringify(await evaluate(tree))).toMatch(/^\[\[+/);
  });

  test('long chains of operators are deep, lists of texts are not', async () => {
    const chain = Array.from({ length: 120 }, () => "'a'").join(' & ');
    expect(await failure(chain)).toMatchObject({ cause: expect.stringContaining('U1001') });
    expect(await evaluate(`$join([${Array.from({ length: 120 }, () => "'a'").join()}])`)).toBe('a'.repeat(120));
  });

  test('a function that never returns', async () => {
    expect(await failure('($f := function($x) { 1 + $f($x) }; $f(1))')).toMatchObject({
      cause: expect.stringContaining('U1001'),
    });
  });
});

test('plain paths are read as jsonata reads them', async () => {
  const key = fc.constantFrom('a', 'b', 'toString', '__proto__', 'length');
  const json = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<Json>(null, true, 0, 'x', [], {}),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;
  await fc.assert(
    fc.asyncProperty(json, fc.array(key, { minLength: 1, maxLength: 3 }), async (value, keys) => {
      const path = `$v${keys.map((part) => `.${part}`).join('')}`;
      const given = async (expression: string) => {
        const states = {
          A: { Type: 'Pass', Assign: { v: '{% $states.input %}' }, Next: 'B' },
          B: pass({ Output: `{% ${expression} %}` }),
        };
        const { outcome } = await run(machineOf(states), { input: value });
        return outcome.status === 'SUCCEEDED' ? outcome.output : outcome.cause?.replace(/^.*'Output'/, '');
      };
      // A block is beyond the short way, and gives what is in it.
      expect(await given(path)).toEqual(await given(`(${path})`));
    }),
    { numRuns: 300 },
  );
});
