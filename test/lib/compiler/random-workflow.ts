/** Random projects of .dig files for the property tests, with tasks of play.ts. Whatever it makes, lib/language takes. */
import fc from 'fast-check';
import type { Mapping, Value } from '../../../lib/language/workflow.ts';

export interface Project {
  readonly 'main.dig': string;
  readonly [file: string]: string;
}

/** Every plain key that an `_export` may name is here, so that no export fails where a native operator would not evaluate it. */
export const PARAMS: Mapping = {
  p: 'P',
  a: '1',
  b: 'x',
  n: '2',
  f: 'true',
  which: 'part',
  how: 'false',
  list: ['u', { v: 1 }, 'w x'],
  h: { x: '0', deep: { z: [1] } },
  data: '${nope} {% 1 %}',
};

const { constantFrom } = fc;

type Node = fc.Arbitrary<Mapping>;

const atoms: fc.Arbitrary<Value> = constantFrom(
  ...['1', 'x', 'true', '', '${a}', '${b}-${p}', '{% 1 %}', '$$', '${data}', '${h.deep}'],
  ...[0, 5, true, false, null, [], ['y'], [1, { z: 2 }], [[]]],
);
const mappings: fc.Arbitrary<Value> = fc.oneof(
  fc.dictionary(constantFrom('x', 'y', 'z'), atoms, { maxKeys: 2 }),
  fc.dictionary(constantFrom('x', 'deep'), fc.dictionary(constantFrom('x', 'z'), atoms, { maxKeys: 2 }), {
    maxKeys: 2,
  }),
);

/** Keys mostly keep their kind; `k` does not. */
function values(key: string): fc.Arbitrary<Value> {
  switch (key) {
    case 'm':
    case 'h':
      return mappings;
    case 'k':
      return fc.oneof(mappings, atoms);
    case 'n':
      return constantFrom<Value>('0', 1, 2, '3');
    case 'f':
      return constantFrom<Value>('true', 'false', true, false, '');
    default:
      return atoms;
  }
}

const data: fc.Arbitrary<Mapping> = fc
  .uniqueArray(constantFrom('a', 'b', 'd', 'e', 'm', 'h', 'k', 'n', 'f'), { minLength: 1, maxLength: 3 })
  .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, values(key)]))));

const texts: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 5,
    arbitrary: constantFrom(
      ...['hello', '{% 2 %}', '${', '${a}', '${b}: ${p}!', '${h.deep}', '${a + 1}', '${typeof d}', '${typeof error}'],
      ...['${task_name}', '"quoted" \\ ${p}', '$${a}', '${typeof i}', '${data}', 'a\nb ${n}', '${h.x || b}'],
    ),
  },
  // These fail where the variable is not there.
  { weight: 1, arbitrary: constantFrom('${m.x}', '${d}', '${i}', '${range.from}', '${g} ${e}', '${error.message}') },
);

const conditions = constantFrom<Value>(
  ...[true, false, 'true', 'false', '', '${f}', '${a == 1}', "${b == 'x'}", '${n > 1}', '${typeof d == "undefined"}'],
  ...['${i == 1}', '${!f}', '${a}', "${g != 'u'}"],
);

const retries = fc.oneof(
  constantFrom<Value>(0, 1, 2, '1'),
  fc.record(
    {
      limit: fc.integer({ min: 0, max: 2 }),
      interval: fc.integer({ min: 0, max: 9 }),
      interval_type: constantFrom('constant', 'exponential'),
      max_interval: fc.integer({ min: 10, max: 12 }),
    },
    { requiredKeys: ['limit'] },
  ) as fc.Arbitrary<Value>,
);
const taskRetries = fc.oneof(
  { weight: 4, arbitrary: retries },
  { weight: 1, arbitrary: constantFrom<Value>('${n}', '${1 + 1}', { limit: '${n}', interval: 3 }) },
);

const python: Node = fc.oneof(
  { weight: 7, arbitrary: data.map((stored): Mapping => ({ 'py>': 't.store', data: stored })) },
  { weight: 7, arbitrary: fc.constant<Mapping>({ 'py>': 't.see' }) },
  { weight: 1, arbitrary: constantFrom<Mapping>({ 'py>': 't.boom' }, { 'py>': 't.boom', msg: 'bad ${a}' }) },
  {
    weight: 1,
    arbitrary: fc
      .record({ fails: fc.integer({ min: 1, max: 3 }), data })
      .map((keys): Mapping => ({ 'py>': 't.flaky', ...keys })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ fails: fc.integer({ min: 1, max: 2 }), data, _retry: fc.integer({ min: 1, max: 2 }) })
      .map((keys): Mapping => ({ 'py>': 't.flaky', ...keys })),
  },
  { weight: 2, arbitrary: texts.map((text): Mapping => ({ 'py>': 't.see', own: text, a: '${b}' })) },
);
const native: Node = fc.oneof(
  { weight: 6, arbitrary: texts.map((text): Mapping => ({ 'echo>': text })) },
  { weight: 1, arbitrary: texts.map((text): Mapping => ({ 'fail>': text })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 30 }).map((seconds): Mapping => ({ 'wait>': `${seconds}s` })) },
);

/** One of ten, or so. */
function rarely<T>(arbitrary: fc.Arbitrary<T>, weight = 1): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight, arbitrary });
}

/** The mapping with the keys that are there. */
function withKeys(mapping: Mapping, keys: { readonly [key: string]: Value | undefined }): Mapping {
  const present = Object.entries(keys).filter(([, value]) => value !== undefined) as [string, Value][];
  return { ...mapping, ...Object.fromEntries(present) };
}

interface Place {
  /** What may be called from here. */
  readonly callees: readonly string[];
  readonly task: Node;
}

const MIXED: Node = fc.oneof({ weight: 4, arbitrary: python }, { weight: 1, arbitrary: native });

function leaf(place: Place, depth: number): Node {
  const below = depth > 0 ? body(place, depth - 1) : plainBody(place);
  return fc
    .record({
      task: place.task,
      _export: rarely(data, 2),
      _error: rarely(below, 2),
      _check: rarely(below, 2),
      _retry: rarely(taskRetries, 3),
    })
    .map(({ task, ...keys }) => withKeys(task, keys));
}

function plainBody({ task }: Place): Node {
  return fc.oneof(
    task,
    fc.record({ one: task, _export: data }).map(({ one, _export }): Mapping => ({ ...one, _export })),
  );
}

/** `_do`, `_error`, `_check`: a task or a group. */
function body(place: Place, depth: number): Node {
  if (depth <= 0) return plainBody(place);
  return fc.oneof({ weight: 2, arbitrary: plainBody(place) }, { weight: 1, arbitrary: node(place, depth) });
}

function node(place: Place, depth: number): Node {
  if (depth <= 0) return leaf(place, 0);
  const choices: { weight: number; arbitrary: Node }[] = [
    { weight: 7, arbitrary: leaf(place, depth) },
    { weight: 3, arbitrary: group(place, depth) },
    { weight: 2, arbitrary: loop(place, depth) },
    { weight: 1, arbitrary: branch(place, depth) },
  ];
  if (place.callees.length > 0) choices.push({ weight: 1, arbitrary: call(place, depth) });
  return fc.oneof(...choices);
}

/** Directives of whatever has tasks below it. */
function around(place: Place, depth: number): fc.Arbitrary<{ readonly [key: string]: Value | undefined }> {
  return fc.record({
    _export: rarely(data, 4),
    _error: rarely(body(place, depth - 1), 3),
    _retry: rarely(retries, 2),
  });
}

function group(place: Place, depth: number): Node {
  return fc
    .record({
      children: fc.array(node(place, depth - 1), {
        minLength: depth > 2 ? 3 : 1,
        maxLength: depth > 2 ? 5 : 4,
        size: 'max',
      }),
      keys: around(place, depth),
      how: fc.oneof(
        { weight: 5, arbitrary: fc.constant('sequence' as const) },
        { weight: 1, arbitrary: fc.constant('background' as const) },
        { weight: 2, arbitrary: fc.constant('parallel' as const) },
        { weight: 1, arbitrary: fc.constant('after' as const) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
      ),
      // Which earlier siblings a child waits for, or whether it stands in the background: bits.
      bits: fc.array(fc.nat(31), { minLength: 5, maxLength: 5 }),
    })
    .map(({ children, keys, how, bits }) => {
      const named = children.map((child, index): [string, Mapping] => {
        const set = bits[index]!;
        if (how === 'background' && set % 2 === 1) return [`+t${index}`, { ...child, _background: true }];
        const after = Array.from({ length: index }, (_, place) => place).filter((at) => (set >> at) % 2 === 1);
        if (how === 'after' && after.length > 0)
          return [`+t${index}`, { ...child, _after: after.map((at) => `+t${at}`) }];
        return [`+t${index}`, child];
      });
      const parallel: Value | undefined =
        typeof how === 'number' ? { limit: how } : how === 'parallel' || how === 'after' ? true : undefined;
      return withKeys({}, { ...keys, _parallel: parallel, ...Object.fromEntries(named) });
    });
}

const repeats: Node = fc.oneof(
  constantFrom<Value>(0, 1, 2, 3, '2', '${n}').map((count): Mapping => ({ 'loop>': count })),
  constantFrom<Mapping>(
    ...[
      { g: ['u', 'v'] },
      { g: [1], b: ['q', 'r'] },
      { g: '${list}' },
      { g: [] },
      { a: [2, '${b}'] },
      { m: [{ x: 7 }] },
    ],
  ).map((each): Mapping => ({ 'for_each>': each })),
  constantFrom<Mapping>(
    ...[
      { from: 0, to: 5, step: 2 },
      { from: 1, to: 3, slices: 2 },
      { from: 0, to: '${n}', step: 1 },
    ],
  ).map((range): Mapping => ({ 'for_range>': range })),
);

function loop(place: Place, depth: number): Node {
  return fc
    .record({
      repeat: repeats,
      keys: around(place, depth),
      _do: body(place, depth - 1),
      _check: rarely(plainBody(place)),
      _parallel: fc.oneof(
        { weight: 4, arbitrary: fc.constant(undefined) },
        { weight: 4, arbitrary: constantFrom<Value>(true, { limit: 1 }, { limit: 2 }, false, '${f}', '${how}') },
      ),
    })
    .map(({ repeat, keys, ...others }) => withKeys(repeat, { ...keys, ...others }));
}

function branch(place: Place, depth: number): Node {
  return fc
    .record({
      condition: conditions,
      keys: around(place, depth),
      _do: body(place, depth - 1),
      _else_do: fc.option(body(place, depth - 1), { nil: undefined }),
      _check: rarely(plainBody(place)),
    })
    .map(({ condition, keys, ...others }) => withKeys({ 'if>': condition }, { ...keys, ...others }));
}

function call(place: Place, depth: number): Node {
  return fc
    .record({
      file: constantFrom(...place.callees, '${which}', '${which}'),
      keys: around(place, depth),
      _check: rarely(plainBody(place)),
    })
    .map(({ file, keys, ...others }) => withKeys({ 'call>': file }, { ...keys, ...others }));
}

function root(place: Place, depth: number): fc.Arbitrary<string> {
  return group(place, depth).map((mapping) => `${textOf(mapping, '')}\n`);
}

function projectsOf(task: Node): fc.Arbitrary<Project> {
  return fc.record({
    'main.dig': root({ callees: ['part', 'sub/inner.dig'], task }, 4),
    'part.dig': root({ callees: ['sub/inner'], task }, 2),
    'sub/inner.dig': root({ callees: [], task }, 1),
  });
}

/** Where nothing stores, the compiler knows more: some projects have native tasks only. */
export const projects: fc.Arbitrary<Project> = fc.oneof(
  { weight: 4, arbitrary: projectsOf(MIXED) },
  { weight: 1, arbitrary: projectsOf(native) },
);

/** Bodies as YAML blocks, other values as JSON. */
function textOf(mapping: Mapping, indent: string): string {
  const lines = Object.entries(mapping).map(([key, value]) => {
    const isBody = /^(\+.*|_do|_else_do|_error|_check)$/.test(key) && Object.keys(value as Mapping).length > 0;
    return isBody
      ? `${indent}${key}:\n${textOf(value as Mapping, `${indent}  `)}`
      : `${indent}${key}: ${JSON.stringify(value)}`;
  });
  return lines.join('\n');
}
