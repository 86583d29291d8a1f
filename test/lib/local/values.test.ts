import { createHash } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { valuesIn } from '../../../lib/contract/values.ts';
import { valueFiles } from '../../../lib/local/values.ts';
import { temporary } from './temporary.ts';

const hash = (text: string) => createHash('sha256').update(text).digest('hex');
const reference = (sha256: string, more = {}) => ({ 'trowel:ref': sha256, kind: 'json', bytes: 3, ...more });

it('reads JSON below values/ of an attempt, and nothing else', async () => {
  const one = hash('[1]');
  const two = hash('2');
  const link = hash('"link"');
  const changed = hash('was');
  const folder = await temporary({
    [`a/values/${one}.json`]: '[1]',
    [`a/values/${changed}.json`]: 'torn',
    [`a/values/${two}/x.txt`]: '2',
    'outside.json': '"link"',
    [`b/values/${two}.json`]: '2',
  });
  symlinkSync(join(folder, 'outside.json'), join(folder, `a/values/${link}.json`));
  const values = valuesIn(valueFiles, [join(folder, 'a'), join(folder, 'gone'), join(folder, 'b')]);
  expect(await values.read(reference(one))).toEqual([1]);
  expect(await values.read(reference(two))).toBe(2);
  expect(await values.bytes(reference(two, { kind: 'file', name: 'x.txt' }))).toEqual(Buffer.from('2'));
  // Attempts of before had an address.
  expect(await values.read({ ...reference('file:///etc/passwd'), sha256: one } as never)).toEqual([1]);
  for (const [bad, message] of [
    [reference(changed), 'its sha256 is another'],
    [reference(link), 'is gone, or not of this run'],
    [reference(hash('no')), 'is gone, or not of this run'],
    [reference('file:///etc/hosts'), 'its reference is wrong'],
    [reference('../../outside'), 'its reference is wrong'],
    [reference(one, { kind: 'json/../..' }), 'its reference is wrong'],
    [reference(two, { kind: 'file', name: '../../../outside.json' }), 'has no name'],
  ] as const) {
    await expect(values.read(bad), JSON.stringify(bad)).rejects.toThrow(message);
  }
});

it('writes JSON that it reads again', async () => {
  const values = valuesIn(valueFiles, [join(await temporary({}), 'a')]);
  const written = await values.write({ a: ['ä'] });
  expect(written).toEqual({ 'trowel:ref': hash('{"a":["ä"]}'), kind: 'json', bytes: 12 });
  expect(await values.read(written)).toEqual({ a: ['ä'] });
});
