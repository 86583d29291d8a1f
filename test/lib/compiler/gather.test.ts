import { describe, expect, it } from 'vitest';
import { GATHERED, gathers } from './gather-cases.ts';
import { compiledText, play, playCompiled } from './play.ts';

/** Of a Task, and of the Choice that is made again. */
const GATHER_EVENTS = 7;

describe('what many branches store comes together whole, and in no state as more than it holds', () => {
  it.each(GATHERED.filter(({ slow }) => !slow))('$name', gathers);

  it('costs no state where it is small', async () => {
    const fills = (size: number): string =>
      `_export: {n: 20}\n+l:\n  loop>: \${n}\n  _parallel: true\n  _do: {py>: t.fill, seed: x, path: [a, "\${i}"], size: ${size}}`;
    const [small, large] = await Promise.all([play(fills(10)), play(fills(4000))]);
    expect(small.outcome).toMatchObject({ status: 'SUCCEEDED' });
    expect(small.events).toBe(large.events - GATHER_EVENTS);
  });
});

describe('what many branches fail with', () => {
  const boom = `py>: t.boom\n    msg: ${'too long a story, '.repeat(100)}`;
  it.each([
    ['a loop of 450', `loop>: 450\n  _parallel: true\n  _do:\n    ${boom}`],
    [
      'a loop of 450 that handle it',
      `loop>: 450\n  _parallel: true\n  _do:\n    ${boom}\n    _error: {py>: t.boom, msg: again}`,
    ],
  ])('ends in the handler: %s', async (_name, dig) => {
    const played = await playCompiled(compiledText(`+l:\n  ${dig}\n  _error: {py>: t.see, show: [error]}`), {}, true);
    expect(played.outcome).toMatchObject({ status: 'FAILED', error: 'Trowel.TaskFailed' });
    expect(played.outcome.status === 'FAILED' && played.outcome.cause).toMatch(/^\{"message":"too long a story/);
    expect(played.seen.at(-1)).toMatch(/^\+main\+l\^error error=\{"message":"(too long a story, .* …|again)"\}$/);
  });
});
