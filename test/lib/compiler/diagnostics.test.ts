/** Covers lib/compiler/compile.ts, lib/compiler/check-limits.ts, lib/compiler/unreachable.ts. */
import { describe, expect, it } from 'vitest';
import type { DiagnosticCode } from '../../../lib/language/diagnostic.ts';
import { compileText } from './play.ts';

interface Case {
  readonly name: string;
  readonly dig: string;
  readonly others?: { readonly [file: string]: string };
  readonly target?: 'aws';
  /** Code, severity, and how the text at the span begins. */
  readonly found: readonly (readonly [DiagnosticCode, 'error' | 'warning', string])[];
}

const LONG = 'x'.repeat(300_000);
const N = `
+n:
  _parallel: true
  +a: {py>: t.f}
  +b: {py>: t.f}
  +c: {py>: t.f, _after: [+a, +b]}
  +d: {py>: t.f, _after: [+b]}
`;

const UNREACHABLE: readonly Case[] = [
  ['what follows fail>, once', '+a: {fail>: no}\n+b: {py>: t.f}\n+c: {py>: t.f}', ['+b:']],
  ['a call> or a loop after fail>', '+a: {fail>: no}\n+b: {loop>: 2, _do: {+x: {echo>: x}}}', ['+b:']],
  ['after a group that fails', '+g: {+a: {+b: {echo>: b}, +c: {fail>: no}}, +d: {echo>: d}}', ['+d:']],
  [
    'after a parallel group of which one fails',
    '+g: {_parallel: true, +a: {fail>: no}, +b: {echo>: b}}\n+c: {echo>: c}',
    ['+c:'],
  ],
  [
    'after an if> whose arms both fail',
    '+a: {if>: "${x}", _do: {fail>: a}, _else_do: {fail>: b}}\n+b: {echo>: b}',
    ['+b:'],
  ],
  ['after an if> that is always true', '+a: {if>: true, _do: {fail>: a}}\n+b: {echo>: b}', ['+b:']],
  ['after a loop whose body fails', '+a: {loop>: 2, _do: {fail>: a}}\n+b: {echo>: b}', ['+b:']],
  ['after a check that fails', '+a: {py>: t.f, _check: {fail>: no}}\n+b: {echo>: b}', ['+b:']],
  ['a check of what fails', '+a: {fail>: no, _check: {echo>: a}}', ['_check:']],
  [
    'what waits for it by _after',
    '+g:\n  _parallel: true\n  +a: {fail>: no}\n  +b: {echo>: b}\n  +c: {echo>: c, _after: [+a]}',
    ['+c:'],
  ],
  ['in a handler', '+a: {py>: t.f, _error: {+x: {fail>: no}, +y: {echo>: y}}}', ['+y:']],
  ['not after an if> with an arm', '+a: {if>: "${x}", _do: {fail>: a}}\n+b: {echo>: b}', []],
  ['not after an if> that is always false', '+a: {if>: false, _do: {fail>: a}}\n+b: {echo>: b}', []],
  ['not the handler of what cannot fail', '+a: {echo>: a, _error: {py>: t.f}}\n+b: {echo>: b}', []],
  ['not a handler, nor what runs beside', '+a: {fail>: no, _error: {echo>: a}}\n+b: {echo>: b, _background: true}', []],
  ['not after a loop that may have no rounds', '+a: {loop>: "${n}", _do: {fail>: a}}\n+b: {echo>: b}', []],
  ['not after a loop without rounds', '+a: {loop>: 0, _do: {fail>: a}}\n+b: {echo>: b}', []],
  ['not after what is disabled', '+a: {_disable: true, fail>: no}\n+b: {echo>: b}', []],
  ['not the arm that a literal leaves out', '+a: {if>: true, _do: {echo>: a}, _else_do: {py>: t.f}}', []],
].map(([name, dig, spans]) => ({
  name: `unreachable: ${String(name)}`,
  dig: String(dig),
  found: (spans as string[]).map((span) => ['unreachable-task', 'warning', span] as const),
}));

const CASES: readonly Case[] = [
  ...UNREACHABLE,
  { name: 'an order that adds a wait', dig: N, found: [['added-wait', 'warning', '+d:']] },
  {
    name: 'call> that leads back',
    dig: '+a: {call>: part}',
    others: { 'part.dig': '+b: {call>: main}' },
    found: [['call-cycle', 'error', 'main']],
  },
  { name: 'call> of no file', dig: '+a: {call>: nowhere}', found: [['call-not-found', 'error', 'nowhere']] },
  {
    name: 'call> is relative to the calling file',
    dig: '+a: {call>: sub/part}',
    others: { 'sub/part.dig': '+b: {call>: other}', 'other.dig': '+c: {echo>: c}' },
    found: [['call-not-found', 'error', 'other']],
  },
  {
    name: 'require> of no workflow',
    dig: '+a: {require>: nowhere}',
    found: [['require-not-found', 'error', 'nowhere']],
  },
  {
    name: 'a key too large for a payload',
    dig: `+a: {py>: t.f, text: ${LONG}}`,
    found: [['limit-payload', 'error', '+a:']],
  },
  {
    name: 'characters of several bytes count as such',
    dig: `+a: {py>: t.f, text: ${'語'.repeat(100_000)}}`,
    found: [['limit-payload', 'error', '+a:']],
  },
  {
    name: 'exports too large for a variable',
    dig: `_export: {text: ${LONG}}\n+a: {py>: t.f}`,
    found: [['limit-payload', 'error', '']],
  },
  {
    name: 'a list too long for a variable, where it cannot be cut',
    dig: `+a: {for_each>: {x: [${LONG}]}, _do: {py>: t.f}}`,
    found: [['limit-payload', 'error', '']],
  },
  {
    name: 'a graph too large for one machine',
    dig: `+g:\n  _parallel: true\n  +t0: {py>: t.f}\n${Array.from({ length: 1500 }, (_, i) => `  +t${i + 1}: {py>: t.f, _after: [+t${i}]}\n`).join('')}`,
    found: [['limit-nesting', 'error', '+g:']],
  },
  {
    name: 'http_call> deployed',
    dig: '+a: {http_call>: "http://localhost"}',
    target: 'aws',
    found: [['deployed-only-here', 'error', '+a:']],
  },
  {
    name: 's3_wait> of another store deployed',
    dig: '+a: {s3_wait>: b/k, endpoint: "http://minio", region: eu-west-1}',
    target: 'aws',
    found: [
      ['deployed-only-here', 'error', '"http://minio"'],
      ['deployed-only-here', 'warning', 'eu-west-1'],
    ],
  },
  { name: 's3_wait> of another store here', dig: '+a: {s3_wait>: b/k, endpoint: "http://minio"}', found: [] },
  {
    name: 'waiting for what Step Functions does not wait for',
    dig: '+a: {aws>: "redshiftdata:executeStatement.sync", arguments: {}}\n+b: {aws>: "glue:startJobRun.sync", arguments: {}}',
    found: [['bad-value', 'error', '"redshiftdata:executeStatement.sync"']],
  },
  {
    name: 'integers that a service would get rounded',
    dig: '+a: {aws>: "sqs:sendMessage", arguments: {a: [1, 9007199254740993], b: 9007199254740991}}\n+b: {lambda>: f, payload: {n: -9007199254740993}}\n+c: {http>: "http://localhost", content: {n: 9007199254740993}}',
    found: [
      ['bad-value', 'error', '-9007199254740993'],
      ['bad-value', 'error', '9007199254740993'],
    ],
  },
  { name: 'http_call> here', dig: '+a: {http_call>: "http://localhost"}', found: [] },
];

describe('diagnostics', () => {
  it.each(CASES)('$name', ({ dig, others, target, found }) => {
    const { compiled, diagnostics } = compileText(dig, others, target === undefined ? {} : { target });
    const files: { readonly [file: string]: string } = { 'main.dig': dig, ...others };
    expect(
      diagnostics.map(({ code, severity, span }, index) => {
        const text = span === undefined ? '' : (files[span.file] ?? '').slice(span.start, span.end);
        return [code, severity, text.slice(0, found[index]?.[2].length ?? 20)];
      }),
    ).toEqual(found);
    expect(compiled === undefined).toBe(found.some(([, severity]) => severity === 'error'));
  });
});
