import { describe, expect, it } from 'vitest';
import { classify } from '../../../lib/expression/classify.ts';
import { scan } from '../../../lib/expression/scan.ts';

const shown = (text: string) => scan(text).map((part) => (part.kind === 'text' ? part.text : { script: part.script }));

describe('scan', () => {
  it.each<[string, (string | { script: string })[]]>([
    ['', []],
    ['plain', ['plain']],
    ['${a}', [{ script: 'a' }]],
    ['x${a}y${b}z', ['x', { script: 'a' }, 'y', { script: 'b' }, 'z']],
    ['US$$ 9', ['US$ 9']],
    ['$${a}', ['$', { script: 'a' }]],
    ['$$${a}', ['$', { script: 'a' }]],
    ['a$b$', ['a$b$']],
    ['$$$', ['$$']],
    ['${}', []],
    ['a${}b', ['a', 'b']],
    ['${ }', [{ script: ' ' }]],
    ['${v', ['${v']],
    ['${a}${v ${b}', [{ script: 'a' }, '${v ${b}']],
    ['$$${v$$', ['$', '${v$']],
    ['${', ['${']],
    ['${ {a:1}.a }', [{ script: ' {a:1}.a ' }]],
    ["${'}'}", [{ script: "'" }, "'}"]],
    ["${'{}'}", [{ script: "'{}'" }]],
    ['${secret:key}', ['${secret:key}']],
    ['${secret:${which}}', ['${secret:', { script: 'which' }, '}']],
    ['${secret:k} $$ ${a}', ['${secret:k} $ ', { script: 'a' }]],
    ['${Secret:key}', [{ script: 'Secret:key' }]],
    ['${a ? b:c}', [{ script: 'a ? b:c' }]],
    ['${\n a }', [{ script: '\n a ' }]],
  ])('%j', (text, parts) => {
    expect(shown(text)).toEqual(parts);
  });

  it('gives offsets of the script', () => {
    expect(scan('é ${a}').at(1)).toEqual({ kind: 'expression', script: 'a', start: 4, end: 5 });
  });
});

describe('classify', () => {
  it.each([
    ['no expression $$', 'literal'],
    ['${secret:x}', 'literal'],
    ['${}', 'literal'],
    ['${a} and ${ b.c[0]["d e"].f }', 'path'],
    ['${a + 1}', 'simple'],
    ['${a}${i == 1 ? "x" : "y"}', 'simple'],
    ['${null}', 'javascript'],
    ['${moment().format()}', 'javascript'],
    ['${a + 1}${f()}', 'javascript'],
  ])('%j is %s', (text, expected) => {
    expect(classify(text)).toBe(expected);
  });
});
