import { describe, expect, it } from 'vitest';
import { CASES } from './cases.ts';
import { play } from './play.ts';

describe('compile', () => {
  it.each(CASES)('$name', async ({ dig, others, params, seen, fails }) => {
    const played = await play(dig, { ...(others && { others }), ...(params && { params }) });
    expect([...played.seen].sort()).toEqual([...seen].sort());
    if (!dig.includes('_parallel') && !dig.includes('_background')) expect(played.seen).toEqual(seen);
    if (fails === undefined) expect(played.outcome).toMatchObject({ status: 'SUCCEEDED' });
    else expect(played.outcome).toMatchObject({ status: 'FAILED', cause: expect.stringContaining(fails) });
  });

  it('waits as long as wait> and _retry say, in virtual time', async () => {
    const waits = await play(
      '+w: {wait>: 1h 30m}\n+g: {_retry: {limit: 3, interval: 10, interval_type: exponential}, +f: {py>: t.flaky, fails: 3}}',
    );
    expect(waits.seconds).toBe(5400 + 10 + 20 + 40);
  });
});
