import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** From top to bottom, as docs/architecture.md has it: a folder imports only itself and what stands below. */
const LAYERS = [
  'bin',
  'lib/cli',
  'lib/ui',
  'lib/cloud',
  'lib/deployed',
  'lib/local',
  'lib/engine',
  'lib/compiler',
  'lambdas',
  'lib/expression',
  'lib/language',
  'lib/asl',
];

/** Narrower than the order says: what a folder may import beside itself. */
const ONLY: { readonly [folder: string]: readonly string[] } = {
  'lib/engine': ['lib/asl'],
  'lib/ui': ['lib/local', 'lib/language'],
};

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

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
  return [...text.matchAll(SPECIFIER)].map(([, from, dynamic]) => {
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
  if (from === undefined) return `${file} stands in no folder of docs/architecture.md`;
  if (target.startsWith('test/') || target.startsWith('examples/')) return `${file} imports ${target}`;
  if (to === undefined || to === from) return undefined;
  const allowed = ONLY[from]?.includes(to) ?? LAYERS.indexOf(to) > LAYERS.indexOf(from);
  const engine = from === 'lib/compiler' && to === 'lib/engine';
  return allowed && !engine ? undefined : `${file} (${from}) imports ${target} (${to})`;
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

  it.each([
    ['lib/asl/x.ts', 'lib/language/y.ts'],
    ['lib/compiler/x.ts', 'lib/engine/y.ts'],
    ['lib/engine/x.ts', 'lib/language/y.ts'],
    ['lib/local/x.ts', 'aws-cdk-lib/aws-s3'],
    ['lib/language/x.ts', 'commander'],
  ])('refuse %s → %s', (file, target) => {
    expect(fault({ file, target })).toBeDefined();
  });
});
