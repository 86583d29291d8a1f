/** Covers lib/compiler/compile.ts, lib/compiler/split.ts. */
import { describe, it } from 'vitest';
import { agreesWithModel, properties } from './compile-property.ts';

const RUNS = Number(process.env.TROWEL_RUNS ?? 20);

describe('a compiled random workflow does what the model of digdag does', () => {
  it.each(properties(RUNS))('$runs, $name', { timeout: 600 * RUNS + 300_000 }, agreesWithModel);
});
