import { expect, test } from 'vitest';
import { brief, parse } from '../helpers.ts';

/** What was written, the place that is underlined, and the lines that the note shows. */
const SLIPS: [string, string, string, string][] = [
  [
    'a mapping on the line of its key (the operator guide)',
    '+t:\n  py>: m.f\n  docker: image: "digdag/digdag-python:3.7"\n',
    'yaml-syntax «image:»',
    '  docker:\n    image: "digdag/digdag-python:3.7"',
  ],
  [
    'keys indented under text (the operator guide)',
    '+t:\n  py>: m.f\n  msg: "Hello World"\n    docker:\n      image: "digdag/digdag-python:3.7"\n\n+r:\n  echo>: x\n',
    'yaml-syntax «docker:»',
    '  msg: "Hello World"\n  docker:\n    image: "digdag/digdag-python:3.7"',
  ],
  [
    'keys indented under plain text',
    '+t:\n  py>: m.f\n    docker:\n      image: x\n',
    'yaml-syntax «docker:»',
    '  py>: m.f\n  docker:\n    image: x',
  ],
  ['one space too many', '+t:\n  echo>: x\n   foo: 1\n', 'yaml-syntax «foo:»', '  echo>: x\n  foo: 1'],
  ['CR LF as well', '+t:\r\n  echo>: x\r\n   foo: 1\r\n', 'yaml-syntax «foo:»', '  echo>: x\n  foo: 1'],
  ['one space too few', '+t:\n    echo>: x\n   foo: 1\n', 'yaml-syntax «foo:»', '    foo: 1'],
  ['a tab', '+t:\n\techo>: x\n', 'yaml-tab «\t»', '  echo>: x'],
  ['a colon in text', '+t:\n  echo>: note: this\n', 'yaml-syntax «:»', '  echo>: "note: this"'],
  ['a ternary', '+t:\n  echo>: ${a ? b : c}\n', 'yaml-syntax «:»', '  echo>: "${a ? b : c}"'],
  ['a ternary with quotes', '+t:\n  echo>: ${a ? "b" : 1}\n', 'yaml-syntax «:»', `  echo>: '\${a ? "b" : 1}'`],
  ['a quote inside quotes', "+t:\n  echo>: 'it's'\n", "yaml-syntax «s'»", '  echo>: "it\'s"'],
  ['text after quotes', '+t:\n  echo>: "a" b\n', 'yaml-syntax «b»', `  echo>: '"a" b'`],
  ['a quote that stays open', '+t:\n  echo>: "hello\n+b:\n  echo>: x\n', 'yaml-syntax «"hello»', 'Close it with "'],
  ['a list that stays open', '+t:\n  x: [1, 2\n+b:\n  echo>: 1\n', 'yaml-syntax «[»', '  x: [1, 2]'],
  ['a mapping that stays open', '+t:\n  x: {a: 1\n+b:\n  echo>: 1\n', 'yaml-syntax «{»', '  x: {a: 1}'],
  ['no space after the colon', '+t:\n  echo>: x\n  foo:bar\n', 'yaml-syntax «foo:bar»', '  foo: bar'],
  ['no space, alone', '+t:\n  echo>:hello\n', 'task-not-mapping «echo>:hello»', '  echo>: hello'],
  ['no colon', '+t:\n  sh> ls -l\n', 'task-not-mapping «sh> ls -l»', '  sh>: ls -l'],
  ['a full-width colon', '+t:\n  echo>：hello\n', 'task-not-mapping «echo>：hello»', '  echo>: hello'],
  ['a reserved character', '+t:\n  echo>: @x\n', 'yaml-syntax «@»', '  echo>: "@x"'],
  ['a percent sign', '+t:\n  echo>: %d\n', 'yaml-syntax «%»', '  echo>: "%d"'],
  ['a glob', '+t:\n  sh>: *.csv\n', 'yaml-syntax «*.csv»', '"*.csv"'],
  ['a wrong escape', '+t:\n  echo>: "\\d"\n', 'yaml-syntax «\\d»', 'single quotes'],
  ['text beside the bar', '+t:\n  sh>: | echo a\n    echo b\n', 'yaml-syntax «echo a»', '  sh>: |\n    echo a'],
  ['text not under the bar', '+t:\n  sh>: |\n  echo a\n  echo b\n', 'yaml-syntax «echo a»', '  sh>: |\n    echo a'],
  ['a bare expression between braces', '+t: {sh>: ls, n: ${n}}\n', 'yaml-syntax «${n}»', '+t: {sh>: ls, n: "${n}"}'],
  ['a bare expression in a list', '+t: {py>: m.f}\n+u:\n  to: [${a}, b]\n', 'yaml-syntax «${a}»', '  to: ["${a}", b]'],
  ['text after a list', '+t:\n  subject: [${a}] news\n', 'yaml-syntax «[${a}]»', '  subject: "[${a}] news"'],
  ['braces of another template language', '+t:\n  echo>: {{x}}\n', 'yaml-syntax «{x}»', '{{…}}'],
];

test.each(SLIPS)('%s', (_, text, expected, lines) => {
  const { diagnostics } = parse(text);
  expect(brief(diagnostics.slice(0, 1), text)).toEqual([`error ${expected}`]);
  expect(diagnostics[0]?.notes.join('\n')).toContain(lines);
});

test('two slips in one file are both reported', () => {
  const text = '+a:\n  docker: image: x\n  py>: m.f\n+b:\n  py>: m.g\n  docker: image: y\n';
  expect(brief(parse(text).diagnostics, text)).toEqual(['error yaml-syntax «image:»', 'error yaml-syntax «image:»']);
});

test('an operator in the column of its task', () => {
  const text = '+a:\nsh>: ls\n';
  const { diagnostics } = parse(text);
  expect(brief(diagnostics, text)).toEqual(['error task-null «+a»']);
  expect(diagnostics[0]?.notes[0]).toContain("'sh>'");
});
