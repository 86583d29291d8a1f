import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastName, shownTask } from '../../../lib/events/task-names.ts';
import { loopItems } from '../../../lib/expression/items.ts';

const CASES: readonly (readonly [name: string, shown: string, last: string])[] = [
  ['+main+load', '+main+load', '+load'],
  ['+main+call^sub+part', '+main+call+part', '+part'],
  ['+main+each^sub+for-0=region=1=south', '+main+each[south]', 'south'],
  ['+main+each^sub+for-0=region=1=south+sum', '+main+each[south]+sum', '+sum'],
  ['+main+each^sub+for-0=region=1=south&1=day=0=3', '+main+each[south, 3]', 'south, 3'],
  ['+main+each^sub+for-0=file=2=data%2F202', '+main+each[data/202… (2)]', 'data/202… (2)'],
  ['+main+each^sub+for-0=x=0=', '+main+each[item 0]', 'item 0'],
  ['+main+each^sub+for-0=x=0=%1B%5B2Jab', '+main+each[ab]', 'ab'],
  ['+main+range^sub+range-from=0&to=10+x', '+main+range[0 to 10]+x', '+x'],
  ['+main+loop^sub+loop-4+x', '+main+loop+loop-4+x', '+x'],
  ['+for-me', '+for-me', '+for-me'],
  ['plain', 'plain', 'plain'],
];

describe('names on a terminal', () => {
  it.each(CASES)('%s', (name, shown, last) => {
    expect([shownTask(name), lastName(name)]).toEqual([shown, last]);
  });

  it('show an item of whatever kind in one line, and no escape sequence', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 3 }), (list) => {
        const made = loopItems('for_each', { 'for_each>': { item: list as never } });
        if (!made.ok) throw new Error(made.message);
        for (const { n } of made.value) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
          expect(lastName(`+main+each^sub${n}`)).toMatch(/^[^\u0000-\u001f\u007f-\u009f]+$/);
        }
      }),
    );
  });
});
