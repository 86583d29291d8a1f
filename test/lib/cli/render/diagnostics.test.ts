import { describe, expect, test } from 'vitest';
import { renderCount, renderGithub, renderJson, renderText } from '../../../../lib/cli/render/diagnostics.ts';
import type { Diagnostic } from '../../../../lib/language/diagnostic.ts';

function at(source: string, marked: string, more: Partial<Diagnostic> = {}): [Diagnostic[], Map<string, string>] {
  const start = source.indexOf(marked);
  const span = { file: 'main.dig', start, end: start + marked.length };
  return [
    [{ code: 'bad-value', severity: 'error', message: 'Wrong', notes: [], span, ...more }],
    new Map([['main.dig', source]]),
  ];
}

const lines = (source: string, marked: string, width?: number) =>
  renderText(...at(source, marked), { ...(width !== undefined && { width }) })
    .trimEnd()
    .split('\n')
    .slice(1);

test('place, line, caret, notes', () => {
  const notes = ["Did you mean 'sh>'?", 'Write:\n  sh>: ls'];
  expect(renderText(...at('+a:\n  shell>: ls\n', 'shell>', { notes }))).toBe(
    [
      'main.dig:2:3 error bad-value: Wrong',
      '    2 |   shell>: ls',
      '      |   ^^^^^^',
      "      = Did you mean 'sh>'?",
      '      = Write:',
      '      |     sh>: ls',
      '',
    ].join('\n'),
  );
});

test('without a place', () => {
  const diagnostic: Diagnostic = { code: 'file-not-found', severity: 'error', message: 'Gone', notes: ['Look'] };
  expect(renderText([diagnostic], new Map())).toBe('error file-not-found: Gone\n  = Look\n');
});

describe('the caret', () => {
  test.each<[string, string, string, string[]]>([
    ['below tabs', 'a:\tx: y', 'x', ['    1 | a:  x: y', '      |     ^']],
    ['below wide letters', '挨拶: 悪い値', '悪い値', ['    1 | 挨拶: 悪い値', '      |       ^^^^^^']],
    ['below an emoji', '🙂 x', 'x', ['    1 | 🙂 x', '      |    ^']],
    ['below a combining mark', 'e\u0301 x', 'x', ['    1 | e\u0301 x', '      |   ^']],
    ['of the first line alone', 'a: [1,\n2]', '[1,\n2]', ['    1 | a: [1,', '      |    ^^^']],
    ['without width', 'a: b', '', ['    1 | a: b', '      | ^']],
    ['with CR LF', 'a: b\r\nc: d\r\n', 'b', ['    1 | a: b', '      |    ^']],
    ['below control characters', 'a: \u001b[31m x', 'x', ['    1 | a: \ufffd[31m x', '      |          ^']],
  ])('%s', (_, source, marked, expected) => expect(lines(source, marked)).toEqual(expected));

  test('stays in sight on long lines', () => {
    for (const [before, after] of [
      [0, 500],
      [500, 0],
      [500, 500],
      [60, 500_000],
    ] as const) {
      const [text = '', caret = ''] = lines(`${'b'.repeat(before)}BAD${'a'.repeat(after)}`, 'BAD', 80);
      expect(text.length, `${before} ${after}`).toBeLessThanOrEqual(80);
      expect(text.slice(caret.indexOf('^'), caret.indexOf('^') + 3)).toBe('BAD');
      expect(caret.trim().endsWith('^^^')).toBe(true);
    }
  });

  test('of a very long text ends with the line', () => {
    const [text = '', caret = ''] = lines(`a: ${'x'.repeat(100_000)}`, 'x'.repeat(100_000), 80);
    expect(Math.max(text.length, caret.length)).toBeLessThanOrEqual(80);
  });
});

test('colours come from the palette', () => {
  const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const palette = { error: mark('e'), warning: mark('w'), strong: mark('s'), faint: mark('f') };
  expect(renderText(...at('ab', 'b'), { palette })).toBe(
    '<s>main.dig:1:2 </s><e>error bad-value</e>: <s>Wrong</s>\n<f>    1 |</f> ab\n<f>      |</f>  <e>^</e>\n',
  );
});

test('JSON', () => {
  expect(JSON.parse(renderJson(...at('a\nb: c', 'b')))).toEqual([
    {
      code: 'bad-value',
      severity: 'error',
      message: 'Wrong',
      notes: [],
      file: 'main.dig',
      line: 2,
      column: 1,
      endLine: 2,
      endColumn: 2,
    },
  ]);
});

test('GitHub annotations', () => {
  const [list, sources] = at('a\nb: c', 'b', { message: '100% wrong', notes: ['a\nb'], severity: 'warning' });
  expect(renderGithub(list, sources, 'flows,x/')).toBe(
    '::warning file=flows%2Cx/main.dig,line=2,col=1,endLine=2,endColumn=2,title=bad-value::100%25 wrong%0Aa%0Ab\n',
  );
});

test('the count', () => {
  const one = at('a', 'a')[0][0] as Diagnostic;
  expect(renderCount([one, one, { ...one, severity: 'warning' }])).toBe('2 errors, 1 warning');
  expect(renderCount([])).toBe('no errors');
});
