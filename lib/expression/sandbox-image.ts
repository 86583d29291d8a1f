/** The sandbox's memory right after loading: a copy that is put back after each evaluation, and from which other threads begin. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** The parts of memory that are not empty, with their content. */
export interface Image {
  readonly parts: readonly { readonly from: number; readonly bytes: Uint8Array }[];
  /** All of it: 32-bit numbers (the address that it was made for, how many parts, where each begins, its length), then the parts. */
  readonly bytes: Uint8Array;
}

/** A gap of at least this many zero bytes is the unused stack. It is between the static data and the heap. */
const STACK_GAP = 1024 * 1024;

/**
 * Copies the static data (with the allocator's state) and the heap. Memory after them counts as free once they are put back, and the stack
 * is empty between two evaluations.
 * @param address of some value of the instance: an image fits only an instance in which it is the same
 */
export function imageOf(memory: WasmMemory, address: number): Image {
  const all = new Uint8Array(memory.buffer);
  const parts = usedParts(new Uint32Array(memory.buffer)).map(([from, to]) => ({ from, bytes: all.slice(from, to) }));
  const head = new Uint32Array([address, parts.length, ...parts.flatMap(({ from, bytes }) => [from, bytes.length])]);
  const pieces = [new Uint8Array(head.buffer), ...parts.map(({ bytes }) => bytes)];
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { parts, bytes };
}

/** @throws Error if the image does not fit this instance */
export function readImage(bytes: Uint8Array, address: number): Image {
  const words = new Uint32Array(bytes.slice(0, 8).buffer);
  const [made = -1, count = 0] = words;
  if (made !== address) throw new Error(`the sandbox's image is for address ${made}, not ${address}`);
  let at = 8 + count * 8;
  const ranges = new Uint32Array(bytes.slice(8, at).buffer);
  const parts = Array.from({ length: count }, (_, n) => {
    const [from = 0, length = 0] = ranges.subarray(n * 2);
    at += length;
    return { from, bytes: bytes.subarray(at - length, at) };
  });
  return { parts, bytes };
}

export function restore(memory: WasmMemory, { parts }: Image): void {
  const now = new Uint8Array(memory.buffer);
  for (const part of parts) now.set(part.bytes, part.from);
}

/** Bytes, but for gaps. */
function usedParts(words: Uint32Array): [from: number, to: number][] {
  const parts: [from: number, to: number][] = [];
  let last: [from: number, to: number] | undefined;
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === 0) continue;
    const from = at * 4;
    if (last === undefined || from - last[1] >= STACK_GAP) {
      last = [from, from + 4];
      parts.push(last);
    } else last[1] = from + 4;
  }
  return parts;
}
