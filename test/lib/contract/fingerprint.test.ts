import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { canonical, fingerprint } from '../../../lib/contract/fingerprint.ts';
import { pythonPackageFolder } from '../../../lib/host/package-folder.ts';

const VALUES = [
  null,
  true,
  '',
  'a"b\\c\n\u0001\u007f é 日本 😀 \u2028',
  '\ud800 lone',
  0,
  -0,
  -1,
  1.5,
  0.1,
  1e-7,
  1.25e-9,
  1e16,
  123456789012345680000,
  1e21,
  1.7976931348623157e308,
  5e-324,
  [],
  [1, [2, {}]],
  { b: 1, a: { z: null, é: 2, '😀': 3, '\uffff': 4 }, '': 0 },
  { 'trowel:ref': 'file:///a', kind: 'json', bytes: 3, sha256: 'abc' },
];

it('a value by reference counts as its content', () => {
  const at = (path: string) => ({ 'trowel:ref': path, kind: 'json', bytes: 3, sha256: 'abc' });
  expect(fingerprint(at('file:///a'))).toBe(fingerprint(at('file:///b')));
});

it('Python writes and hashes every value the same', () => {
  const code =
    'import json, sys; from trowel_task.store import canonical as c; ' +
    'print(json.dumps([[c.canonical(v), c.digest(v)] for v in json.load(sys.stdin)]))';
  const answer = execFileSync('python3', ['-c', code], {
    env: { ...process.env, PYTHONPATH: pythonPackageFolder() },
    input: JSON.stringify(VALUES),
    encoding: 'utf8',
  });
  expect(JSON.parse(answer)).toEqual(VALUES.map((value) => [canonical(value), fingerprint(value)]));
});
