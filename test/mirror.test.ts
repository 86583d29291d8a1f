/** A test's place says what it tests: it has the path of its source, or its head names the files that it covers. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

function testsOf(folder: string): string[] {
  const found = readdirSync(join(ROOT, 'test', folder), { recursive: true, encoding: 'utf8' });
  return found
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', folder, path))
    .sort();
}

/** `test/lib/a/b.test.ts` and `test/lib/a/slow/b.test.ts` are of lib/a/b.ts. */
function sourceOf(test: string): string {
  return test
    .replace(/^test\//, '')
    .replace('/slow/', '/')
    .replace(/\.test\.ts$/, '.ts');
}

/** The files that the comment at the head names after the word `Covers`. */
function coveredBy(text: string): readonly string[] {
  const [head = ''] = /^\/\*\*.*?\*\//s.exec(text) ?? [];
  const [, names = ''] = /\bCovers\s(.*)/s.exec(head) ?? [];
  return names.match(/[\w./-]+\.(?:ts|mjs|py)\b/g) ?? [];
}

describe('the files that a test covers can be found', () => {
  const tests = ['lib', 'lambdas'].flatMap(testsOf);

  it('there are tests', () => {
    expect(tests.length).toBeGreaterThan(100);
  });

  it.each(tests)('of %s', (test) => {
    const covered = coveredBy(readFileSync(join(ROOT, test), 'utf8'));
    expect(covered.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    if (covered.length === 0)
      expect(existsSync(join(ROOT, sourceOf(test))), `${sourceOf(test)}, or /** Covers PATH, PATH */ at its head`).toBe(
        true,
      );
  });
});
