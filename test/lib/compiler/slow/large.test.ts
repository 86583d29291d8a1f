/** Covers lib/compiler/split.ts, lib/compiler/partition.ts, lib/compiler/weight.ts. */
import { describe, it } from 'vitest';
import { LARGE, staysWithinLimits } from '../large-cases.ts';

describe('what is too large for one machine is split, within every limit (slow)', () => {
  it.each(LARGE.filter(({ slow }) => slow))('$name', staysWithinLimits);
});
