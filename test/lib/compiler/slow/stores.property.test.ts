/** Covers lib/compiler/gather.ts, lib/compiler/parallel.ts. */
import { it } from 'vitest';
import { comparesStores } from '../stores-compared.ts';

/** Other seeds and more runs: TROWEL_SEED=7 TROWEL_RUNS=2000. */
it('random trees of groups and loops store the same at the same time and in sequence (slow)', () =>
  comparesStores(Number(process.env.TROWEL_RUNS ?? 150), Number(process.env.TROWEL_SEED ?? 2)));
