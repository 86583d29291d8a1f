/**
 * A new operator of an existing kind needs an entry in the operators' table and nothing else.
 * Covers lib/language/operators.ts, lib/compiler/operators/index.ts, tools/write-operators.ts
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digSchema } from '../../../lib/language/json-schema.ts';
import type { OperatorSpec } from '../../../lib/language/operators/spec.ts';
import { OPERATORS } from '../../../lib/language/operators.ts';
import type { Mapping } from '../../../lib/language/workflow.ts';
import { pythonOperators } from '../../../tools/write-operators.ts';
import { withTables } from '../../../tools/write-reference.ts';
import { parse } from '../language/helpers.ts';
import { compileText, play } from './play.ts';

/** Each operator has a stand-in: the same entry under another name. */
const MARK = 'x_';
const TABLE = OPERATORS as { [name: string]: OperatorSpec };
const NAMES = Object.keys(OPERATORS);

beforeAll(() => {
  for (const name of NAMES) TABLE[MARK + name] = TABLE[name]!;
});
afterAll(() => {
  for (const name of NAMES) delete TABLE[MARK + name];
});

interface Sample {
  /** The task's keys: `OP` is the operator. */
  readonly keys: string;
  readonly params?: Mapping;
  /** Whether the tests' player knows what it asks for. */
  readonly plays?: boolean;
}

const BODY = '_do: {py>: t.see}';
const SAMPLES: { readonly [operator: string]: readonly Sample[] } = {
  echo: [
    { keys: 'OP>: hello', plays: true },
    { keys: 'OP>: "${(1 + 1) + name}"', params: { name: 'a' }, plays: true },
  ],
  fail: [
    { keys: 'OP>: no', plays: true },
    { keys: 'OP>: "${(1 + 1) + name}", _error: {py>: t.see, show: [error]}', params: { name: 'a' }, plays: true },
  ],
  notify: [{ keys: 'OP>: hello' }],
  slack: [{ keys: 'OP>: hello' }, { keys: 'OP>: {text: hello}, url: "${secret:url}"' }],
  sh: [{ keys: 'OP>: "ls ${secret:a}", docker: {image: busybox}' }],
  py: [{ keys: 'OP>: t.see', plays: true }],
  call: [
    { keys: 'OP>: other', plays: true },
    { keys: 'OP>: "${file}"', params: { file: 'other' }, plays: true },
  ],
  require: [{ keys: 'OP>: other, params: {a: 1}' }],
  loop: [
    { keys: `OP>: 2, ${BODY}`, plays: true },
    { keys: `OP>: "\${n}", _parallel: "\${n > 1}", ${BODY}`, params: { n: 3 }, plays: true },
  ],
  for_each: [
    { keys: `OP>: {a: [1, 2], b: [x, y]}, ${BODY}`, plays: true },
    { keys: `OP>: {a: "\${list}"}, _parallel: true, ${BODY}`, params: { list: [1, 2] }, plays: true },
  ],
  for_range: [
    { keys: `OP>: {from: 0, to: 5, step: 2}, ${BODY}`, plays: true },
    { keys: `OP>: {from: 0, to: "\${n}", slices: 2}, ${BODY}`, params: { n: 4 }, plays: true },
  ],
  if: [
    { keys: `OP>: true, ${BODY}`, plays: true },
    { keys: `OP>: "\${n > 2}", ${BODY}, _else_do: {fail>: small}`, params: { n: 1 }, plays: true },
  ],
  wait: [
    { keys: 'OP>: 10s', plays: true },
    { keys: 'OP>: "${n}s"', params: { n: 20 }, plays: true },
  ],
  http: [{ keys: 'OP>: "https://example.com/${secret:a}", store_content: true' }],
  http_call: [{ keys: 'OP>: https://example.com/' }],
  mail: [{ keys: 'OP>: {data: hello}, subject: s, to: [a@example.com], from: b@example.com' }],
  s3_wait: [{ keys: 'OP>: "bucket/${session_date}", timeout: 1h' }],
  aws: [
    { keys: 'OP>: s3:listObjectsV2, arguments: {Bucket: b}' },
    { keys: 'OP>: s3:listObjectsV2, arguments: {Bucket: "${b}"}', params: { b: 'c' } },
  ],
  lambda: [{ keys: 'OP>: f, payload: {a: "${b}"}', params: { b: 'c' } }],
};

/** In a parallel group, retried, and followed by a task that sees what it stored. */
function workflow(keys: string, operator: string): string {
  const task = keys.replaceAll('OP', operator);
  return `+g:\n  _parallel: true\n  +t: {${task}, _retry: {limit: 1, interval: 5}}\n  +u: {py>: t.see}\n+see: {py>: t.see}\n`;
}

const OTHER = { 'other.dig': '+o: {py>: t.see}\n' };

/** With the stand-in's name in place of the operator's. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null).replaceAll(MARK, ''));
}

it('every operator has a sample', () => {
  expect(Object.keys(SAMPLES).sort()).toEqual([...NAMES].sort());
});

describe.each(Object.entries(SAMPLES))('an operator with the entry of %s>', (name, samples) => {
  it.each(samples)('becomes the same states: $keys', ({ keys }) => {
    for (const target of ['local', 'aws'] as const) {
      const [as, like] = [MARK + name, name].map((operator) =>
        compileText(workflow(keys, operator), OTHER, { target }),
      );
      expect(plain(as?.compiled)).toEqual(plain(like?.compiled));
      const told = (result: typeof as) => plain(result?.diagnostics.map(({ code, message }) => [code, message]));
      expect(told(as)).toEqual(told(like));
    }
  });

  const played = samples.filter(({ plays }) => plays);
  it.runIf(played.length > 0).each(played)('does the same: $keys', async ({ keys, params = {} }) => {
    const run = async (operator: string) => {
      const { outcome, seen, seconds } = await play(workflow(keys, operator), { others: OTHER, params });
      // Branches run at the same time.
      return plain({ outcome, seen: [...seen].sort(), seconds });
    };
    expect(await run(MARK + name)).toEqual(await run(name));
  });

  it.each(['', '7', '-1', '[a]', '{b: 1}', '"${c}"', 'text'])('reports the same of a value: %s', (value) => {
    const [as, like] = [MARK + name, name].map((operator) => {
      const { diagnostics } = parse(`+t:\n  ${operator}>: ${value}\n  unused_key: 1\n  _do: {echo>: hello}\n`);
      return plain(diagnostics.map(({ code, message, notes }) => [code, message, notes]));
    });
    expect(as).toEqual(like);
  });

  it('is in the reference, the schema for editors and the runner', async () => {
    const table = async (operator: string) => withTables(`<!-- options ${operator} -->\n<!-- end -->`);
    expect(plain(await table(MARK + name))).toEqual(plain(await table(name)));
    expect(JSON.stringify(digSchema())).toContain(`"${MARK}${name}>"`);
    expect(pythonOperators().includes(`"${MARK}${name}"`)).toBe(pythonOperators().includes(`"${name}"`));
  });
});
