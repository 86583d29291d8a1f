import { describe, expect, it } from 'vitest';
import type { Layer } from '../../../lib/contract/payload.ts';
import { render, renderText } from '../../../lib/expression/render.ts';
import { hasNoText } from '../../../lib/language/value-form.ts';
import type { Mapping } from '../../../lib/language/workflow.ts';

const BUILTINS = {
  timezone: 'UTC',
  session_time: '2028-02-28T00:00:00+00:00',
  session_unixtime: 1835308800,
  session_date: '2028-02-28',
};

async function renderKeys(keys: Mapping, layers: Layer[] = [], builtins: Mapping = {}) {
  const result = await render({ layers, builtins: { ...BUILTINS, ...builtins }, task: '+main+t', keys });
  return result.ok ? result.keys : result.error.message;
}

const exported = (mapping: Mapping): Layer => [mapping];
const item = (mapping: Mapping): Layer => [mapping, 0];

describe('results are text', () => {
  it.each([
    ['${20 + 3}', '23'],
    ['${1 < 2}', 'true'],
    ['${[4, 5]}', '[4,5]'],
    ["${ {k: 'v', n: 1} }", '{"k":"v","n":1}'],
    ['${null}', ''],
    ['${undefined}', ''],
    ['${0.1 + 0.2} ${10 / 4} ${10 / 5} ${7 % 3} ${1 / 3}', '0.30000000000000004 2.5 2 1 0.3333333333333333'],
    [
      "${parseInt('42px')} ${Math.floor(-2.5)} ${(2.345).toFixed(1)} ${1e21} ${Math.pow(2, 40)}",
      '42 -3 2.3 1e+21 1099511627776',
    ],
    ["[${0 / 0}] [${1 / 0}] [${parseInt('x')}]", '[null] [null] [null]'],
    ['${moment.utc(0)}', '"1970-01-01T00:00:00.000Z"'],
    ['${new Date(0)}', '"1970-01-01T00:00:00.000Z"'],
    ["${''}|${''}!", '|!'],
    ['${n} ${t} ${z} ${o} ${l} ${s}', '1.5 true  {"a":[1]} [] x'],
    ['${o.a[0]} ${o["a"]} ${l.length} ${s.length} ${o.none}', '1 [1] 0 1 '],
    ['tail$ and ${secret:key}', 'tail$ and ${secret:key}'],
  ])('%s', async (text, expected) => {
    const layers = [{ n: 1.5, t: true, z: null, o: { a: [1] }, l: [], s: 'x' }];
    expect(await renderKeys({ text }, layers)).toEqual({ text: expected });
  });

  it('leaves values that are no text and keys alone', async () => {
    const keys = { n: 1, f: 1.5, t: true, z: null, l: [1, '${k}'], '${k}': '${k}' };
    expect(await renderKeys(keys, [{ k: 'v' }])).toEqual({ ...keys, l: [1, 'v'], '${k}': 'v' });
  });
});

describe('JavaScript', () => {
  const path = 'reports/2033/sales.csv';
  it.each([
    ["${path.split('/').reverse().join('<')}", 'sales.csv<2033<reports'],
    ["${path.substring(0, 7).toUpperCase()} ${path.length} ${path.indexOf('2033')}", 'REPORTS 22 8'],
    ["${path.replace(/[aeiou]/g, '_')} ${path.slice(-3)} ${path.charAt(1)}", 'r_p_rts/2033/s_l_s.csv csv e'],
    ['${JSON.stringify(shape)}', '{"name":"hex","tags":["a","b"]}'],
    ['${JSON.parse(\'{"depth": {"m": 12}}\').depth.m * 2}', '24'],
    ['${JSON.stringify(shape.tags.concat(["c"]))}', '["a","b","c"]'],
    ["${ {deep: {er: 'yes'}}.deep.er }", 'yes'],
    ['${(function (n) { var s = 0; for (var i = 1; i <= n; i++) { s += i; } return s; })(5)}', '15'],
    ['${typeof absent} ${typeof path} [${this.absent}] ${this.path.length}', 'undefined string [] 22'],
    ["${typeof absent === 'undefined' ? 'none' : absent}", 'none'],
    ["${moment(session_time).add(1, 'days').format('YYYY-MM-DD ddd')}", '2028-02-29 Tue'],
    ["${moment(session_time).subtract(2, 'months').format('DD/MM/YY')}", '28/12/27'],
    ["${moment(session_time).add(25, 'hours').format('YYYYMMDDTHHmmss')}", '20280229T010000'],
    ["${moment('07-11-2029 18:05', 'DD-MM-YYYY HH:mm').format('YYYY-MM-DDTHH:mm')}", '2029-11-07T18:05'],
    ["${moment('2029-13-45', 'YYYY-MM-DD').isValid()}", 'false'],
    ["${moment.unix(1893456000).utc().format('ddd MMM Do YYYY')}", 'Tue Jan 1st 2030'],
    ['${moment.tz}', ''],
    ['${x = 5}${x}', '55'],
    ["${print('a')}b", 'b'],
    ['${"a.b".replaceAll("\\\\.", "-")} ${"aaa".replaceAll("a", "A")}', 'a-b AAA'],
    ['${"2030-01".replaceFirst("(\\\\d+)-(\\\\d+)", "$2/$1")} ${"Ab".equalsIgnoreCase("aB")}', '01/2030 true'],
    ['${"abc".contains("b")} ${"".isEmpty()} ${"abc".matches("[a-c]+")} ${"abc".hashCode()}', 'true true true 96354'],
  ])('%s', async (text, expected) => {
    expect(await renderKeys({ text }, [{ path, shape: { name: 'hex', tags: ['a', 'b'] } }])).toEqual({
      text: expected,
    });
  });

  it.each([
    [
      'Asia/Kolkata',
      '${moment(session_time).format()} ${moment.unix(0).format("Z")}',
      '2028-02-28T05:30:00+05:30 +05:30',
    ],
    ['America/New_York', '${moment("2030-03-10 02:30").format()}', '2030-03-10T03:30:00-04:00'],
    [
      'America/New_York',
      '${moment("2030-07-01").toISOString()} ${moment().year(2030).month(0).date(1).format("Z")}',
      '2030-07-01T04:00:00.000Z -05:00',
    ],
    ['America/New_York', '${new Date(2030, 6, 1, 9)}', '"2030-07-01T13:00:00.000Z"'],
    [
      'America/New_York',
      '${new Date("2030-01-01T00:00:00").getTime()} ${new Date("2030-01-01").getHours()}',
      '1893474000000 19',
    ],
    ['Asia/Tokyo', '${String(new Date(0))}', 'Thu Jan 01 1970 09:00:00 GMT+0900'],
    [
      'Asia/Tokyo',
      '${new Date(0).getTimezoneOffset()} ${new Date("Jan 2 2030 10:00").toISOString()}',
      '-540 2030-01-02T01:00:00.000Z',
    ],
    ['Asia/Tokyo', '${moment("2030-01-31T12:00:00Z").endOf("month").format()}', '2030-01-31T23:59:59+09:00'],
    ['Europe/Berlin', '${moment("2030-03-30 12:00").add(1, "day").format()}', '2030-03-31T12:00:00+02:00'],
    ['Europe/Berlin', '${moment("2030-03-30 12:00").add(24, "hours").format()}', '2030-03-31T13:00:00+02:00'],
  ])('has %s as the local zone: %s', async (timezone, text, expected) => {
    expect(await renderKeys({ text }, [], { timezone })).toEqual({ text: expected });
  });
});

describe('order and scope', () => {
  it('sees an earlier evaluated key, chained through exports', async () => {
    const layers = [exported({ base: 7, twice: '${base * 2}', label: 'v${twice}' })];
    expect(await renderKeys({ a: '${twice} ${label}', b: '${a}!' }, layers)).toEqual({ a: '14 v14', b: '14 v14!' });
  });

  it('evaluates exports at use, with the task’s own name', async () => {
    expect(await renderKeys({ a: '${who}' }, [exported({ who: 'I am ${task_name}' })])).toEqual({ a: 'I am +main+t' });
  });

  it('sees a later key of an export only where that is a literal', async () => {
    expect(await renderKeys({ k: '${a}' }, [exported({ a: '${b} ${c}', b: 1, c: '${b}' })])).toEqual({ k: '1 ${b}' });
  });

  it('does not see an own key that stands later, unless it overrides', async () => {
    expect(await renderKeys({ a: '${later}', later: 'x' })).toContain('ReferenceError: later is not defined');
    expect(await renderKeys({ a: '${later}', later: 'x' }, [{ later: 'old' }])).toEqual({ a: 'x', later: 'x' });
  });

  it('gives a nested mapping its own earlier keys and exports alone', async () => {
    const keys = {
      own: 'o',
      box: {
        side: '${size}',
        label: 's${side}',
        rows: ['${size * 2}', { inner: '${size + size}', again: '${inner}!' }, '${label}'],
        none: '${typeof own}',
      },
      list: [{ seen: '${typeof own}' }, '${own}', ['${own}']],
    };
    expect(await renderKeys(keys, [exported({ size: 4 })])).toEqual({
      own: 'o',
      box: { side: '4', label: 's4', rows: ['8', { inner: '8', again: '8!' }, 's4'], none: 'undefined' },
      list: [{ seen: 'undefined' }, 'o', ['o']],
    });
  });

  it('shows the raw text of an export to a nested mapping', async () => {
    const layers = [exported({ a: 1, b: '${a}', nested: { r: '${b}' } })];
    expect(await renderKeys({ k: '${nested.r}' }, layers)).toEqual({ k: '${a}' });
  });

  it('does not evaluate _do and _else_do', async () => {
    expect(await renderKeys({ k: 1, x: { _do: { a: '${nope}' } } }, [exported({ _else_do: '${nope}' })])).toEqual({
      k: 1,
      x: { _do: { a: '${nope}' } },
    });
  });

  it('fails where anything in scope fails', async () => {
    const result = await render({
      layers: [exported({ unused: 'x ${nope} y' })],
      builtins: BUILTINS,
      task: '+t',
      keys: {},
    });
    expect(result).toEqual({
      ok: false,
      error: {
        name: 'Trowel.Template',
        message: 'Failed to evaluate a variable x ${nope} y (ReferenceError: nope is not defined) (config)',
      },
    });
  });
});

describe('layers', () => {
  it('merges mappings deeply and replaces lists, near last', async () => {
    const layers: Layer[] = [
      { m: { x: 1, both: 'x', l: [1, 2] } },
      exported({ m: { y: '${m.x}', both: 'y' } }),
      { m: { l: [3] } },
    ];
    const result = await render({ layers, builtins: BUILTINS, task: '+t', keys: { m: { own: 1 } } });
    expect(result.ok && result.keys).toEqual({ m: { x: 1, both: 'y', l: [3], y: '1', own: 1 } });
  });

  it('keeps the order in which keys were first seen', async () => {
    const result = await render({
      layers: [
        { b: 1, a: 1 },
        { c: 1, b: 2 },
      ],
      builtins: { z: 1 },
      task: '+t',
      keys: { a: 3, d: 1 },
    });
    expect(result.ok && Object.keys(result.params)).toEqual(['b', 'a', 'c', 'z', 'task_name', 'd']);
  });

  it('lets built-ins beat layers, and own keys beat built-ins', async () => {
    const layers: Layer[] = [{ session_date: 'given', task_name: 'given' }, exported({ timezone: 'given' })];
    expect(await renderKeys({ a: '${session_date} ${task_name} ${timezone}' }, layers)).toEqual({
      a: '2028-02-28 +main+t UTC',
    });
    expect(await renderKeys({ session_date: 'own', a: '${session_date}' })).toEqual({ session_date: 'own', a: 'own' });
  });

  it('never evaluates data, wherever it comes from', async () => {
    const trap = '${1 + 1} $$';
    const layers: Layer[] = [{ store: trap, deep: { a: [trap] } }, item({ it: trap }), exported({ copy: '${store}' })];
    expect(
      await renderKeys({ a: '<${store}>', b: '${it + "!"}', c: '${copy}', d: '${deep.a[0]}' }, layers, { given: trap }),
    ).toEqual({
      a: `<${trap}>`,
      b: `${trap}!`,
      c: trap,
      d: trap,
    });
  });

  it('keeps data as data where it meets template text in one mapping', async () => {
    const layers: Layer[] = [exported({ m: { t: '${1 + 1}', d: '${1 + 1}' } }), { m: { d: '${1 + 1}' } }];
    const result = await render({ layers, builtins: BUILTINS, task: '+t', keys: {} });
    expect(result.ok && result.params.m).toEqual({ t: '2', d: '${1 + 1}' });
  });

  it.each([
    [
      'a failure of ours',
      { message: 'boom ${x}', stacktrace: 'File "t.py"' },
      { message: 'boom ${x}', stacktrace: 'File "t.py"', task: '+t' },
    ],
    [
      'a Lambda function’s',
      { errorType: 'E', errorMessage: 'boom', trace: [] },
      { message: 'boom', stacktrace: '', task: '+t' },
    ],
  ])('reads the error layer: %s', async (_, cause, error) => {
    const layers: Layer[] = [item({ error: { Error: 'Trowel.TaskFailed', Cause: JSON.stringify(cause), Task: '+t' } })];
    const result = await render({ layers, builtins: BUILTINS, task: '+t', keys: { a: '${error.message}' } });
    expect(result.ok && [result.params.error, result.keys.a]).toEqual([error, error.message]);
  });

  it('reads an error whose cause is cut or absent', async () => {
    const layers = (Cause: string): Layer[] => [item({ error: { Error: 'States.Timeout', Cause } })];
    expect(await renderKeys({ a: '${error.message}' }, layers('{"message":"cut'))).toEqual({ a: 'cut …' });
    expect(await renderKeys({ a: '${error.message}' }, layers(''))).toEqual({
      a: 'The task took longer than it may, or its container fell silent (States.Timeout)',
    });
  });

  it('takes strange names of keys', async () => {
    const strange = JSON.parse('{"__proto__": {"a": "${1}"}, "constructor": "${2}", "": "${3}"}') as Mapping;
    const result = await render({
      layers: [exported(strange)],
      builtins: BUILTINS,
      task: '+t',
      keys: { k: '${constructor}' },
    });
    expect(result.ok && JSON.stringify(result.params)).toContain('{"__proto__":{"a":"1"},"constructor":"2","":"3"');
    expect(result.ok && result.keys).toEqual({ k: '2' });
  });
});

describe('what is kept in a file', () => {
  const bytes = { 'trowel:ref': 'a'.repeat(64), kind: 'bytes', bytes: 3 };
  const rows = { 'trowel:ref': 'b'.repeat(64), kind: 'json', bytes: 20_000_000 };
  const layers: Layer[] = [{ blob: bytes, deep: { parts: [1, bytes], n: 2 }, rows, table: { 'trowel:map': [rows] } }];

  it.each([
    ['bytes', '${blob}', bytes],
    ['in a list', '${deep.parts}', [1, bytes]],
    ['in a mapping', '${ deep }', { parts: [1, bytes], n: 2 }],
    ['beside it', '${deep.n}', '2'],
  ])('passes as it is where a key names it and nothing else: %s', async (_, x, expected) => {
    const request = { layers, builtins: BUILTINS, task: '+main+t', keys: { x } };
    const result = await render({ ...request, passes: () => true });
    expect(result.ok && result.own).toEqual({ x: expected });
    if (typeof expected !== 'string') expect(await render(request)).toMatchObject({ ok: false });
  });

  it.each([
    ['${blob} ', 'blob is no JSON but a value in a file (bytes, 3 bytes), which a template cannot show'],
    ['${blob.length}', 'blob.length is no JSON'],
    ['${deep.parts} and', 'deep.parts.1 is no JSON'],
    ['${deep.parts.length + 1}', 'deep.parts.1 is no JSON'],
    // A smaller one would be text: its size does not decide what it becomes.
    ['${rows}', 'x is too large for a template: more than 16 MiB. Read it in a py> task'],
    ['${table}', 'table is too large for a template'],
  ])('has no text: %s', async (x, message) => {
    const request = { layers, builtins: BUILTINS, task: '+main+t', keys: { x } };
    const result = await render({ ...request, passes: (_, mark) => hasNoText(mark) });
    expect(result).toMatchObject({ ok: false, error: { message: expect.stringContaining(message) } });
  });
});

describe('renderText', () => {
  it('evaluates a file’s text in a scope of data', async () => {
    expect(await renderText('Hello ${name}, ${1 + 1} $$', { name: '${x}' })).toEqual({
      ok: true,
      text: 'Hello ${x}, 2 $',
    });
    expect((await renderText('${nope}', {})).ok).toBe(false);
  });
});
