import { describe, expect, it } from 'vitest';
import { evaluate as evaluateParts } from '../../../lib/expression/sandbox.ts';
import { scan } from '../../../lib/expression/scan.ts';
import type { Mapping, Value } from '../../../lib/language/workflow.ts';
import { first } from '../../thorough.ts';

async function evaluate(text: string, scope: Mapping = {}): Promise<string> {
  const result = await evaluateParts(scan(text), Object.keys(scope), (name) => scope[name] as Value, 'UTC');
  return result.ok ? result.text : `! ${result.message}`;
}

describe('messages', () => {
  it.each([
    ['${nope}', 'ReferenceError: nope is not defined'],
    ['${house.garden.trees}', "TypeError: cannot read property 'trees' of undefined"],
    ['${ }', 'SyntaxError: '],
    ['${a b}', 'SyntaxError: '],
    ['${a; b}', 'SyntaxError: '],
    ['${(function () { throw "own" })()}', 'own'],
    ['${(function () { throw new RangeError("own") })()}', 'RangeError: own'],
    ['${(function () { throw null })()}', 'null'],
  ])('%s', async (text, message) => {
    expect(await evaluate(text, { house: {}, a: 1, b: 2 })).toContain(`! ${message}`);
  });
});

describe('limits', () => {
  const LIMITS = [
    ['an endless loop', '${(function () { for (;;) {} })()}', 'it ran longer than 1 s'],
    [
      'an endless regular expression',
      '${/(a+)+$/.test("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")}',
      'it ran longer than 1 s',
    ],
    [
      'much memory',
      '${(function () { var a = []; for (;;) a.push("x".repeat(1e6) + a.length) })()}',
      'it needs more than 64 MB',
    ],
    ['many objects', '${(function () { var a = []; for (;;) a.push({}) })()}', 'it (needs more than 64 MB|ran longer)'],
    ['a long result', '${"x".repeat(6e7)}', 'it needs more than 64 MB'],
    ['a large array', '${new Uint8Array(1e9).length}', ''],
    [
      "an engine's own loop",
      '${Array.prototype.indexOf.call({length: 9007199254740991}, 1)}',
      'it ran longer than 1 s',
    ],
    [
      'a loop in the conversion of the result',
      '${({ toJSON: function () { for (;;) {} } })}',
      'it ran longer than 1 s',
    ],
    ['deep recursion', '${(function f() { return 1 + f() })()}', 'stack'],
    [
      'deep JSON',
      '${JSON.stringify((function () { var a = []; for (var i = 0; i < 1e5; i++) a = [a]; return a })())}',
      '',
    ],
    ['a deep pattern', `\${new RegExp(new Array(50000).join('(') + new Array(50000).join(')'))}`, ''],
    ['deep nesting of the script', `\${${'('.repeat(20000)}1${')'.repeat(20000)}}`, ''],
    // Each takes its second of a processor.
    [
      'a catch around it',
      '${(function () { for (;;) { try { for (;;) {} } catch (e) {} } })()}',
      'it ran longer than 1 s',
    ],
    [
      "an engine's own loop backwards",
      '${Array.prototype.lastIndexOf.call({length: 9007199254740991}, 1)}',
      'it ran longer than 1 s',
    ],
    ['a search through nothing', '${Array.prototype.includes.call({length: 1e15}, 1)}', 'it ran longer than 1 s'],
    ['a long join', "${new Array(1e8).join('').length + new Array(1e8).join('').length}", 'it ran longer than 1 s'],
    ['a loop in a sort', '${[1, 2].sort(function () { for (;;) {} })}', 'it ran longer than 1 s'],
  ] as const;

  it.each(first(12, LIMITS))('ends %s, and works on', async (_, text, message) => {
    expect(await evaluate(text)).toMatch(new RegExp(`^! .*${message}`));
    expect(await evaluate('${moment.utc(0).format("YYYY") + x}', { x: 1 })).toBe('19701');
  });
});

describe('what an expression cannot reach', () => {
  it.each([
    'process',
    'require',
    'global',
    'fetch',
    'setTimeout',
    'console',
    'WebAssembly',
    'Java',
    'load',
    'std',
    'os',
    'Deno',
    'XMLHttpRequest',
  ])('%s', async (name) => {
    expect(await evaluate(`\${typeof ${name}} \${[].constructor.constructor('return typeof ${name}')()}`)).toBe(
      'undefined undefined',
    );
  });

  it.each([
    '${[].constructor.constructor("return this")().process}',
    '${this.constructor.constructor("return typeof globalThis.process")() === "undefined" ? "" : "escaped"}',
    '${(function () { try { throw Error() } catch (e) { return /node|\\.ts/.test(e.stack) ? "escaped" : "" } })()}',
  ])('%s', async (text) => {
    expect(await evaluate(text)).toBe('');
  });

  it('has no module loader', async () => {
    expect(await evaluate('${import("fs")}')).not.toContain('readFile');
    expect(await evaluate('${eval("import(\'fs\')")}')).not.toContain('readFile');
  });
});

describe('what does not outlive an expression', () => {
  it.each([
    ['a global variable', '${leak = 1}', '${typeof leak}', 'undefined'],
    [
      'a variable of an indirect eval',
      '${(0, eval)("var leak = 1; let more = 2")}',
      '${typeof leak + typeof more}',
      'undefinedundefined',
    ],
    ['a fixed global', '${Object.defineProperty(globalThis, "leak", {value: 1}) && ""}', '${typeof leak}', 'undefined'],
    ['a changed method', '${String.prototype.trim = function () { return "changed" }, ""}', '${" x ".trim()}', 'x'],
    ['a replaced object', '${Math = 1}', '${Math.max(1, 2)}', '2'],
    ['a changed static', '${Math.max = 1}', '${Math.max(1, 2)}', '2'],
    [
      'a changed locale',
      '${moment.updateLocale("en", {months: ["x"]}) && ""}',
      '${moment.utc(0).format("MMMM")}',
      'January',
    ],
    [
      'a locale changed by another name',
      '${moment["la" + "ng"]("en", {months: ["x"]}) && ""}',
      '${moment.utc(0).format("MMMM")}',
      'January',
    ],
    [
      'a threshold',
      '${moment["relativeTimeThres" + "hold"]("s", 3), ""}',
      '${moment.duration(20, "s").humanize()}',
      'a few seconds',
    ],
    [
      'a rounding',
      '${moment["relativeTimeRoun" + "ding"](Math.ceil), ""}',
      '${moment.duration(61, "m").humanize()}',
      'an hour',
    ],
    [
      'a closure of moment',
      '${moment.fn.add = 1, moment.parseTwoDigitYear = 2, ""}',
      '${moment("50-01-01", "YY-MM-DD").add(1, "y").year()}',
      '2051',
    ],
    [
      'a method of a hidden prototype',
      '${Object.getPrototypeOf([].values()).next = 1}',
      '${Array.from([1].values())}',
      '[1]',
    ],
    ['the last match', '${/(b)/.exec("abc") && ""}', '${RegExp.$1}', ''],
    [
      'a tagged template',
      '${(function f(s) { return s })`x`.raw.leak = 1}',
      '${(function f(s) { return s })`x`.raw.leak}',
      '',
    ],
    ['a registered symbol', '${Object.prototype[Symbol.for("leak")] = 1}', '${({})[Symbol.for("leak")]}', ''],
    ['a changed clock', '${moment.now = function () { return 0 }, ""}', '${moment().year() > 1970}', 'true'],
    ['a changed variable', '${list.push(2)}', '${list}', '[1]'],
    ['a polluted prototype', '${this.__proto__.leak = 1}', '${({}).leak}', ''],
  ])('%s', async (_, first, second, expected) => {
    const scope = { list: [1] };
    await evaluate(first, scope);
    expect(await evaluate(second, scope)).toBe(expected);
  });

  it('yet lets an expression use what it changes', async () => {
    expect(
      await evaluate('${(function () { var o = {}; o.toString = function () { return "own" }; return "" + o })()}'),
    ).toBe('own');
    expect(await evaluate('${String.prototype.twice = function () { return this + this }, "a".twice()}')).toBe('aa');
  });
});

describe('evaluations', () => {
  it('get other random numbers each', async () => {
    expect(await evaluate('${Math.random()}')).not.toBe(await evaluate('${Math.random()}'));
  });

  it('asked for at once do not meet', async () => {
    const texts = Array.from({ length: 50 }, (_, i) => `\${leak = typeof leak + ${i}}`);
    expect(await Promise.all(texts.map((text) => evaluate(text)))).toEqual(texts.map((_, i) => `undefined${i}`));
  });

  it('leave the process its time', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 10);
    await evaluate('${Array.prototype.indexOf.call({length: 9007199254740991}, 1)}');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});

describe('results', () => {
  it('keep every character', async () => {
    const text = 'a\u0000b\ud83d\u2028\u{1F600}\r\n';
    expect(await evaluate('${x + "" + x}', { x: text })).toBe(text + text);
    expect(await evaluate(`${text}\${1 + 1}`)).toBe(`${text}2`);
  });
});

describe('scope', () => {
  it('finds a variable that is not spelled', async () => {
    expect(await evaluate('${this["a" + "b"]} ${eval("a" + "b")} ${\\u0061b}', { ab: 1 })).toBe('1 1 1');
  });

  it('lets a variable hide what JavaScript defines', async () => {
    expect(await evaluate('${Math + moment + JSON}', { Math: 1, moment: 2, JSON: 3 })).toBe('6');
    expect(await evaluate('${[undefined]}', { undefined: 5 })).toBe('[5]');
  });
});
