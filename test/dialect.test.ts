/** One way of writing, as far as Biome has no rule for it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
/** Columns, as in biome.json. */
const WIDTH = 120;
/** Spreads such as `...(wide && { width })`: most optional fields are spread by `present` (lib/asl/present.ts). */
const MOST_CONDITIONAL = 60;

const FILES = readFiles();

function readFiles(): ReadonlyMap<string, string> {
  const files = ['bin', 'lib', 'lambdas', 'tools'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' }).map((file) => join(top, file)),
  );
  return new Map(
    files.filter((file) => file.endsWith('.ts')).map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
  );
}

function places(pattern: RegExp): string[] {
  return [...FILES].flatMap(([file, text]) =>
    [...text.matchAll(pattern)].map((match) => `${file}:${text.slice(0, match.index).split('\n').length}`),
  );
}

describe('dialect', () => {
  it('has few conditional spreads, in one spelling', () => {
    const one = places(/\.\.\.\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*&& \{/g);
    expect(one.length).toBeGreaterThan(10);
    expect(one.length).toBeLessThanOrEqual(MOST_CONDITIONAL);
    expect(places(/\.\.\.\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*(?:\? \{\} :|\? \{[^{}\n]+\} : \{\}\))/g)).toEqual(
      [],
    );
  });

  it('has no braces around one short statement', () => {
    const braced = [...FILES].flatMap(([file, text]) =>
      [...text.matchAll(/^( *)if \((.*)\) \{\n +([^\n;{}]*;)\n\1\}(?! else)/gm)]
        .filter(([, indent, condition, statement]) => `${indent}if (${condition}) ${statement}`.length <= WIDTH)
        .map(([text]) => `${file}: ${text}`),
    );
    expect(braced).toEqual([]);
  });
});
