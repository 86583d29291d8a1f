import { expect, test } from 'vitest';
import { brief, child, parse, task, valid } from '../helpers.ts';

test('keys of the file take the place of the include', () => {
  const workflow = valid({
    'main.dig': '_export:\n  !include : settings/base.yml\n  local: here\n+a: {echo>: x}\n',
    'settings/base.yml': 'colour: green\ndeep: {a: 1}\n',
  });
  expect(workflow.root.directives.export).toEqual({ colour: 'green', deep: { a: 1 }, local: 'here' });
});

test('several includes merge deeply, lists are replaced, the later wins', () => {
  const workflow = valid({
    'main.dig': '_export:\n  a: 1\n  !include : one.yml\n  !include : two.yml\n+t: {echo>: x}\n',
    'one.yml': 'opt: {a: 1, b: {x: 1}}\nlist: [1, 2]\n',
    'two.yml': 'opt: {a: 2, b: {y: 2}}\nlist: [3]\n',
  });
  expect(workflow.root.directives.export).toEqual({ a: 1, opt: { a: 2, b: { x: 1, y: 2 } }, list: [3] });
});

test('a literal key below an include replaces it whole', () => {
  const workflow = valid({
    'main.dig': '_export:\n  !include : one.yml\n  opt: {z: 1}\n+t: {echo>: x}\n',
    'one.yml': 'opt: {a: 1}\n',
  });
  expect(workflow.root.directives.export).toEqual({ opt: { z: 1 } });
});

test('tasks come in at their place, at the top and in lists', () => {
  const workflow = valid({
    'main.dig': '+a: {echo>: a}\n!include : sub/more.dig\n+z: {py>: m.f, list: [{!include : v.yml}]}\n',
    'sub/more.dig': '+m: {echo>: m}\n!include : deeper.yml\n',
    'sub/deeper.yml': '+n: {echo>: n}\n',
    'v.yml': 'k: 1\n',
  });
  expect(workflow.root.children.map(({ name }) => name)).toEqual(['+a', '+m', '+n', '+z']);
  expect(task(workflow, '+z').keys.list).toEqual([{ k: 1 }]);
  expect(child(workflow, '+m').span.file).toBe('sub/more.dig');
  expect(parse({ 'main.dig': '!include : a.yml', 'a.yml': '+a: {echo>: x}' }).includes).toEqual(['a.yml']);
});

test('an include as first key of the file', () => {
  expect(
    valid({ 'main.dig': '!include : a.yml\n+b: {echo>: x}', 'a.yml': '+a: {echo>: x}' }).root.children,
  ).toHaveLength(2);
});

test.each<[string, { [path: string]: string }, string[]]>([
  ['a missing file', { 'main.dig': '!include : no.yml\n+a: {echo>: x}' }, ['error file-not-found «no.yml»']],
  [
    'a path upwards',
    { 'sub/main.dig': '!include : ../a.yml\n+a: {echo>: x}' },
    ['error file-outside-project «../a.yml»'],
  ],
  [
    'an absolute path',
    { 'main.dig': '!include : /etc/passwd\n+a: {echo>: x}' },
    ['error file-outside-project «/etc/passwd»'],
  ],
  [
    'upwards and back',
    { 'sub/main.dig': '!include : x/../../sub2/a.yml\n+a: {echo>: x}' },
    ['error file-outside-project «x/../../sub2/a.yml»'],
  ],
  ['an expression', { 'main.dig': '!include : ${env}.yml\n+a: {echo>: x}' }, ['error include-path «${env}.yml»']],
  ['no path', { 'main.dig': '!include :\n+a: {echo>: x}' }, ['error include-path «!include»']],
  [
    'a file that includes itself',
    { 'main.dig': '!include : main.dig\n+a: {echo>: x}' },
    ['error include-cycle «main.dig»'],
  ],
  [
    'a circle',
    {
      'main.dig': '!include : a.yml\n+a: {echo>: x}',
      'a.yml': 'x: {!include : b.yml}',
      'b.yml': 'y: {!include : a.yml}',
    },
    ['error unknown-top-key «x»', 'error include-cycle «a.yml»'],
  ],
  ['a list', { 'main.dig': '!include : a.yml\n+a: {echo>: x}', 'a.yml': '- 1' }, ['error root-not-mapping «a.yml»']],
  [
    'a slip in the file',
    { 'main.dig': '!include : a.yml\n+a: {echo>: x}', 'a.yml': 'a: b: c' },
    ['error yaml-syntax «b:»'],
  ],
])('refused: %s', (_, files, expected) => {
  expect(brief(parse(files).diagnostics, files)).toEqual(expected);
});

test('files that include two copies each do not multiply without end', () => {
  const files: { [path: string]: string } = { 'main.dig': '!include : f0.yml\n+a: {echo>: x}' };
  for (let i = 0; i < 30; i++) files[`f${i}.yml`] = `a: {!include : f${i + 1}.yml}\nb: {!include : f${i + 1}.yml}\n`;
  files['f30.yml'] = 'x: 1\n';
  expect(parse(files).diagnostics.some(({ code }) => code === 'yaml-alias-bomb')).toBe(true);
});
