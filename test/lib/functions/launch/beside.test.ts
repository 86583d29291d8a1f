import { describe, expect, it } from 'vitest';
import { besideOf } from '../../../../lib/functions/launch/beside.ts';

describe('besideOf', () => {
  it.each([
    [undefined, undefined],
    [null, undefined],
    [{ image: 'db:1' }, { image: 'db:1' }],
    [
      { image: 'db:1', command: ['serve', 80, null], env: { A: 'a', N: 1.5, L: [1], NONE: null } },
      { image: 'db:1', command: ['serve', '80', ''], env: { A: 'a', N: '1.5', L: '[1]', NONE: '' } },
    ],
  ])('%j', (given, expected) => {
    expect(besideOf(given)).toEqual(expected);
  });

  it.each([
    ['db:1', 'Expected the name of an image for _beside.image, got null (config)'],
    [{ command: ['serve'] }, 'Expected the name of an image for _beside.image, got null (config)'],
    [{ image: 'db:1', command: 'serve' }, 'Expected a list for _beside.command, got "serve" (config)'],
    [{ image: 'db:1', env: ['A'] }, 'Expected a mapping for _beside.env, got ["A"] (config)'],
    [{ image: 'db:1', env: { 'a-b': 1 } }, 'Invalid _beside.env key name: a-b'],
  ])('refuses %j', (given, message) => {
    expect(() => besideOf(given)).toThrow(expect.objectContaining({ name: 'Trowel.BadInput', message }));
  });
});
