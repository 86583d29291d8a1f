/**
 * Hostile inputs for lib/language, 1,000 of them or, in the slow run, 5,000: always a workflow or errors, never an exception, a hang or a file outside the project.
 * The seed is printed; TROWEL_FUZZ_SEED repeats a run.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderGithub, renderJson, renderText } from '../../lib/cli/render/diagnostics.ts';
import type { Diagnostic } from '../../lib/language/diagnostic.ts';
import { type ParsedWorkflow, parseWorkflow } from '../../lib/language/dig/parse-workflow.ts';
import { loadProject } from '../../lib/language/project.ts';
import { templatesOf } from '../../lib/language/templates.ts';
import { walk } from '../../lib/language/walk.ts';
import { reader } from '../lib/language/helpers.ts';
import { THOROUGH } from '../thorough.ts';

/** Of the inputs of the slow run. */
const SHARE = THOROUGH ? 1 : 0.2;
const SEED = Number(process.env.TROWEL_FUZZ_SEED ?? Date.now() % 2 ** 31);
/**
 * CPU seconds for one input. The yaml library takes 1.5 for a megabyte of line feeds, and 2.5 while another process shares the core; what
 * grows faster than its input takes minutes.
 */
const MAX_SECONDS = 5;
const CANARY = 'a-text-that-stands-outside';

const GOOD = [
  'timezone: Asia/Tokyo\nschedule:\n  daily>: 07:00:00\n  skip_delayed_by: 3m\n_export:\n  a: 010\n  b: {c: [1, 0.5, ~]}\n_error:\n  mail>: {data: "${error.message}"}\n+a:\n  _retry: {limit: 3, interval: 30s}\n  py>: m.f\n  _env: {K: "${secret:k}"}\n  docker:\n    image: "x:1"\n+b:\n  _parallel: {limit: 2}\n  +c: {sh>: ls}\n  +d: {_after: [+c], echo>: "${b.c[0]}"}\n',
  '+l:\n  for_each>:\n    x: [1, 2, three]\n    y: "${list}"\n  _parallel: ${p}\n  _do:\n    +m:\n      if>: ${x == 1}\n      _do: {echo>: y}\n      _else_do:\n        fail>: |\n          two\n          lines\n',
  'sla:\n  time: 02:00\n  +late: {notify>: late}\n+w: {wait>: 1h 2m}\n+r: {for_range>: {from: 0, to: 10, step: 3}, _do: {call>: sub/part}}\n+h:\n  http>: https://example.com/\n  method: POST\n  headers: [{a: b}]\n',
  'base: &base\n  sh>: ls\n+a:\n  <<: *base\n+b: &b {_background: true, require>: other}\n+c: *b\n!include : more.yml\n',
  'name: x\npython: {version: 3.10, requirements: [a==1]}\ntask: {cpu: 512, memory: 1GB}\nnotifications: {slack: "secret:a", on: [failure]}\n',
];
const TOKENS = [
  ...':-?[]{},&*!|>%@`#"\'\\\t\n ~$+^_<.=',
  ...[
    '\r\n',
    ': ',
    '- ',
    '---\n',
    '...\n',
    '<<: ',
    '&a ',
    '*a',
    '!include : ',
    '!!int ',
    '${',
    '${secret:',
    '$${',
    '\u0000',
    '\u001b[2J',
    '\ufeff',
    '\ud800',
  ],
  ...[
    '\u3000',
    '：',
    '🙂',
    '+t: ',
    'sh>: ',
    '_do:',
    '_retry: ',
    '_export:\n',
    '_type: ',
    '__proto__: ',
    'constructor>: ',
    '1e999',
    '0x',
    '99999999999999999999',
  ],
  ...['call>: ../../x', '!include : ../x.yml\n', 'call>: /etc/passwd', '"${a', '{{x}}', '\n  ', '\n    '],
];

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const next = random(SEED);
const below = (limit: number) => Math.floor(next() * limit);
const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
const some = (max: number, make: () => string) => Array.from({ length: below(max) }, make).join('');

let parent = '';
beforeAll(() => {
  console.log(`TROWEL_FUZZ_SEED=${SEED}`);
  parent = mkdtempSync(join(tmpdir(), 'trowel-fuzz-'));
  mkdirSync(join(parent, 'outside'));
  for (const name of ['x.dig', 'x.yml', 'passwd'])
    writeFileSync(join(parent, 'outside', name), `+${CANARY}: {echo>: ${CANARY}}`);
});
afterAll(() => rmSync(parent, { recursive: true }));

function inTime<T>(what: string, act: () => T): T {
  const before = process.cpuUsage();
  const result = act();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6, `CPU seconds of ${what.slice(0, 200)}`).toBeLessThan(MAX_SECONDS);
  return result;
}

/** Diagnostics that can be shown, and either a workflow or an error. */
function checkDiagnostics(diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, string>): void {
  for (const { span } of diagnostics) {
    if (!span) continue;
    const length = sources.get(span.file)?.length ?? Number.POSITIVE_INFINITY;
    if (!(0 <= span.start && span.start <= span.end && span.end <= length))
      throw new Error(`A span outside its file: ${JSON.stringify(span)} of ${length}`);
  }
  const few = diagnostics.slice(0, 20);
  const text = renderText(few, sources, { width: 80 });
  if (text.includes('\u001b') || text.includes('\u0000')) throw new Error('A control character reached the terminal');
  JSON.parse(renderJson(few, sources));
  renderGithub(few, sources);
}

function check(text: string, files: { readonly [path: string]: string } = {}): ParsedWorkflow {
  const sources = new Map(Object.entries({ ...files, 'main.dig': text }));
  const asked: string[] = [];
  const parsed = inTime(text, () =>
    parseWorkflow('main', 'main.dig', text, (path) => {
      asked.push(path);
      return reader(files)(path);
    }),
  );
  expect(asked.filter((path) => path.startsWith('..') || path.startsWith('/'))).toEqual([]);
  checkDiagnostics(parsed.diagnostics, sources);
  if (!parsed.workflow) expect(parsed.diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
  else {
    JSON.stringify(parsed.workflow);
    for (const node of walk(parsed.workflow.root)) templatesOf(node);
  }
  return parsed;
}

function mutated(text: string): string {
  let result = text;
  for (let count = 1 + below(6); count > 0; count--) {
    const at = below(result.length + 1);
    const lines = result.split('\n');
    const line = below(lines.length);
    switch (below(7)) {
      case 0:
        result = result.slice(0, at) + pick(TOKENS) + result.slice(at);
        break;
      case 1:
        result = result.slice(0, at) + result.slice(at + 1 + below(5));
        break;
      case 2:
        lines.splice(line, 0, lines[below(lines.length)] ?? '');
        result = lines.join('\n');
        break;
      case 3:
        lines.splice(line, 1);
        result = lines.join('\n');
        break;
      case 4:
        lines[line] = ' '.repeat(below(8)) + (lines[line] ?? '').trimStart();
        result = lines.join('\n');
        break;
      case 5:
        result = result.slice(0, at) + pick(GOOD).slice(below(50), 50 + below(80)) + result.slice(at);
        break;
      default:
        result = result.replace(pick(['true', 'daily', '07:00:00', '30s', '3', 'sh>', '+a', '_do', '"']), () =>
          pick(TOKENS),
        );
    }
  }
  return result;
}

test('random characters', () => {
  for (let i = 0; i < 1000 * SHARE; i++)
    check(some(200, () => (next() < 0.5 ? pick(TOKENS) : String.fromCharCode(below(next() < 0.9 ? 128 : 65_536)))));
});

test('mutated workflows', () => {
  for (let i = 0; i < 2900 * SHARE; i++) check(mutated(pick(GOOD)), { 'more.yml': mutated(pick(GOOD)) });
});

test('deep nesting', () => {
  const openers = ['[', '{a: ', '- ', '? ', '{? ', '[{', '{+a: '];
  for (let i = 0; i < 200 * SHARE; i++) {
    const opener = pick(openers);
    const depth = 1 + below(next() < 0.1 ? 50_000 : 300);
    const flow = opener.repeat(depth) + (next() < 0.5 ? ']'.repeat(depth) : '');
    const block = Array.from(
      { length: Math.min(depth, 800) },
      (_, level) => `${' '.repeat(level)}${pick(['+a:', '_do:', '_export:', '_error:', 'x:'])}`,
    ).join('\n');
    check(next() < 0.5 ? flow : block);
  }
});

test('aliases that multiply', () => {
  for (let i = 0; i < 150 * SHARE; i++) {
    const width = 1 + below(12);
    const levels = 1 + below(30);
    const lines = ['_export:', `  a0: &a0 ${pick(['x', '{y: 1}', '[1, 2]'])}`];
    for (let level = 1; level < levels; level++) {
      const alias = `*a${level - 1}`;
      const merge = `{${Array.from({ length: width }, (_, n) => `k${n}: ${alias}`).join(', ')}, <<: ${alias}}`;
      lines.push(`  a${level}: &a${level} ${next() < 0.3 ? merge : `[${Array(width).fill(alias).join(', ')}]`}`);
    }
    check(`${lines.join('\n')}\n+t: {echo>: x}\n`);
  }
});

test('includes in circles, in trees, upwards', () => {
  for (let i = 0; i < 400 * SHARE; i++) {
    const count = 1 + below(8);
    const target = () =>
      pick([
        ...Array.from({ length: count }, (_, n) => `f${n}.yml`),
        'sub/f0.yml',
        '../x.yml',
        '/etc/passwd',
        './f0.yml',
        'sub/../f0.yml',
        'main.dig',
        '',
        '${x}',
        'sub',
        '..',
        '.',
      ]);
    const body = () =>
      Array.from({ length: 1 + below(4) }, (_, n) =>
        pick([
          `!include : ${target()}`,
          `k${n}: {!include : ${target()}}`,
          `+t${n}: {echo>: x, l: [{!include : ${target()}}]}`,
        ]),
      ).join('\n');
    const files: { [path: string]: string } = { 'sub/f0.yml': body() };
    for (let n = 0; n < count; n++) files[`f${n}.yml`] = body();
    check(body(), files);
  }
});

test('scalars of a megabyte', () => {
  const fillers = [
    'x',
    'x ',
    ' ',
    '\n',
    '\t',
    '"',
    "'",
    '${a}',
    '${',
    '$',
    '#',
    ':',
    ': ',
    ',',
    '\\',
    '*',
    '&',
    '!',
    '%',
    '-',
    '- ',
    'é',
    '：',
    '🙂',
    '\r',
    '{{',
    '|',
    '1',
    '_',
  ];
  for (let i = 0; i < 50 * SHARE; i++) {
    const filler = fillers[i % fillers.length] as string;
    const long = filler.repeat(Math.ceil(2 ** 20 / filler.length));
    check(
      pick([
        `+a: {echo>: "${long}"}`,
        `+a:\n  sh>: |\n    ${long}`,
        `+a:\n  echo>: ${long}`,
        `+a:\n  ${long}: 1`,
        `+${long}: {echo>: x}`,
        `_export: {a: '${long}'}`,
        long,
        `+a:\n  wait>: ${long}`,
        `timezone: ${long}`,
        `+a:\n  ${long}>: 1`,
      ]),
    );
  }
});

test('projects with calls in circles and ways out of the folder', async () => {
  for (let i = 0; i < 300 * SHARE; i++) {
    const dir = join(parent, `p${i}`);
    const names = ['main', 'a', 'b', 'sub/c', 'sub/deep/d'];
    const target = () =>
      pick([
        ...names,
        '../a',
        'c',
        'deep/d',
        '../../outside/x',
        '/etc/passwd',
        'link',
        'far/x',
        `${parent}/outside/x`,
        '..',
        '.',
        '',
        'a.dig',
        'sub',
        'loop',
        '\u0000',
        'x'.repeat(300),
        '${x}',
      ]);
    const body = () =>
      some(5, () =>
        pick([
          `+t${below(9)}: {call>: "${target()}"}\n`,
          `+r${below(9)}: {require>: "${target()}"}\n`,
          `+i${below(9)}: {!include : "${target()}"}\n`,
          `_error: {call>: ${target()}}\n`,
          mutated('+x: {sh>: ls}\n'),
        ]),
      );
    for (const name of names) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(
        join(dir, `${name}.dig`),
        next() < 0.1 ? Buffer.from(Array.from({ length: 50 }, () => below(256))) : body(),
      );
    }
    if (next() < 0.5) writeFileSync(join(dir, 'trowel.yml'), `params: "${target()}"\n${mutated(GOOD[4] ?? '')}`);
    symlinkSync(join(parent, 'outside', 'x.dig'), join(dir, 'link.dig'));
    symlinkSync(join(parent, 'outside'), join(dir, 'far'));
    symlinkSync('loop.dig', join(dir, 'loop.dig'));
    const before = process.cpuUsage();
    const project = await loadProject(dir);
    project.diagnosticsOf('main');
    project.workflow(target());
    for (const name of project.workflowNames()) project.workflow(name);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(MAX_SECONDS);
    checkDiagnostics(project.diagnostics, project.sources);
    expect([...project.sources.values()].some((text) => text.includes(CANARY))).toBe(false);
  }
});
