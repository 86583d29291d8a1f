import { describe, expect, it } from 'vitest';
import { freeVariables, syntaxFault } from '../../../lib/expression/javascript.ts';

describe('freeVariables', () => {
  it.each<[string, string[]]>([
    ['none $$', []],
    ['${a} ${ b.c }', ['a', 'b']],
    ['${a + b.a + b[c] + f(d)}', ['a', 'b', 'b', 'c', 'f', 'd']],
    ['${secret:key}', []],
    ['${moment(x).format("Y") + Math.max(1, parseInt("2")) + undefined}', ['x']],
    ["${typeof a === 'undefined' ? 'none' : a}", []],
    ['${this.a}', []],
    ['${ {a: b, [c]: 1} }', ['b', 'c']],
    ['${(function (n) { var s = 0; for (var i = 1; i <= n; i++) { s += i + k; } return s; })(5)}', ['k']],
    ['${list.map(function named(x) { return x + y })}', ['list', 'y']],
    ['${list.map(x => x + y)}', ['list', 'y']],
    ['${(function () { try { f() } catch (e) { return e } })()}', ['f']],
    ['${x = 1}${x}', []],
    ['${x.y = 1}', ['x']],
    ['${a +}', []],
  ])('%s', async (text, names) => {
    expect((await freeVariables(text)).map(({ name }) => name)).toEqual(names);
  });

  it('gives their places in the text', async () => {
    const text = 'é ${ a } ${b + (c)}';
    const variables = await freeVariables(text);
    expect(variables.map(({ start, end }) => text.slice(start, end))).toEqual(['a', 'b', 'c']);
  });
});

describe('syntaxFault', () => {
  it.each<[string, number | undefined]>([
    ['plain ${ {a: 1}.a } ${a}', undefined],
    ['${(() => 1)()}', undefined],
    ['${ }', 3],
    ['ab ${x +}', 8],
    ['${a b}', 4],
    ['${a; b}', 3],
    ['${a);(b}', 2],
    ['${"open}', 2],
    ['${x}${1 +* 2}', 9],
  ])('%s', async (text, offset) => {
    expect((await syntaxFault(text))?.offset).toBe(offset);
  });

  it('says what acorn says, without its position', async () => {
    expect(await syntaxFault('${a b}')).toEqual({ message: 'Unexpected token', offset: 4 });
  });
});
