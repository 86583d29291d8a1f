import fc from 'fast-check';
import { expect } from 'vitest';
import type { Weight } from '../../../lib/compiler/weight.ts';
import { compiledText, playCompiled } from './play.ts';
import { stores } from './random-stores.ts';

/** Bytes: what a state is to keep below, that of the service's 262,144 enough is left. */
const HEADROOM = 192 * 1024;

/** So small that nearly every task is a machine of its own, and slices have slices. */
const TINY: Weight = { events: 12, bytes: 1e6 };

/** What tasks that run at the same time have stored is what they store one after the other, in the same order. */
export async function comparesStores(runs: number, seed: number): Promise<void> {
  const property = fc.asyncProperty(stores, async ({ together, inSequence }) => {
    const played = async (text: string, target: 'local' | 'aws', budget?: Weight): Promise<string | undefined> => {
      const compiled = compiledText(text.replaceAll('"py>":"', '"py>":"t.'), {}, { target, ...(budget && { budget }) });
      const { outcome, seen, largest } = await playCompiled(compiled, {}, true);
      expect(outcome).toMatchObject({ status: 'SUCCEEDED' });
      expect(largest).toBeLessThan(HEADROOM);
      return seen.at(-1);
    };
    const expected = await played(inSequence, 'local');
    expect(await played(together, 'aws')).toEqual(expected);
    expect(await played(together, 'local', TINY)).toEqual(expected);
  });
  await fc.assert(property, { seed, numRuns: runs });
}
