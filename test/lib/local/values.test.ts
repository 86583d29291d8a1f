import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { referenceReader } from '../../../lib/local/values.ts';
import { temporary } from './temporary.ts';

it('reads JSON below values/ of an attempt, and nothing else', async () => {
  const folder = await temporary({
    'a/values/1.json': '[1]',
    'a/2.json': '2',
    'b/values/3.json': '3',
    'a/values/4.json': 'torn',
  });
  symlinkSync(join(folder, 'b/values/3.json'), join(folder, 'a/values/link.json'));
  const read = referenceReader([join(folder, 'a'), join(folder, 'gone')]);
  const at = (path: string, kind = 'json', bytes = 3) =>
    read({ 'trowel:ref': pathToFileURL(join(folder, path)).href, kind, bytes, sha256: '' });
  expect(await at('a/values/1.json')).toEqual([1]);
  expect(await at('a/values/1.json', 'file')).toBeUndefined();
  expect(await at('a/values/1.json', 'json', 1e9)).toBeUndefined();
  for (const path of [
    'a/2.json',
    'b/values/3.json',
    'a/values/link.json',
    'a/values/../2.json',
    'a/values/4.json',
    'a/values/no.json',
  ]) {
    expect(await at(path), path).toBeUndefined();
  }
});
