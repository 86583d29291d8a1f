/** Covers lib/compiler/gather.ts, lib/compiler/parallel.ts. */
import { it } from 'vitest';
import { comparesStores } from './stores-compared.ts';

it('random trees of groups and loops store the same at the same time and in sequence', () => comparesStores(4, 1));
