/** Covers CONTRIBUTING.md: the files that its recipes name are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

interface Recipe {
  readonly title: string;
  readonly paths: readonly string[];
}

const RECIPES: readonly Recipe[] = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')
  .split(/^## /m)
  .slice(1)
  .map((section) => ({ title: section.slice(0, section.indexOf('\n')), paths: pathsIn(section) }))
  .filter(({ title }) => /^(?:Add|Change) /.test(title));

/** Paths are relative to the repository, or to a folder that the same section has named before. */
function pathsIn(section: string): string[] {
  const words = [...section.matchAll(/`(?:node --import tsx )?([\w./-]+)`|\bdocs\/[\w-]+\.md/g)].map(
    ([all, word]) => word ?? all,
  );
  return words.filter((word) => word.includes('/') || /\.(?:ts|py|json|md)$/.test(word));
}

/** NAME is any of the folders or files that are there. */
function isThere(path: string): boolean {
  if (!path.includes('NAME')) return existsSync(join(ROOT, path));
  const before = path.slice(0, path.indexOf('NAME'));
  const folder = before.endsWith('/') ? before : dirname(before);
  if (!existsSync(join(ROOT, folder))) return false;
  return readdirSync(join(ROOT, folder)).some((entry) =>
    existsSync(join(ROOT, path.replace('NAME', entry.replace(/\.\w+$/, '')))),
  );
}

function missing({ paths }: Recipe): string[] {
  const folders = new Set<string>();
  return paths.filter((path) => {
    const places = [path, ...[...folders].map((folder) => join(folder, path))];
    const found = places.find(isThere);
    if (found !== undefined) folders.add(/\.\w+$/.test(found) ? dirname(found) : found);
    return found === undefined;
  });
}

describe('the recipes of CONTRIBUTING.md', () => {
  it.each([
    ['an operator'],
    ['a diagnostic'],
    ['a state type'],
    ['a key to trowel.yml'],
    ['an option'],
    ['a compute'],
    ['an adapter'],
    ['an event'],
    ['a size of Fargate'],
    ['a start of a container'],
  ])('have one for %s', (what) => {
    const recipe = RECIPES.find(({ title }) => title.includes(what));
    expect(recipe?.paths.length).toBeGreaterThan(1);
  });

  it.each(RECIPES.map((recipe) => [recipe.title, recipe] as const))('%s: names files that are there', (_, recipe) => {
    expect(missing(recipe)).toEqual([]);
  });

  it('misses a file that is not there', () => {
    expect(missing({ title: '', paths: ['lib/asl/types.ts', 'flow.ts', 'no-such.ts'] })).toEqual(['no-such.ts']);
  });
});
