/** Covers lib/expression/coerce.ts, lib/expression/directives.ts, lib/expression/items.ts, lib/language/duration.ts. */
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../lib/contract/failure.ts';
import { toText } from '../../../lib/expression/coerce.ts';
import { callFile, condition, parallelism, retry, waitSeconds } from '../../../lib/expression/directives.ts';
import { loopItems } from '../../../lib/expression/items.ts';
import { parseDuration } from '../../../lib/language/duration.ts';
import type { Mapping, Value } from '../../../lib/language/workflow.ts';

/** The value, or the message. */
const shown = <T>(result: { ok: true; value: T } | { ok: false; message: string }) =>
  result.ok ? result.value : result.message;

describe('loop>', () => {
  it.each<[Mapping, string | number[]]>([
    [{ 'loop>': 2 }, [0, 1]],
    [{ 'loop>': '2' }, [0, 1]],
    [{ _command: ' 1 ' }, [0]],
    [{ 'loop>': 2.9 }, [0, 1]],
    [{ 'loop>': '' }, []],
    [{ 'loop>': -1 }, []],
    [{ 'loop>': 3, count: 1 }, [0]],
    [{ 'loop>': 'x' }, `Expected integer (int) type for key '_command' but got "x" (string)`],
    [{ 'loop>': '1.5' }, `Expected integer (int) type for key '_command' but got "1.5" (string)`],
    [{ 'loop>': true }, `Expected integer (int) type for key '_command' but got true (boolean)`],
    [{ 'loop>': null }, "Parameter '_command' is required but null"],
    [{}, "Parameter '_command' is required but not set"],
    [{ 'loop>': 4294967296 }, `Expected integer (int) type for key '_command' but got 4294967296 (number)`],
    [{ 'loop>': 2000000000 }, 'Too many loop subtasks (2000000000). Limit: 100000'],
  ])('%j', (keys, expected) => {
    const items = shown(loopItems('loop', keys));
    expect(typeof items === 'string' ? items : items.map(({ x }) => x.i)).toEqual(expected);
  });

  it('names iterations by number', () => {
    expect(shown(loopItems('loop', { 'loop>': 2 }))).toEqual([
      { n: '+loop-0', x: { i: 0 } },
      { n: '+loop-1', x: { i: 1 } },
    ]);
  });
});

describe('for_each>', () => {
  const names = (value: Value) => {
    const items = shown(loopItems('for_each', { 'for_each>': value }));
    return typeof items === 'string' ? items : items.map(({ n }) => n);
  };

  it('repeats for the cross product, the first key outermost, with typed values', () => {
    expect(shown(loopItems('for_each', { 'for_each>': { a: ['x', null], b: [1, { c: 2 }] } }))).toEqual([
      { n: '+for-0=a=0=x&1=b=0=1', x: { a: 'x', b: 1 } },
      { n: '+for-0=a=0=x&1=b=1=%7B%22c%22%3A2%7D', x: { a: 'x', b: { c: 2 } } },
      { n: '+for-0=a=1=null&1=b=0=1', x: { a: null, b: 1 } },
      { n: '+for-0=a=1=null&1=b=1=%7B%22c%22%3A2%7D', x: { a: null, b: { c: 2 } } },
    ]);
  });

  it.each<[Value, string | string[]]>([
    [{ f: ['a b'] }, ['+for-0=f=0=a%20b']],
    [{ longer_key: ['0123456789'] }, ['+for-0=longer_k=0=01234567']],
    [{ f: ["~!'()*-_.+/"] }, ['+for-0=f=0=%7E%21%27%28%29*-_']],
    [{ f: ['日本'] }, ['+for-0=f=0=%E6%97%A5%E6%9C%AC']],
    [{ f: ['1234567\u{1F600}'] }, ['+for-0=f=0=1234567%3F']],
    ['{"f": [1]}', ['+for-0=f=0=1']],
    [{ f: '[true, 1.5]' }, ['+for-0=f=0=true', '+for-0=f=1=1.5']],
    [{ f: [] }, []],
    [{ f: [], g: [1, 2] }, []],
    [{ f: [1], g: [] }, []],
    [{}, []],
    [{ f: 5 }, "Expected array type for key 'f' but got 5 (number)"],
    [{ f: 'a,b' }, `Expected array type for key 'f' but got "a,b" (string)`],
    [{ f: null }, "Parameter 'f' is required but null"],
    [[1], "Expected object type for key '_command' but got [1] (array)"],
    ['nope', `Expected object type for key '_command' but got "nope" (string)`],
    [{ f: new Array(400).fill(0), g: new Array(400).fill(0) }, 'Too many for_each subtasks (160000). Limit: 100000'],
  ])('%j', (value, expected) => {
    expect(names(value)).toEqual(expected);
  });
});

describe('for_range>', () => {
  const ranges = (value: Value) => {
    const items = shown(loopItems('for_range', { 'for_range>': value }));
    return typeof items === 'string' ? items : items.map(({ n }) => n.replace('+range-', ''));
  };
  it.each<[Value, string | string[]]>([
    [{ from: 0, to: 5, step: 2 }, ['from=0&to=2', 'from=2&to=4', 'from=4&to=5']],
    [{ from: '0', to: '4', step: '2' }, ['from=0&to=2', 'from=2&to=4']],
    ['{"from": 10, "to": 20, "slices": 3}', ['from=10&to=14', 'from=14&to=18', 'from=18&to=20']],
    [{ from: 0, to: 2, slices: 5 }, ['from=0&to=1', 'from=1&to=2']],
    [{ from: -2, to: 1, step: 2 }, ['from=-2&to=0', 'from=0&to=1']],
    [{ from: 5, to: 5, step: 1 }, []],
    [{ from: 5, to: 0, slices: 2 }, []],
    [{ from: 0, to: 5 }, 'step or slices option is required for for_range'],
    [{ from: 0, to: 5, step: 1, slices: 1 }, 'Setting both step and slices options to for_range is invalid'],
    [{ from: 0, to: 5, step: 0 }, 'step option must be same or greater than 1 but got 0'],
    [{ from: 0, to: 5, slices: -1 }, 'slices option must be same or greater than 1 but got -1'],
    [{ to: 5, step: 1 }, "Parameter 'from' is required but not set"],
    [{ from: 'a', to: 5, step: 1 }, `Expected integer (long) type for key 'from' but got "a" (string)`],
    [{ from: 0, to: 9007199254740991, step: 1 }, 'Too many for_range subtasks (9007199254740991). Limit: 100000'],
  ])('%j', (value, expected) => {
    expect(ranges(value)).toEqual(expected);
  });

  it('exports range', () => {
    expect(shown(loopItems('for_range', { _command: { from: 0, to: 3, step: 2 } }))).toEqual([
      { n: '+range-from=0&to=2', x: { range: { from: 0, to: 2, index: 0 } } },
      { n: '+range-from=2&to=3', x: { range: { from: 2, to: 3, index: 1 } } },
    ]);
  });
});

describe('if>', () => {
  it.each<[Value | undefined, boolean | string]>([
    [true, true],
    ['true', true],
    [' True\n', true],
    ['false', false],
    ['', false],
    [0, false],
    [1, true],
    ['5', `Expected 'true' or 'false' for key '_command' but got "5" (string)`],
    ['yes', `Expected 'true' or 'false' for key '_command' but got "yes" (string)`],
    [
      { a: 'x'.repeat(200) },
      `Expected 'true' or 'false' for key '_command' but got {"a":"${'x'.repeat(91)}... (object)`,
    ],
    [null, "Parameter '_command' is required but null"],
    [undefined, "Parameter '_command' is required but not set"],
  ])('%j', (value, expected) => {
    expect(shown(condition(value))).toBe(expected);
  });
});

describe('_parallel', () => {
  it.each<[Value | undefined, number | string]>([
    [undefined, 0],
    [false, 0],
    ['false', 0],
    ['', 0],
    [true, -1],
    ['true', -1],
    [{ limit: 3 }, 3],
    [{ limit: '3' }, 3],
    [{ limit: 0 }, "Expected a limit of 1 or more for key 'limit' but got 0 (number)"],
    [{}, "Parameter 'limit' is required but not set"],
    [3, 'Invalid _parallel format: 3'],
    [[1], 'Invalid _parallel format: [1]'],
    ['tru', `Expected 'true' or 'false' for key '_parallel' but got "tru" (string)`],
  ])('%j', (value, expected) => {
    expect(shown(parallelism(value))).toBe(expected);
  });
});

describe('_retry', () => {
  it.each<[Value, object | string]>([
    [3, { limit: 3, interval: 0, exponential: false }],
    ['3', { limit: 3, interval: 0, exponential: false }],
    [
      { limit: 2, interval: 10 },
      { limit: 2, interval: 10, exponential: false },
    ],
    [
      { limit: '2', interval: '30s', interval_type: 'Exponential', max_interval: '1h' },
      { limit: 2, interval: 30, exponential: true, maxInterval: 3600 },
    ],
    [
      { limit: 2, interval: '15' },
      { limit: 2, interval: 15, exponential: false },
    ],
    [{ interval: 1 }, "Parameter 'limit' is required but not set"],
    [{ limit: 1, interval: 'soon' }, `Expected a duration such as "1h 30m" for key 'interval' but got "soon" (string)`],
    [{ limit: 1, interval_type: 'linear' }, 'Invalid interval_type: linear'],
    ['x', `Expected integer (int) type for key '_retry' but got "x" (string)`],
    [true, 'Invalid _retry format: true'],
    [[1], 'Invalid _retry format: [1]'],
  ])('%j', (value, expected) => {
    expect(shown(retry(value))).toEqual(expected);
  });
});

describe('wait>', () => {
  it.each<[Mapping, number | string]>([
    [{ 'wait>': '10s' }, 10],
    [{ 'wait>': '1d 2h 3m 4s' }, 93784],
    [{ 'wait>': ' 1H30M ' }, 5400],
    [{ 'wait>': '0s' }, 1],
    [{ 'wait>': '1s', blocking: 'true' }, 1],
    [{ 'wait>': '1s', poll_interval: '5s' }, 1],
    [{ 'wait>': '1s', poll_interval: '5s', blocking: true }, "poll_interval can't be specified with blocking:true"],
    [
      { 'wait>': '1s', poll_interval: 'x' },
      `Expected a duration such as "1h 30m" for key 'poll_interval' but got "x" (string)`,
    ],
    [{ 'wait>': 10 }, `Expected a duration such as "1h 30m" for key '_command' but got 10 (number)`],
    [{ 'wait>': '10' }, `Expected a duration such as "1h 30m" for key '_command' but got "10" (string)`],
    [{ 'wait>': '4s 3m' }, `Expected a duration such as "1h 30m" for key '_command' but got "4s 3m" (string)`],
    [{ 'wait>': '' }, `Expected a duration such as "1h 30m" for key '_command' but got "" (string)`],
  ])('%j', (keys, expected) => {
    expect(shown(waitSeconds('wait', keys))).toBe(expected);
  });

  it('has no duration beyond what a number holds', () => {
    expect(parseDuration('99999999999999999d')).toBeUndefined();
  });
});

describe('call>', () => {
  it.each<[Mapping, string]>([
    [{ 'call>': 'part.dig' }, 'part.dig'],
    [{ 'call>': 'part' }, 'part.dig'],
    [{ 'call>': 'sub/part' }, 'sub/part.dig'],
    [{ 'call>': './sub//part.dig' }, 'sub/part.dig'],
    [{ 'call>': 'other', _workdir: 'sub' }, 'sub/other.dig'],
    [{ 'call>': '../other', _workdir: 'sub' }, 'other.dig'],
    [{ 'call>': '../other' }, 'call>: the file must be inside the project: ../other'],
    [{ 'call>': 'sub/../../x' }, 'call>: the file must be inside the project: sub/../../x'],
    [{ 'call>': '/etc/passwd' }, 'call>: the file must be inside the project: /etc/passwd'],
    [{}, "Parameter '_command' is required but not set"],
  ])('%j', (keys, expected) => {
    expect(shown(callFile('call', keys))).toBe(expected);
  });
});

describe('toText', () => {
  it.each<[Value, string]>([
    ['', ''],
    [5, '5'],
    [true, 'true'],
    [['a'], `Expected string type for key 'k' but got ["a"] (array)`],
  ])('%j', (value, expected) => {
    expect(shown(toText(value, 'k'))).toBe(expected);
  });
});

describe('failureOf', () => {
  it('keeps what a failure of ours says', () => {
    const failure = {
      message: 'm',
      stacktrace: 's',
      log: 'l',
      task: '+t',
      retry: { limit: 1, interval: 0, exponential: false },
    };
    expect(failureOf({ Error: 'Trowel.TaskFailed', Cause: JSON.stringify(failure) })).toEqual({
      name: 'Trowel.TaskFailed',
      ...failure,
    });
  });
  it.each([
    [
      { Error: 'E', Cause: '{"errorType":"E","errorMessage":"m"}' },
      { name: 'E', message: 'm' },
    ],
    [
      { Error: 'E', Cause: 'plain' },
      { name: 'E', message: 'plain' },
    ],
    [
      { Error: 'E', Cause: '{"other":1}' },
      { name: 'E', message: '{"other":1}' },
    ],
    [
      { Error: 'E', Cause: String.raw`{"message":"one\ntwo\u00e9 ` },
      { name: 'E', message: 'one\ntwoé …' },
    ],
    [
      { Error: 'E', Cause: String.raw`{"errorType":"E","errorMessage":"cut \u00e` },
      { name: 'E', message: 'cut …' },
    ],
    [
      { Error: 'E', Cause: '{"message":"whole","stacktrace":"cu' },
      { name: 'E', message: 'whole' },
    ],
    [{ Error: 'E' }, { name: 'E', message: 'E' }],
    [{}, { name: 'States.TaskFailed', message: 'States.TaskFailed' }],
  ])('%j', (output, expected) => {
    expect(failureOf(output)).toEqual(expected);
  });
});
