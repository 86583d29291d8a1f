/** Covers lib/compiler/compile.ts, lib/compiler/split.ts. */
import { describe, it } from 'vitest';
import { agreesWithModel, properties } from '../compile-property.ts';

describe('a compiled random workflow does what the model of digdag does (slow)', () => {
  it.each(properties(1000))('$runs, $name', agreesWithModel);
});
