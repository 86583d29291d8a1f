import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findInPackage, packageFolder, pythonPackageFolder } from '../../../lib/host/package-folder.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

test.each([
  ['the sources', 'lib/host/package-folder.ts'],
  ['the program as it is built', 'dist/trowel.js'],
  ['a part of it', 'dist/chunks/x.js'],
])('is found from %s', (_, file) => {
  expect(findInPackage('templates', join(ROOT, file))).toBe(join(ROOT, 'templates'));
});

test('what is missing', () => {
  expect(findInPackage('no/such/folder')).toBeUndefined();
  expect(() => packageFolder('no/such/folder')).toThrow('no/such/folder is missing from the installed package trowel');
});

test('the Python package', () => {
  expect(existsSync(join(pythonPackageFolder(), 'trowel_task', '__main__.py'))).toBe(true);
});
