import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** From top to bottom, as docs/architecture.md has it: a folder imports only itself and what is below it. */
const LAYERS = [
  'bin',
  'tools',
  'lib/cli',
  'lib/ui',
  'lib/cloud',
  'lambdas',
  'lib/deployed',
  'lib/local',
  'lib/functions',
  'lib/python',
  'lib/compiler',
  'lib/events',
  'lib/engine',
  'lib/expression',
  'lib/contract',
  'lib/language',
  'lib/asl',
  'lib/host',
];

/** Narrower than the order says: all that a folder may import besides itself. */
const ONLY: { readonly [folder: string]: readonly string[] } = {
  'lib/engine': ['lib/asl'],
  'lib/host': [],
  'lib/ui': ['lib/deployed', 'lib/local', 'lib/events', 'lib/language'],
};

/** Narrower than the order says: what a folder may not import although it is below it. */
const NEVER: { readonly [folder: string]: readonly string[] } = {
  'lib/cli': ['lambdas'],
  'lib/cloud': ['lambdas', 'lib/local'],
  'lib/deployed': ['lib/local'],
  'lib/compiler': ['lib/engine'],
};

/** Folders in which files may import each other in a circle. States of a machine call states. */
const CIRCLES = ['lib/engine/'];

/** Packages that only some places may import. */
const PACKAGES: readonly { readonly name: RegExp; readonly allowed: RegExp; readonly why: string }[] = [
  { name: /^(aws-cdk-lib|constructs)(\/|$)/, allowed: /^(lib\/cloud\/|bin\/app\.ts$)/, why: 'aws-cdk-lib is 164 MB' },
  { name: /^commander$/, allowed: /^lib\/cli\//, why: 'the command line is one reader of the parts below' },
];

interface Import {
  readonly file: string;
  readonly target: string;
}

function sources(): string[] {
  return LAYERS.filter((layer) => !layer.includes('/'))
    .concat('lib')
    .flatMap((top) => {
      try {
        return readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' }).map((file) => join(top, file));
      } catch {
        return [];
      }
    })
    .filter((file) => /\.(ts|mts|js|mjs)$/.test(file) && !file.includes('node_modules'))
    .map((file) => file.replaceAll('\\', '/'));
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`; an import of types counts like any other. */
const SPECIFIER =
  /(?:^|[\s;}])(?:import|export)\s+(?:[\w*{][^'";]*?\sfrom\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;

function codeOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
}

function importsOf(file: string): Import[] {
  return [...codeOf(file).matchAll(SPECIFIER)].map(([, from, dynamic]) => {
    const specifier = from ?? dynamic ?? '';
    const target = specifier.startsWith('.')
      ? relative(ROOT, join(ROOT, dirname(file), specifier)).replaceAll('\\', '/')
      : specifier;
    return { file, target };
  });
}

function layerOf(file: string): string | undefined {
  return LAYERS.find((layer) => file.startsWith(`${layer}/`));
}

/** Why this import must not be, or undefined. */
function fault({ file, target }: Import): string | undefined {
  const banned = PACKAGES.find(({ name, allowed }) => name.test(target) && !allowed.test(file));
  if (banned !== undefined) return `${file} imports ${target}: ${banned.why}`;
  const from = layerOf(file);
  const to = layerOf(target);
  if (from === undefined) return `${file} is in no folder of docs/architecture.md`;
  if (target.startsWith('test/') || target.startsWith('examples/')) return `${file} imports ${target}`;
  if (to === undefined || to === from) return undefined;
  const below = LAYERS.indexOf(to) > LAYERS.indexOf(from) && NEVER[from]?.includes(to) !== true;
  const allowed = ONLY[from]?.includes(to) ?? below;
  return allowed ? undefined : `${file} (${from}) imports ${target} (${to})`;
}

/** Files that import each other in a circle, types counted (Tarjan's strongly connected components). */
function circles(imports: readonly Import[]): string[][] {
  const targets = new Map<string, Import[]>();
  for (const each of imports) targets.set(each.file, [...(targets.get(each.file) ?? []), each]);
  const order = new Map<string, { at: number; low: number; open: boolean }>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const mark = { at: order.size, low: order.size, open: true };
    order.set(file, mark);
    path.push(file);
    for (const { target } of targets.get(file) ?? []) {
      const seen = order.get(target);
      if (seen === undefined) mark.low = Math.min(mark.low, visit(target));
      else if (seen.open) mark.low = Math.min(mark.low, seen.at);
    }
    if (mark.low < mark.at) return mark.low;
    const members = path.splice(path.indexOf(file));
    for (const each of members) (order.get(each) ?? mark).open = false;
    if (members.length > 1) found.push(members.sort());
    return mark.low;
  };
  for (const file of targets.keys()) if (!order.has(file)) visit(file);
  return found;
}

describe('imports', () => {
  const all = sources().flatMap(importsOf);

  it('are found', () => {
    expect(all).toContainEqual({ file: 'bin/trowel.ts', target: 'lib/cli/main.ts' });
    expect(all.length).toBeGreaterThan(50);
  });

  it('point down the list of folders only', () => {
    expect(all.map(fault).filter((each) => each !== undefined)).toEqual([]);
  });

  it('make no circle', () => {
    const allowed = (circle: string[]) => CIRCLES.some((place) => circle.every((file) => file.startsWith(place)));
    expect(circles(all).filter((circle) => !allowed(circle))).toEqual([]);
  });

  it.each([
    ['test/lib/local/start/start-run.test.ts', ['lib/local', 'lib/events', 'lib/language']],
    ['test/lib/deployed/start-execution.test.ts', ['lib/deployed']],
  ])('let a page start, watch and resume a run without the command line, as %s', (file, rooms) => {
    const used = importsOf(file).flatMap(({ target }) => layerOf(target) ?? []);
    expect(used).toContain(rooms[0]);
    expect(used.filter((room) => !rooms.includes(room))).toEqual([]);
    expect(rooms.filter((room) => ONLY['lib/ui']?.includes(room) !== true)).toEqual([]);
  });

  it('of one operator of the compiler go through the index', () => {
    const operators = 'lib/compiler/operators/';
    const others = all.filter(({ file }) => !file.startsWith(operators));
    expect(others.filter(({ target }) => target.startsWith(operators))).toEqual([
      { file: 'lib/compiler/node.ts', target: `${operators}index.ts` },
    ]);
  });

  it('in a circle are found', () => {
    const circle = [
      { file: 'a.ts', target: 'b.ts' },
      { file: 'b.ts', target: 'c.ts' },
      { file: 'c.ts', target: 'b.ts' },
    ];
    expect(circles(circle)).toEqual([['b.ts', 'c.ts']]);
  });

  it.each([
    ['lib/asl/x.ts', 'lib/language/y.ts'],
    ['lib/compiler/x.ts', 'lib/engine/y.ts'],
    ['lib/engine/x.ts', 'lib/language/y.ts'],
    ['lib/cloud/x.ts', 'lib/local/y.ts'],
    ['lib/deployed/x.ts', 'lib/local/y.ts'],
    ['lib/cli/x.ts', 'lambdas/launch/handler.ts'],
    ['lib/host/x.ts', 'lib/asl/y.ts'],
    ['lib/local/x.ts', 'aws-cdk-lib/aws-s3'],
    ['lib/language/x.ts', 'commander'],
  ])('refuse %s → %s', (file, target) => {
    expect(fault({ file, target })).toBeDefined();
  });
});

/** `state.Arguments`, `{ Arguments }`, `Arguments: …`, and the same of `Payload`. A text `'Payload'` is a field of an execution's event. */
const WITHIN = /(?<![\w'])(?:Arguments|Payload)(?![\w'])/;

describe('what a compiled state is given', () => {
  it.each(['lib/cloud/', 'lib/deployed/'])('is not read in %s: the compiler has noted what it needs', (folder) => {
    const files = sources().filter((file) => file.startsWith(folder));
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => WITHIN.test(codeOf(file)))).toEqual([]);
  });

  it.each([
    'state.Arguments',
    'const { FunctionName, Payload } = given',
    'given?.Payload as Mapping',
    '{ ...state, Arguments: {} }',
  ])('is found in `%s`', (code) => {
    expect(code).toMatch(WITHIN);
  });
});
