import fc from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import { condition } from '../../../lib/expression/directives.ts';
import { type Environment, lower, lowerCondition } from '../../../lib/expression/lower.ts';
import { evaluate } from '../../../lib/expression/sandbox.ts';
import { scan } from '../../../lib/expression/scan.ts';
import type { Mapping, Value } from '../../../lib/language/workflow.ts';
import { THOROUGH } from '../../thorough.ts';

const VARIABLES: { readonly [name: string]: 'string' | 'integer' | 'boolean' } = {
  s: 'string',
  t: 'string',
  empty: 'string',
  i: 'integer',
  n: 'integer',
  zero: 'integer',
  yes: 'boolean',
  no: 'boolean',
  'range.from': 'integer',
};
const ENVIRONMENT: Environment = Object.fromEntries(
  Object.entries(VARIABLES).map(([path, type]) => [path, { expr: `$v.${path}`, type }]),
);

const integers = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 1, -1, 999999999999999, 9007199254740991, -9007199254740991),
);
const strings = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.constantFrom(
    '',
    '0',
    'true',
    'false',
    'a',
    'A',
    'ä',
    '\u{1F600}',
    '\uffff',
    '${1+1}',
    '{% 1 %}',
    '10',
    '9',
    ' ',
    '\n',
    '"',
    '\\',
    "'",
  ),
);
const scopes = fc.record({
  s: strings,
  t: strings,
  empty: fc.constant(''),
  i: integers,
  n: integers,
  zero: fc.constant(0),
  yes: fc.boolean(),
  no: fc.boolean(),
  range: fc.record({ from: integers }),
});

const paths = (type: string) => fc.constantFrom(...Object.keys(VARIABLES).filter((name) => VARIABLES[name] === type));
type Scripts = { text: string; number: string; boolean: string; any: string };
const infix = (left: fc.Arbitrary<string>, operators: readonly string[], right: fc.Arbitrary<string>) =>
  fc
    .tuple(left, fc.constantFrom(...operators), right, fc.boolean())
    .map(([a, op, b, bare]) => (bare ? `${a} ${op} ${b}` : `(${a} ${op} ${b})`));
/** Mostly of matching types, so that much can be lowered; `any` mixes them. */
const { any: scripts } = fc.letrec<Scripts>((tie) => {
  const choice = (branch: fc.Arbitrary<string>) =>
    fc.tuple(tie('any'), branch, branch).map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`);
  return {
    text: fc.oneof(
      { maxDepth: 4 },
      { weight: 2, arbitrary: paths('string') },
      {
        weight: 2,
        arbitrary: fc.constantFrom("'a'", '"b"', "''", "'true'", "'$'", "'\\n'", "'it\\'s'", '"%}"', "'10'"),
      },
      { weight: 3, arbitrary: infix(tie('text'), ['+', '+', '&&', '||'], tie('text')) },
      { weight: 2, arbitrary: infix(tie('text'), ['+'], tie('any')) },
      { weight: 1, arbitrary: infix(tie('any'), ['+'], tie('text')) },
      { weight: 1, arbitrary: choice(tie('text')) },
    ),
    number: fc.oneof(
      { maxDepth: 4 },
      { weight: 3, arbitrary: paths('integer') },
      { weight: 2, arbitrary: fc.constantFrom('0', '1', '2', '10', '1.5', '0.1', '123456789012345') },
      { weight: 4, arbitrary: infix(tie('number'), ['+', '-', '*', '&&', '||'], tie('number')) },
      { weight: 1, arbitrary: infix(tie('number'), ['/', '%'], fc.constantFrom('2', '3', '0.1', '0', 'n')) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constantFrom('-', '+', '- '), tie('number')).map(([op, a]) => `${op}(${a})`),
      },
      { weight: 1, arbitrary: choice(tie('number')) },
    ),
    boolean: fc.oneof(
      { maxDepth: 4 },
      { weight: 2, arbitrary: paths('boolean') },
      { weight: 1, arbitrary: fc.constantFrom('true', 'false') },
      { weight: 2, arbitrary: infix(tie('text'), ['<', '>', '<=', '>=', '==', '!=', '===', '!=='], tie('text')) },
      { weight: 2, arbitrary: infix(tie('number'), ['<', '>', '<=', '>=', '==', '!=', '===', '!=='], tie('number')) },
      { weight: 2, arbitrary: infix(tie('boolean'), ['&&', '||', '==', '!=='], tie('boolean')) },
      { weight: 1, arbitrary: infix(tie('any'), ['===', '!==', '==', '<'], tie('any')) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom('!', '!!'), tie('any')).map(([op, a]) => `${op}(${a})`) },
      { weight: 1, arbitrary: choice(tie('boolean')) },
    ),
    any: fc.oneof({ maxDepth: 6 }, tie('text'), tie('number'), tie('boolean')),
  };
});
const templates = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: scripts.map((script) => `\${${script}}`) },
      { weight: 1, arbitrary: strings.filter((s) => !s.includes('$')) },
    ),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((pieces) => pieces.join(''));

const RUNS = THOROUGH ? 1000 : 250;
/** SEED=… repeats a run. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

describe('lower', () => {
  const inSandbox = (text: string, scope: Mapping) =>
    evaluate(scan(text), Object.keys(scope), (name) => scope[name] as Value, 'UTC');
  const inJsonata = (expression: string, scope: Mapping) => jsonata(expression).evaluate({}, { v: scope });

  it(`gives what the sandbox gives, for ${4 * RUNS} generated templates (seed ${seed})`, async () => {
    let lowered = 0;
    await fc.assert(
      fc.asyncProperty(templates, scopes, async (text, scope) => {
        const result = lower(text, ENVIRONMENT);
        if (result === undefined) return;
        lowered++;
        expect({ ok: true, text: await inJsonata(result.expression, scope) }).toEqual(await inSandbox(text, scope));
      }),
      { numRuns: 4 * RUNS, seed },
    );
    expect(lowered).toBeGreaterThan(2 * RUNS);
  });

  it(`gives the Boolean that if> reads from the text (seed ${seed})`, async () => {
    let lowered = 0;
    await fc.assert(
      fc.asyncProperty(scripts, scopes, async (script, scope) => {
        const text = `\${${script}}`;
        const result = lowerCondition(text, ENVIRONMENT);
        if (result === undefined) return;
        lowered++;
        const evaluated = await inSandbox(text, scope);
        expect(evaluated.ok && condition(evaluated.text)).toEqual({
          ok: true,
          value: await inJsonata(result.expression, scope),
        });
      }),
      { numRuns: 2 * RUNS, seed },
    );
    expect(lowered).toBeGreaterThan(0.3 * RUNS);
  });

  it.each([
    ['plain text, $$ and all', '"plain text, \\u0024 and all"'],
    ['${s}', '$v.s'],
    ['a${s}b', '$join(["a",$v.s,"b"])'],
    ['${i + 1}', '$formatBase(($v.i + 1))'],
    ["${'x' + i}", '$join(["x",$formatBase($v.i)])'],
    ['${i > 3 ? s : t}', '(($v.i > 3) ? $v.s : $v.t)'],
    ['${secret:key}', '"\\u0024{secret:key}"'],
    ['${a ${b}', '"\\u0024{a \\u0024{b}"'],
    ['{% 1 %}', '"{% 1 %\\u007d"'],
    ['', '""'],
  ])('translates %j to %s', (text, expression) => {
    expect(lower(text, ENVIRONMENT)).toEqual({ expression });
  });

  it.each([
    '${unknown}',
    '${s.length}',
    '${s + unknown}',
    '${i / 2}',
    '${i / n}',
    '${i % zero}',
    '${s == i}',
    '${yes < no}',
    '${moment()}',
    '${i++}',
    '${i ** 2}',
    '${i // comment}',
    '${1e3}',
    '${010}',
    '${`a`}',
    '${s ?? t}',
    '${null}',
    '${this.s}',
    '${typeof s}',
    '${constructor}',
    '${ }',
  ])('leaves %j to the sandbox', (text) => {
    expect(lower(text, ENVIRONMENT)).toBeUndefined();
  });

  it.each([
    ['true', 'true'],
    ['', 'false'],
    ['${yes}', '$v.yes'],
    [' ${i == 1} ', '($v.i = 1)'],
    ["${i == 1 ? 'true' : ''}", '(($v.i = 1) ? true : false)'],
    ['maybe', undefined],
    ['${s}', undefined],
    ['${i}', undefined],
    ['${yes}${no}', undefined],
  ])('translates the condition %j to %s', (text, expression) => {
    expect(lowerCondition(text, ENVIRONMENT)?.expression).toBe(expression);
  });
});
