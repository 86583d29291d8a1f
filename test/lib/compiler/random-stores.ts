/** Random trees of groups and loops whose tasks store values of 1 B to 1 MB, run at the same time or one after the other. */
import fc from 'fast-check';
import type { Mapping } from '../../../lib/language/workflow.ts';

type Tree =
  | { readonly kind: 'store'; readonly path: readonly string[]; readonly size: number }
  | { readonly kind: 'group'; readonly children: readonly Tree[]; readonly how: How }
  | {
      readonly kind: 'loop';
      readonly count: number;
      readonly written: boolean;
      readonly body: Tree;
      readonly how: How;
    };

/** `_parallel` of the tree that is run at the same time; that which runs in sequence has none. */
type How = boolean | { readonly limit: number };

/** Where stored values begin: a mapping in every task, or a text. */
export const ROOTS = ['a', 'b', 'x', 'y'];

const sizes = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1000, max: 30_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 1_000_000 }) },
);

/** Mappings and texts have names of their own: what is a mapping, a text, and a mapping again is another matter (docs/compiling.md). */
function store(looped: boolean): fc.Arbitrary<Tree> {
  const round = (name: string): readonly string[] => (looped ? [name, `${name}\${i}`] : [name]);
  const mappings = fc.array(fc.constantFrom('b', ...round('c')), { maxLength: 3 });
  const leaves = fc.constantFrom('x', ...round('y'));
  return fc
    .record({
      root: fc.constantFrom(undefined, 'a', 'a', 'b'),
      mappings,
      leaf: leaves,
      plain: fc.constantFrom('x', 'y'),
      size: sizes,
    })
    .map(({ root, mappings: inner, leaf, plain, size }) => ({
      kind: 'store',
      path: root === undefined ? [plain] : [root, ...inner, leaf],
      size,
    }));
}

const hows: fc.Arbitrary<How> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(true) },
  { weight: 1, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.record({ limit: fc.integer({ min: 1, max: 3 }) }) },
);

function tree(depth: number, looped: boolean): fc.Arbitrary<Tree> {
  if (depth === 0) return store(looped);
  const children = fc.array(tree(depth - 1, looped), { minLength: 1, maxLength: 4 });
  return fc.oneof(
    { weight: 2, arbitrary: store(looped) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('group' as const), children, how: hows }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('loop' as const),
        count: fc.integer({ min: 0, max: 4 }),
        written: fc.boolean(),
        body: tree(depth - 1, true),
        how: hows,
      }),
    },
  );
}

export interface Stores {
  readonly together: string;
  readonly inSequence: string;
}

/** The same tasks twice, as .dig text with `fill` and `sum` for the names of Python functions. */
export const stores: fc.Arbitrary<Stores> = fc
  .array(tree(3, false), { minLength: 2, maxLength: 4, size: 'max' })
  .map((children) => ({ kind: 'group' as const, children, how: true }))
  .map((root) => ({ together: textOf(root, true), inSequence: textOf(root, false) }));

function textOf(root: Tree, together: boolean): string {
  let made = 0;
  // What it stores tells which task it was, and of a loop which iteration.
  const seedOf = (looped: boolean): string => `${made++}${looped ? '-${i}' : ''} `;
  return JSON.stringify({
    // What the text does not tell counts as very much, and is gathered.
    _export: { rounds: [0, 1, 2, 3, 4] },
    '+all': mappingOf(root, together, seedOf),
    '+sum': { 'py>': 'sum', show: ROOTS },
  });
}

function mappingOf(node: Tree, together: boolean, seedOf: (looped: boolean) => string, looped = false): Mapping {
  const how = (given: How): Mapping => (together ? { _parallel: given as Mapping } : {});
  switch (node.kind) {
    case 'store':
      return { 'py>': 'fill', seed: seedOf(looped), path: [...node.path], size: node.size };
    case 'group':
      return {
        ...how(node.how),
        ...Object.fromEntries(
          node.children.map((child, index) => [`+t${index}`, mappingOf(child, together, seedOf, looped)]),
        ),
      };
    case 'loop':
      return {
        'loop>': node.written ? node.count : `\${rounds[${node.count}]}`,
        ...how(node.how),
        _do: mappingOf(node.body, together, seedOf, true),
      };
  }
}
