import { expect, it } from 'vitest';
import { fileName, resultPath } from '../../../lib/contract/names.ts';

it.each([
  ['+main+load', '+main+load'],
  ['+sub/part+x', '+sub%2Fpart+x'],
  ['+main+f^sub+for-0=a=0=x&1=b=0=1', '+main+f^sub+for-0=a=0=x&1=b=0=1'],
  ['+a[{}]`', '+a%5B%7B%7D%5D%60'],
  ['+日本', '+%E6%97%A5%E6%9C%AC'],
  ['..', '%..'],
])('%s is the file %s', (name, file) => {
  expect(fileName(name)).toBe(file);
});

it('cuts what is too long, and still tells names apart', () => {
  const [one, two] = ['a', 'b'].map((end) => fileName(`+${'x'.repeat(400)}${end}`));
  expect(one?.length).toBeLessThanOrEqual(180);
  expect(one).not.toBe(two);
});

it.each<[number[] | undefined, string]>([
  [undefined, 'results/+m+t.0.json'],
  [[2], 'results/+m+t.2.json'],
  [[1, 2], 'results/+m+t.1-2.json'],
])('a result of try %j is at %s', (tries, path) => {
  expect(resultPath('+m+t', tries)).toBe(path);
});
