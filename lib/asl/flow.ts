import { edgesOf, type Scope } from './graph.ts';

/**
 * Which variables have a value when a state is entered: a data flow analysis over the paths between states. A variable is assigned *surely*
 * if every path to the state assigns it, and *possibly* if at least one does.
 */
export interface Known {
  readonly surely: Names;
  readonly possibly: Names;
}

export interface Names extends Iterable<string> {
  has(name: string): boolean;
}

const NOTHING: Known = { surely: new Set(), possibly: new Set() };

/**
 * @param outer what is known when the scope's Parallel or Map state is entered
 * @returns for each reachable state
 */
export function knownAtStates(scope: Scope, outer: Known = NOTHING): Map<string, Known> {
  const { processor } = scope;
  const names = new Map<string, number>();
  const indexOf = (name: string): number => {
    const index = names.get(name) ?? names.size;
    names.set(name, index);
    return index;
  };
  const edges = new Map(
    Object.entries(processor.States).map(([name, state]) => [
      name,
      edgesOf(state).map(({ to, assign }) => ({ to, assigned: Object.keys(assign ?? {}).map(indexOf) })),
    ]),
  );
  for (const name of outer.possibly) {
    indexOf(name);
  }
  const words = Math.ceil(names.size / 32) || 1;
  const bits = (set: Iterable<string>): Uint32Array => {
    const made = new Uint32Array(words);
    for (const name of set) {
      setBit(made, indexOf(name));
    }
    return made;
  };

  // Sure sets shrink and possible ones grow until nothing changes.
  const found = new Map([[processor.StartAt, { surely: bits(outer.surely), possibly: bits(outer.possibly) }]]);
  const open = [processor.StartAt];
  const waiting = new Set(open);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    waiting.delete(name);
    const at = found.get(name);
    for (const { to, assigned } of at === undefined ? [] : (edges.get(name) ?? [])) {
      const surely = Uint32Array.from(at?.surely ?? []);
      const possibly = Uint32Array.from(at?.possibly ?? []);
      for (const index of assigned) {
        setBit(surely, index);
        setBit(possibly, index);
      }
      const known = found.get(to);
      let changed = known === undefined;
      if (known === undefined) {
        found.set(to, { surely, possibly });
      } else {
        for (let word = 0; word < words; word += 1) {
          const sure = (known.surely[word] ?? 0) & (surely[word] ?? 0);
          const possible = (known.possibly[word] ?? 0) | (possibly[word] ?? 0);
          changed ||= sure >>> 0 !== known.surely[word] || possible >>> 0 !== known.possibly[word];
          known.surely[word] = sure;
          known.possibly[word] = possible;
        }
      }
      if (changed && !waiting.has(to)) {
        waiting.add(to);
        open.push(to);
      }
    }
  }
  return new Map(
    [...found].map(([name, at]) => [
      name,
      { surely: new BitNames(names, at.surely), possibly: new BitNames(names, at.possibly) },
    ]),
  );
}

/** A set as a row of bits: a large machine has thousands of states, and each knows hundreds of names. */
class BitNames implements Names {
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #bits: Uint32Array;

  constructor(indexes: ReadonlyMap<string, number>, bits: Uint32Array) {
    this.#indexes = indexes;
    this.#bits = bits;
  }

  has(name: string): boolean {
    const index = this.#indexes.get(name);
    return index !== undefined && hasBit(this.#bits, index);
  }

  *[Symbol.iterator](): Iterator<string> {
    for (const name of this.#indexes.keys()) {
      if (this.has(name)) yield name;
    }
  }
}

function setBit(set: Uint32Array, index: number): void {
  set[index >>> 5] = (set[index >>> 5] ?? 0) | (1 << (index & 31));
}

function hasBit(set: Uint32Array, index: number): boolean {
  return ((set[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0;
}
