import { createHash, randomUUID } from 'node:crypto';

/**
 * The functions that Step Functions adds to JSONata's (AWS, "Transforming data with JSONata in Step Functions"): $partition, $range,
 * $hash, $random with a seed, $uuid, $parse. As in JSONata, an argument that is nothing gives nothing. Signatures are JSONata's.
 */
export interface StatesFunction {
  readonly signature: string;
  readonly run: (...args: never[]) => unknown;
}

const HASHES: { readonly [algorithm: string]: string } = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** Those that depend on nothing but their arguments. */
export const PURE_FUNCTIONS: { readonly [name: string]: StatesFunction } = {
  partition: {
    signature: '<an:a>',
    run(items: readonly unknown[] | undefined, size: number | undefined) {
      if (items === undefined || size === undefined) {
        return undefined;
      }
      if (!Number.isInteger(size) || size < 1) {
        throw new FunctionError('$partition needs a chunk size that is a whole number above 0');
      }
      return Array.from({ length: Math.ceil(items.length / size) }, (_, chunk) =>
        Array.from(items.slice(chunk * size, (chunk + 1) * size)),
      );
    },
  },
  range: {
    signature: '<nnn:a>',
    run(first: number | undefined, last: number | undefined, step: number | undefined) {
      if (first === undefined || last === undefined || step === undefined) {
        return undefined;
      }
      if (step === 0) {
        throw new FunctionError('$range needs a step that is not 0');
      }
      // Steps such as 0.1 add up to a little less than the last value.
      const count = Math.floor((last - first) / step + 1e-9) + 1;
      if (count > 1e7) {
        throw new FunctionError('$range gives more than 10,000,000 numbers');
      }
      return Array.from({ length: Math.max(0, count) }, (_, index) => first + index * step);
    },
  },
  hash: {
    signature: '<ss:s>',
    run(text: string | undefined, algorithm: string | undefined) {
      if (text === undefined || algorithm === undefined) {
        return undefined;
      }
      const name = HASHES[algorithm];
      if (name === undefined) {
        throw new FunctionError(`$hash knows ${Object.keys(HASHES).join(', ')}, not '${algorithm}'`);
      }
      return createHash(name).update(text).digest('hex');
    },
  },
  uuid: { signature: '<:s>', run: () => randomUUID() },
  parse: {
    signature: '<s:x>',
    run(text: string | undefined) {
      if (text === undefined) {
        return undefined;
      }
      try {
        return JSON.parse(text);
      } catch (cause) {
        throw new FunctionError(`$parse: ${(cause as Error).message}`);
      }
    },
  },
};

/** In the form of the errors that jsonata throws. */
export class FunctionError extends Error {
  readonly code = 'D3000';
}

/** `$random()`, `$random(seed)`: from 0 up to 1. The same seed gives the same number, though not the service's. */
export function randomFunction(random: () => number): (seed?: number) => number {
  return (seed) => {
    if (seed === undefined) {
      return random();
    }
    if (typeof seed !== 'number') {
      throw new FunctionError('$random needs a seed that is a number');
    }
    return seeded(seed)();
  };
}

/** mulberry32: a small generator of numbers from 0 up to 1, the same row for the same seed. */
export function seeded(seed: number): () => number {
  let state = Math.imul(Math.trunc(seed) ^ (Math.trunc(seed) / 2 ** 32), 0x9e3779b1) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
