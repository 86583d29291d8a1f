import { createHash, randomUUID } from 'node:crypto';
import jsonata from 'jsonata';
import { MOST_NUMBERS, memoryExceeded } from './memory.ts';

/**
 * The functions that Step Functions adds to JSONata's (AWS, "Transforming data with JSONata in Step Functions"): $partition, $range, $hash,
 * $random with a seed, $uuid, $parse; also functions of JSONata for which the service differs from jsonata. As in JSONata, an argument that
 * is nothing (undefined) gives nothing. Signatures are in JSONata's notation.
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

/** The service's error for a picture without digits, on which jsonata itself fails differently. */
const NO_DIGITS = Object.assign(
  new Error(
    'The sub-picture must not contain a passive character that is preceded by an active character and that is followed by another active character',
  ),
  { code: 'D3086' },
);

/** Functions that depend only on their arguments. */
export const PURE_FUNCTIONS: { readonly [name: string]: StatesFunction } = {
  partition: {
    signature: '<an:a>',
    run(items: readonly unknown[] | undefined, size: number | undefined) {
      if (items === undefined || size === undefined) return undefined;
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
      if (first === undefined || last === undefined || step === undefined) return undefined;
      const [from, to, by] = [Math.trunc(first), Math.trunc(last), Math.trunc(step)];
      if (by === 0) throw new FunctionError('$range needs a step that is not 0');
      const count = Math.floor((to - from) / by) + 1;
      if (count > MOST_NUMBERS) throw memoryExceeded();
      const numbers = Array.from({ length: Math.max(0, count) }, (_, index) => from + index * by);
      // Marked as a sequence of JSONata's: one of a single number becomes that number, an empty one becomes nothing.
      return Object.defineProperty(numbers, 'sequence', { enumerable: false, value: true });
    },
  },
  formatNumber: {
    signature: '<n-so?:s>',
    run(value: number | undefined, picture: string | undefined, options?: unknown) {
      if (options === undefined && picture !== undefined && picture.split(';').some((part) => !/[0-9#]/.test(part))) {
        throw NO_DIGITS;
      }
      return jsonata('$formatNumber(v, p, o)').evaluate({ v: value, p: picture, o: options });
    },
  },
  base64decode: {
    signature: '<s-:s>',
    run(text: string | undefined) {
      if (text === undefined) return undefined;
      // Java's decoder accepts only the base64 alphabet, with full padding or none.
      if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text)) {
        throw new InternalError();
      }
      return Buffer.from(text, 'base64').toString('latin1');
    },
  },
  hash: {
    signature: '<ss:s>',
    run(text: string | undefined, algorithm: string | undefined) {
      if (text === undefined || algorithm === undefined) return undefined;
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
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text);
      } catch (cause) {
        throw new FunctionError(`$parse: ${(cause as Error).message}`);
      }
    },
  },
};

/** An error in the form of those that jsonata throws. */
export class FunctionError extends Error {
  readonly code = 'D3000';
}

/** A failure inside one of the service's functions, for which the service gives no details. */
export class InternalError extends Error {}

/** `$random()`, `$random(seed)`: from 0 up to 1. With a seed: the first number of java.util.Random with that seed. */
export function randomFunction(random: () => number): (seed?: number) => number {
  return (seed) => {
    if (seed === undefined) return random();
    if (typeof seed !== 'number') throw new FunctionError('$random needs a seed that is a number');
    return seeded(seed)();
  };
}

const MULTIPLIER = 0x5deece66dn;
const MASK = (1n << 48n) - 1n;

/** java.util.Random's nextDouble: a linear congruential generator of 48 bits. A seed with a fraction is cut, as by Java's cast to long. */
export function seeded(seed: number): () => number {
  let state = (BigInt(Math.trunc(seed)) ^ MULTIPLIER) & MASK;
  const next = (bits: bigint): bigint => {
    state = (state * MULTIPLIER + 0xbn) & MASK;
    return state >> (48n - bits);
  };
  return () => Number((next(26n) << 27n) + next(27n)) / 2 ** 53;
}
