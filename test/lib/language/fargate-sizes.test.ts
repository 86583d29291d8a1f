import { expect, test } from 'vitest';
import { CPU_SIZES, misfit, parseSize, showSize } from '../../../lib/language/fargate-sizes.ts';

/** The documentation's own table: CPU units, the memory values (MB) that go with them. */
const DOCUMENTED: readonly [cpu: number, memory: readonly number[]][] = [
  [256, [512, 1024, 2048]],
  [512, [1024, 2048, 3072, 4096]],
  [1024, [2048, 3072, 4096, 5120, 6144, 7168, 8192]],
  [2048, between(4096, 16384, 1024)],
  [4096, between(8192, 30720, 1024)],
  [8192, between(16384, 61440, 4096)],
  [16384, between(32768, 122880, 8192)],
];

test.each(DOCUMENTED)('cpu %i', (cpu, documented) => {
  const fitting = between(256, 131072, 256).filter((memory) => misfit({ cpu, memory }) === undefined);
  expect(fitting).toEqual(documented);
});

test('no other cpu', () => {
  expect(CPU_SIZES).toEqual(DOCUMENTED.map(([cpu]) => cpu));
});

test.each([
  [256, 1536, 'With cpu 256, memory is 512MB, 1GB or 2GB; the next size is 2GB.'],
  [512, 512, 'With cpu 512, memory is 1GB to 4GB in steps of 1GB; 512MB goes with cpu 256.'],
  [512, 8192, 'With cpu 512, memory is 1GB to 4GB in steps of 1GB; 8GB goes with cpu 1024, 2048 or 4096.'],
  [4096, 99 * 1024, 'With cpu 4096, memory is 8GB to 30GB in steps of 1GB; the next size is 104GB, with cpu 16384.'],
  [8192, 17 * 1024, 'With cpu 8192, memory is 16GB to 60GB in steps of 4GB; 17GB goes with cpu 4096.'],
])('the way out of cpu %i with %i MB', (cpu, memory, hint) => {
  expect(misfit({ cpu, memory })?.hint).toBe(hint);
});

test.each([
  ['512MB', 512, '512MB'],
  ['2GB', 2048, '2GB'],
  [' 1.5 gib ', 1536, '1.5GB'],
  ['2G', 2048, '2GB'],
  ['2Gi', 2048, '2GB'],
  ['2048', undefined, ''],
  ['GB', undefined, ''],
  ['-1GB', undefined, ''],
])('the size %j', (text, megabytes, shown) => {
  expect(parseSize(text)).toBe(megabytes);
  if (megabytes !== undefined) expect(showSize(megabytes)).toBe(shown);
});

function between(least: number, most: number, step: number): number[] {
  return Array.from({ length: (most - least) / step + 1 }, (_, index) => least + index * step);
}
