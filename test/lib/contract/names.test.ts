import { expect, it, test } from 'vitest';
import { fileName, reportsPart, reportsPath, resultPath } from '../../../lib/contract/names.ts';

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

test.each<[tries: number[], retries: number, path: string]>([
  [[], 0, 'results/+main+load.0-0.reports'],
  [[], 2, 'results/+main+load.0-2.reports'],
  [[1, 2], 0, 'results/+main+load.1-2-0.reports'],
])('reports of the tries %j, %i of the state are in parts of their own', (tries, retries, path) => {
  expect(reportsPath('+main+load', tries, retries)).toBe(path);
  expect(reportsPart(path, 2)).toBe(`${path}.2.jsonl`);
});
